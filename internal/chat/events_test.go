package chat_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestEventPage(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		for i := range 4 {
			p.send(t, p.doctor, fmt.Sprint(i))
		}
		require.NoError(t, p.mark(t, p.patient, 4))
		ctx := testkit.As(t, p.patient)
		three := 3
		var trips atomic.Int64
		page, err := p.EventPage(store.CountRoundTrips(ctx, &trips), p.room.ID, nil, &three)
		require.NoError(t, err)
		require.LessOrEqual(t, trips.Load(), int64(5), "room, events, messages, their latest texts, head")
		require.Equal(t, int64(6), page.Head)
		kinds := func(page *chat.EventPage) (list []string) {
			for _, e := range page.Events {
				list = append(list, e.Kind)
			}
			return list
		}
		require.Equal(t, []string{chat.KindRoomStatusChanged, chat.KindMessageAdded, chat.KindMessageAdded}, kinds(page))
		require.Equal(t, "1", page.Events[2].Value.(*ent.ChatMessage).Body)
		after := stream.CursorOf(p.room.ID, 3)
		page, err = p.EventPage(ctx, p.room.ID, &after, nil)
		require.NoError(t, err)
		require.Equal(t, []string{chat.KindMessageAdded, chat.KindMessageAdded, chat.KindMessagesRead}, kinds(page))
		told, err := chat.Told(page.Events[2])
		require.NoError(t, err)
		require.Equal(t, chat.ReadStep{By: *p.patient.UserID, UpTo: 4}, told)

		for name, first := range map[string]int{"none": 0, "negative": -1, "too many": 101} {
			_, err := p.EventPage(ctx, p.room.ID, nil, &first)
			requireCode(t, err, fault.CodeInvalidInput, name)
		}
		foreign, ahead := stream.CursorOf(uuid.New(), 1), stream.CursorOf(p.room.ID, 99)
		_, err = p.EventPage(ctx, p.room.ID, &foreign, nil)
		requireCode(t, err, fault.CodeInvalidInput)
		_, err = p.EventPage(ctx, p.room.ID, &ahead, nil)
		requireCode(t, err, fault.CodeResumeExpired)
		require.ErrorContains(t, err, "query chatRoom", "which query to go on with")
		for name, v := range p.outsiders(t) {
			_, err := p.EventPage(access.As(t.Context(), v), p.room.ID, nil, nil)
			requireCode(t, err, fault.CodeNotFound, name)
			_, err = p.EventPage(access.As(t.Context(), v), p.room.ID, &ahead, nil)
			requireCode(t, err, fault.CodeNotFound, name)
		}
	})
}

// A page that is read while the room is being deleted has nothing to show: the end of a room is no event of the API.
func TestEventPage_OfARoomThatEnds(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		testkit.Write(t, db, func(ctx context.Context) error { // what the page finds when the deletion commits after the rights were looked at
			return p.Streams.Append(ctx, stream.Entry{Stream: p.room.ID, Kind: chat.KindRoomDeleted, Subject: p.room.ID})
		})
		_, err := p.EventPage(testkit.As(t, p.patient), p.room.ID, nil, nil)
		requireCode(t, err, fault.CodeNotFound)
	})
}

func TestEvents_AreDelivered(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		ctx := testkit.As(t, p.patient)
		p.send(t, p.doctor, "before")
		read := func(after *ent.Cursor) (next func() *stream.Event) {
			source, err := p.Events(ctx, p.room.ID, after)
			require.NoError(t, err)
			require.NoError(t, source.Check(ctx))
			require.True(t, source.IsOrdered())
			woken := make(chan struct{}, 1)
			feed, err := source.Open(ctx, func() {
				select {
				case woken <- struct{}{}:
				default:
				}
			})
			require.NoError(t, err)
			t.Cleanup(feed.Close)
			var have []*stream.Event
			return func() *stream.Event {
				for len(have) == 0 {
					have, err = feed.Next(ctx)
					require.NoError(t, err)
					if len(have) == 0 {
						<-woken
					}
				}
				e := have[0]
				have = have[1:]
				return e
			}
		}
		live := read(nil)
		require.Equal(t, stream.Opened, live().Kind)
		start := stream.CursorOf(p.room.ID, 0)
		resumed := read(&start)
		require.Equal(t, chat.KindRoomStatusChanged, resumed().Kind)
		old := resumed()
		require.Equal(t, "before", old.Value.(*ent.ChatMessage).Body, "loaded from the store")
		sent := p.send(t, p.doctor, "after")
		require.NoError(t, p.mark(t, p.patient, 2))
		for _, next := range []func() *stream.Event{live, resumed} {
			e := next()
			require.Equal(t, chat.KindMessageAdded, e.Kind)
			require.Equal(t, int64(3), e.Position)
			require.Same(t, sent, e.Value.(*ent.ChatMessage), "the one that was stored: nobody reads it again")
			require.Equal(t, chat.KindMessagesRead, next().Kind)
		}
	})
}

func TestEvents_Check(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		source, err := p.Events(t.Context(), p.room.ID, nil)
		require.NoError(t, err)
		require.NoError(t, source.Check(testkit.As(t, p.patient)))
		require.NoError(t, source.Check(testkit.As(t, p.doctor)))
		for name, v := range p.outsiders(t) {
			requireCode(t, source.Check(access.As(t.Context(), v)), fault.CodeNotFound, name)
		}
		requireCode(t, source.Check(t.Context()), fault.CodeNotFound)
		foreign := stream.CursorOf(uuid.New(), 1)
		_, err = p.Events(t.Context(), p.room.ID, &foreign)
		requireCode(t, err, fault.CodeInvalidInput)
	})
}
