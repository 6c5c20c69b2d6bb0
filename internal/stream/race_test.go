package stream_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// A wake between "nothing" and the wait must not be lost: the readers have nothing else to go by.
func TestNoWakeIsLost(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		const writers, each = 4, 50
		var all sync.WaitGroup
		for range 8 {
			r := open(t, stream.LogSource{Log: l, Stream: id}, 0)
			all.Go(func() { assert.Equal(t, span(1, writers*each), r.await(t, writers*each)) })
		}
		for range writers {
			all.Go(func() {
				for range each {
					appendTo(t, db, l, id, 1)
				}
			})
		}
		all.Wait()
	})
}

func TestReadersThatComeAndGoWhileOthersWriteGetEachEventOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		streams := []uuid.UUID{newStream(), newStream()}
		const writers, each = 3, 30
		const last = writers * each
		var all sync.WaitGroup
		for i := range 6 {
			source := stream.LogSource{Log: l, Stream: streams[i%2]}
			all.Go(func() {
				var got []int64
				for at := int64(0); at < last; {
					r, err := tryOpen(t.Context(), source, at)
					require.NoError(t, err)
					for range rand.IntN(5) + 1 {
						page := r.next(t)
						if len(page) == 0 {
							select { // there is more to come
							case <-r.woken:
							case <-time.After(patience):
								assert.Fail(t, "not woken")
								return
							}
						}
						got = append(got, page...)
						if len(got) > 0 {
							at = got[len(got)-1]
						}
						if at == last {
							break
						}
					}
					r.Close()
				}
				assert.Equal(t, span(1, last), got)
			})
		}
		for i := range writers * 2 {
			all.Go(func() {
				for range each {
					appendTo(t, db, l, streams[i%2], 1)
				}
			})
		}
		all.Wait()
		assert.Zero(t, l.Topics())
	})
}

func TestWakeIsNotCalledOnceCloseHasReturned(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		for range 200 {
			var closed atomic.Bool
			source := stream.LogSource{Log: l, Stream: id}
			feed, err := source.Open(t.Context(), func() { assert.False(t, closed.Load()) })
			require.NoError(t, err)
			_, err = feed.Next(t.Context())
			require.NoError(t, err)
			_, err = feed.Next(t.Context())
			require.NoError(t, err)
			var hints sync.WaitGroup
			for range 4 {
				hints.Go(func() { l.Hint(stream.Hint{Stream: id, Position: 1}) })
			}
			feed.Close()
			closed.Store(true)
			feed.Close() // does nothing
			hints.Wait()
		}
		assert.Zero(t, l.Topics())
	})
}

func TestCloseWaitsForAWakeThatRuns(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		inside, leave, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
		source := stream.LogSource{Log: l, Stream: id, After: new(int64)}
		feed, err := source.Open(t.Context(), func() {
			close(inside)
			<-leave
		})
		require.NoError(t, err)
		_, err = feed.Next(t.Context())
		require.NoError(t, err)
		go l.Hint(stream.Hint{Stream: id, Position: 1})
		<-inside
		go func() {
			feed.Close()
			close(closed)
		}()
		select {
		case <-closed:
			assert.Fail(t, "closed while wake runs")
		case <-time.After(20 * time.Millisecond):
		}
		close(leave)
		<-closed
	})
}

// What commits between the two statements of a Read at the head is no hole.
func TestAReadAtTheHeadWhileOthersCommit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		appendTo(t, db, l, id, 1)
		var once sync.Once
		db.Client.Stream.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
			return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
				once.Do(func() { appendTo(t, db, l, id, 2) })
				return next.Query(ctx, q)
			})
		}))
		events, err := l.Read(t.Context(), id, 1, 10)
		require.NoError(t, err)
		assert.Equal(t, span(2, 3), positions(events))
	})
}

func TestTenThousandReadersLeaveNothingBehind(t *testing.T) {
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		ids := make([]uuid.UUID, 500)
		for i := range ids {
			ids[i] = newStream()
		}
		var collected atomic.Int64
		for i := range 10_000 {
			id := ids[i%len(ids)]
			source := stream.LogSource{Log: l, Stream: id}
			feed, err := source.Open(t.Context(), func() {})
			require.NoError(t, err)
			_, err = feed.Next(t.Context())
			require.NoError(t, err)
			if i%100 == 0 {
				events := reserved(t, db, l, id, 1)
				value := new([1 << 10]byte)
				runtime.AddCleanup(value, func(n *atomic.Int64) { n.Add(1) }, &collected)
				events[0].Value = value
				l.Publish(events...)
				_, err = feed.Next(t.Context())
				require.NoError(t, err)
			}
			feed.Close()
		}
		assert.Zero(t, l.Topics())
		require.Eventually(t, func() bool {
			runtime.GC()
			return collected.Load() == 100
		}, patience, 10*time.Millisecond, "values of closed topics are let go")
	})
}

func TestFeedsHaveNoGoroutines(t *testing.T) { // not parallel: it counts
	db := testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start))
	l, id := newLog(db), newStream()
	before := runtime.NumGoroutine()
	feeds := make([]*reader, 1000)
	for i := range feeds {
		feeds[i] = open(t, stream.LogSource{Log: l, Stream: id}, -1)
		feeds[i].all(t)
	}
	appendTo(t, db, l, id, 1)
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+5)
	for _, f := range feeds {
		assert.True(t, f.isWoken())
		f.Close()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+5)
	assert.Zero(t, l.Topics())
}
