package limit

import (
	"context"
	"slices"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/rateevent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// Reservation holds uses that count until they are given back.
type Reservation struct {
	limiter *Limiter
	ids     []uuid.UUID
	leave   func()
}

const (
	lookEvery = 20 * time.Millisecond
	looks     = 100 // two seconds for tries of other instances to end
)

// Reserve counts one use of every limit, or of none, for a try that may turn out not to count. Tries in progress are waited for where they
// alone are in the way. Anybody may call it, outside a transaction; the caller must Close the reservation. Errors: THROTTLED, with Exceeded
// and the time until the window opens; TIMEOUT when ctx ends before there is room.
func (l *Limiter) Reserve(ctx context.Context, uses ...Use) (*Reservation, error) {
	if store.InTx(ctx) {
		return nil, errReservedInTx
	}
	uses = slices.SortedFunc(slices.Values(uses), func(a, b Use) int { return strings.Compare(a.key(), b.key()) }) // one order of locks for all
	leave, err := l.gates.enter(ctx, uses)
	if err != nil {
		return nil, err
	}
	for look := 1; ; look++ {
		ids, isBusy, err := l.tryReserve(ctx, uses)
		if err == nil {
			return &Reservation{limiter: l, ids: ids, leave: leave}, nil
		}
		if !isBusy || look == looks {
			leave()
			return nil, err
		}
		select {
		case <-ctx.Done():
			leave()
			return nil, fault.ErrTimeout.Because(ctx.Err())
		case <-time.After(lookEvery):
		}
	}
}

// tryReserve reserves all uses or none. It is busy when only tries in progress are in the way.
func (l *Limiter) tryReserve(ctx context.Context, uses []Use) (ids []uuid.UUID, isBusy bool, err error) {
	err = l.db.WithTx(access.System(ctx, "limit"), func(ctx context.Context) error {
		ids, isBusy = nil, false
		var busy error
		for _, u := range uses {
			kept, open, err := l.count(ctx, u)
			if err != nil {
				return err
			}
			if kept >= u.Max {
				return l.refuse(ctx, u)
			}
			if kept+open >= u.Max {
				busy = refusal(u.Name, time.Second)
			}
		}
		if isBusy = busy != nil; isBusy {
			return busy
		}
		for _, u := range uses {
			made, err := l.db.Client.RateEvent.Create().SetKey(u.key() + inProgress).Save(ctx)
			if err != nil {
				return err
			}
			ids = append(ids, made.ID)
		}
		return nil
	})
	return ids, isBusy, err
}

// Keep lets the reserved uses count for good. It joins the transaction of ctx, if any.
func (r *Reservation) Keep(ctx context.Context) error {
	return r.settle(ctx, r.limiter.db.Build().Update(rateevent.Table).
		Set(rateevent.FieldKey, entsql.Expr("replace(key, '"+inProgress+"', '')")).Where(r.rows()))
}

// Release gives the reserved uses back. It joins the transaction of ctx, if any.
func (r *Reservation) Release(ctx context.Context) error {
	return r.settle(ctx, r.limiter.db.Build().Delete(rateevent.Table).Where(r.rows()))
}

// Close lets the next try of this process look for a place. It settles nothing: uses that were neither kept nor released go on counting.
func (r *Reservation) Close() { r.leave() }

func (r *Reservation) rows() *entsql.Predicate {
	args := make([]any, len(r.ids))
	for i, id := range r.ids {
		args[i] = id
	}
	return entsql.In(rateevent.FieldID, args...)
}

func (r *Reservation) settle(ctx context.Context, s store.Statement) error {
	return r.limiter.db.WithTx(access.System(ctx, "limit"), func(ctx context.Context) error {
		_, err := r.limiter.db.Exec(ctx, "settle a reserved use", s)
		return err
	})
}
