package stream_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// revoked keeps whom a log has told of.
type revoked struct {
	mu    sync.Mutex
	list  []uuid.UUID
	kinds []string
	data  []string
}

func watch(l *stream.Log) *revoked {
	r := &revoked{}
	l.Rights.Handle(func(_ context.Context, kind string, subject uuid.UUID, data json.RawMessage) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.list, r.kinds, r.data = append(r.list, subject), append(r.kinds, kind), append(r.data, string(data))
	})
	return r
}

func (r *revoked) has(id uuid.UUID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.list {
		if one == id {
			return true
		}
	}
	return false
}

func revoke(tb testing.TB, db *store.DB, l *stream.Log, session uuid.UUID) {
	tb.Helper()
	require.NoError(tb, db.WithTx(tb.Context(), func(ctx context.Context) error {
		return l.Append(ctx, stream.Entry{Stream: stream.RightsStream, Kind: stream.RightsOfSession, Subject: session, Data: map[string]string{"reason": "LOGOUT"}})
	}))
}

func TestFenceTellsOfAllThatWasRevokedBefore(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dbA, dbB := pair(t, engine)
			a, b := newLog(dbA), newLog(dbB) // no hints, no polls
			before := uuid.New()
			revoke(t, dbA, a, before)
			told := watch(b)
			require.NoError(t, b.Rights.Fence(t.Context()))
			assert.Empty(t, told.list, "the past is not told again")
			for range 3 {
				id := uuid.New()
				revoke(t, dbA, a, id)
				require.NoError(t, b.Rights.Fence(t.Context()))
				assert.True(t, told.has(id))
			}
			assert.Len(t, told.list, 3)
			assert.Equal(t, stream.RightsOfSession, told.kinds[0])
			assert.JSONEq(t, `{"reason": "LOGOUT"}`, told.data[0])
			require.NoError(t, dbA.WithTx(t.Context(), func(ctx context.Context) error { return appendN(ctx, a, stream.RightsStream, 250) }))
			require.NoError(t, b.Rights.Fence(t.Context()))
			assert.Len(t, told.list, 253, "more than a page")
		})
	}
}

// Deliveries are simulated as the transport makes them: pull, fence, look whether the session still stands, write. No event that was appended after
// a session was revoked may be written to it.
func TestNoDeliveryAfterARevocation(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dbA, dbB := pair(t, engine)
			a, b := newLog(dbA), newLog(dbB)
			told := watch(b)
			require.NoError(t, b.Rights.Fence(t.Context()))
			var all sync.WaitGroup
			for range 8 {
				session, id := uuid.New(), newStream()
				var gone atomic.Bool // the revocation has committed
				r := open(t, stream.LogSource{Log: b, Stream: id}, 0)
				all.Go(func() {
					for range 200 {
						assert.NoError(t, b.PollNow(t.Context()))
						events := r.next(t)
						late := gone.Load()
						if !assert.NoError(t, b.Rights.Fence(t.Context())) || told.has(session) {
							return
						}
						assert.False(t, late, "delivers %v to a session that was revoked before", events)
					}
				})
				all.Go(func() {
					for range 5 {
						appendTo(t, dbA, a, id, 1)
					}
					revoke(t, dbA, a, session)
					gone.Store(true)
					appendTo(t, dbA, a, id, 1)
				})
			}
			all.Wait()
		})
	}
}

func TestFencesShareTheNextLookNotTheRunningOne(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		var looks atomic.Int64
		l.Rights.CountLooks(&looks)
		inside, leave := make(chan struct{}, 10), make(chan struct{})
		told := watch(l)
		l.Rights.Handle(func(context.Context, string, uuid.UUID, json.RawMessage) {
			inside <- struct{}{}
			<-leave
		})
		require.NoError(t, l.Rights.Fence(t.Context()))
		first, late := uuid.New(), uuid.New()
		revoke(t, db, l, first)
		var all sync.WaitGroup
		all.Go(func() { assert.NoError(t, l.Rights.Fence(t.Context())) })
		<-inside // this look has read the log and hangs in the handler
		revoke(t, db, l, late)
		given, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 {
			assert.Error(t, l.Rights.Fence(given), "it waits, and its caller has gone")
		}
		done := l.Rights.NextLook()
		assert.False(t, told.has(late))
		close(leave)
		<-done
		all.Wait()
		assert.True(t, told.has(late))
		assert.EqualValues(t, 3, looks.Load(), "one at the start, one that hung, one for the fifty")
	})
}

func TestFenceEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		leave := make(chan struct{})
		l.Rights.Handle(func(context.Context, string, uuid.UUID, json.RawMessage) { <-leave })
		require.NoError(t, l.Rights.Fence(t.Context()))
		revoke(t, db, l, uuid.New())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.Error(t, l.Rights.Fence(ctx))
		close(leave)
		require.NoError(t, l.Rights.Fence(t.Context()))
	})
}

func TestRightsThatCannotBeReadAreUnknown(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		told := watch(l)
		require.NoError(t, l.Rights.Fence(t.Context()))
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error { // entries that are gone
			_, err := l.Reserve(ctx, []stream.Need{{Stream: stream.RightsStream, Events: 5}})
			return err
		}))
		require.NoError(t, l.Rights.Fence(t.Context()))
		assert.Equal(t, []string{stream.RightsUnknown}, told.kinds)
		id := uuid.New()
		revoke(t, db, l, id)
		require.NoError(t, l.Rights.Fence(t.Context()))
		assert.True(t, told.has(id))
	})
}

func TestRightsAreFollowedWithoutAFence(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"by the poll": 5 * time.Millisecond, "by hints": never} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
				l := stream.New(db, nil, quiet, stream.PollEvery(never, every))
				writer := l // its own publication is the hint
				if every != never {
					writer = newLog(db)
				}
				told := watch(l)
				require.NoError(t, l.Rights.Fence(t.Context()))
				run(t, l)
				for range 3 {
					id := uuid.New()
					revoke(t, db, writer, id)
					require.Eventually(t, func() bool { return told.has(id) }, patience, time.Millisecond)
				}
			})
		})
	}
}
