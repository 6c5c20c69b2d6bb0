package graph

import (
	"context"

	"github.com/google/uuid"
	"github.com/vikstrous/dataloadgen"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/money"
)

// loaders batch computed fields of one query, mutation or event, and keep what they have read.
type loaders struct {
	isFree   *dataloadgen.Loader[uuid.UUID, bool]
	nextFree *dataloadgen.Loader[uuid.UUID, *ent.Slot]
	read     *dataloadgen.Loader[uuid.UUID, chat.ReadState]
	newest   *dataloadgen.Loader[newestKey, []*ent.ChatMessage]
	messages *dataloadgen.Loader[uuid.UUID, int]
	room     *dataloadgen.Loader[uuid.UUID, *ent.ChatRoom]
	visit    *dataloadgen.Loader[uuid.UUID, *chat.ChatContext]
	text     *dataloadgen.Loader[*ent.ChatMessage, chat.Text]
	receipts *dataloadgen.Loader[*ent.ChatMessage, []*chat.ChatReceipt]
	versions *dataloadgen.Loader[*ent.ChatMessage, []*chat.MessageText]
	files    *dataloadgen.Loader[uuid.UUID, []*ent.ChatAttachment]

	dailyRate   *dataloadgen.Loader[uuid.UUID, *money.Amount]
	occupied    *dataloadgen.Loader[uuid.UUID, *int]
	freeBeds    *dataloadgen.Loader[uuid.UUID, *int]
	isBedFree   *dataloadgen.Loader[uuid.UUID, *bool]
	currentStay *dataloadgen.Loader[uuid.UUID, *ent.Stay]
	isExempt    *dataloadgen.Loader[uuid.UUID, bool]
	estimated   *dataloadgen.Loader[uuid.UUID, *money.Amount]
	charged     *dataloadgen.Loader[uuid.UUID, *money.Amount]
	projected   *dataloadgen.Loader[hospital.Projection, *money.Amount]

	walletRate *dataloadgen.Loader[uuid.UUID, money.Amount]
	reversedBy *dataloadgen.Loader[uuid.UUID, *ent.WalletTransaction]
}

type loadersKey struct{}

func (s *server) withLoaders(ctx context.Context) context.Context {
	return context.WithValue(ctx, loadersKey{}, &loaders{
		isFree:   dataloadgen.NewLoader(inOrder(s.resolver.Booking.FreeOf)),
		nextFree: dataloadgen.NewLoader(inOrder(s.resolver.Booking.NextFree)),
		read:     dataloadgen.NewLoader(inOrder(s.resolver.Chat.ReadStates)),
		newest:   dataloadgen.NewLoader(s.resolver.newest),
		messages: dataloadgen.NewLoader(inOrder(s.resolver.Chat.Count)),
		room:     dataloadgen.NewLoader(inOrder(s.resolver.roomsOf)),
		visit:    dataloadgen.NewLoader(inOrder(s.resolver.Chat.Contexts)),
		text:     dataloadgen.NewLoader(s.resolver.texts),
		receipts: dataloadgen.NewLoader(s.resolver.receipts),
		versions: dataloadgen.NewLoader(s.resolver.versions),
		files:    dataloadgen.NewLoader(inOrder(s.resolver.Chat.Attachments)),

		dailyRate:   dataloadgen.NewLoader(inOrder(s.resolver.Hospital.RatesToday)),
		occupied:    dataloadgen.NewLoader(inOrder(s.resolver.Hospital.Occupied)),
		freeBeds:    dataloadgen.NewLoader(inOrder(s.resolver.Hospital.Free)),
		isBedFree:   dataloadgen.NewLoader(inOrder(s.resolver.Hospital.FreeBeds)),
		currentStay: dataloadgen.NewLoader(inOrder(s.resolver.Hospital.CurrentStays)),
		isExempt:    dataloadgen.NewLoader(inOrder(s.resolver.Hospital.ExemptToday)),
		estimated:   dataloadgen.NewLoader(inOrder(s.resolver.Hospital.EstimatedCosts)),
		charged:     dataloadgen.NewLoader(inOrder(s.resolver.Hospital.ChargedToDate)),
		projected:   dataloadgen.NewLoader(inOrder(s.resolver.Hospital.ProjectedCosts)),

		walletRate: dataloadgen.NewLoader(inOrder(s.resolver.Wallets.Rates)),
		reversedBy: dataloadgen.NewLoader(inOrder(s.resolver.Wallets.Reversals)),
	})
}

func loadersOf(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

// inOrder turns a lookup by map into a batch in the order of its keys; a key without a value reads as the zero value.
func inOrder[K comparable, T any](lookup func(context.Context, []K) (map[K]T, error)) func(context.Context, []K) ([]T, []error) {
	return func(ctx context.Context, keys []K) ([]T, []error) {
		found, err := lookup(ctx, keys)
		if err != nil {
			return nil, []error{err}
		}
		list := make([]T, len(keys))
		for i, key := range keys {
			list[i] = found[key]
		}
		return list, nil
	}
}
