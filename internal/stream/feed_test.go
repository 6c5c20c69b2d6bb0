package stream_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestResumeAfterEveryPosition(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		source := stream.LogSource{Log: l, Stream: id}
		appendTo(t, db, l, id, 20)
		keeper := open(t, source, 20) // its topic begins at 20
		appendTo(t, db, l, id, 20)
		for after := int64(0); after <= 40; after++ {
			assert.Equal(t, span(after+1, 40), append([]int64{}, open(t, source, after).all(t)...), after)
		}
		assert.Equal(t, span(21, 40), keeper.all(t))
	})
}

func TestWithoutAfterTheFirstEventTellsWhere(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		l, id := newLog(db), newStream()
		for _, head := range []int64{0, 3} {
			r := open(t, stream.LogSource{Log: l, Stream: id}, -1)
			events, err := r.Next(t.Context())
			require.NoError(t, err)
			require.Len(t, events, 1)
			assert.Equal(t, stream.Opened, events[0].Kind)
			assert.Equal(t, id, events[0].Stream)
			assert.Equal(t, head, events[0].Position)
			assert.Equal(t, clk.Now(), events[0].OccurredAt)
			assert.Empty(t, r.next(t))
			appendTo(t, db, l, id, 3)
			assert.Equal(t, span(head+1, head+3), r.all(t))
			r.Close()
		}
	})
}

func TestResumeExpired(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		source := stream.LogSource{Log: l, Stream: id}
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error { // positions 1 to 5 are gone
			if _, err := l.Reserve(ctx, []stream.Need{{Stream: id, Events: 5}}); err != nil {
				return err
			}
			return appendN(ctx, l, id, 3)
		}))
		_, err := tryOpen(t.Context(), source, 9)
		require.ErrorIs(t, err, fault.ErrResumeExpired, "ahead of the head")
		for after := range int64(5) {
			_, err := l.Read(t.Context(), id, after, 10)
			require.ErrorIs(t, err, fault.ErrResumeExpired, after)
			_, err = open(t, source, after).Next(t.Context())
			require.ErrorIs(t, err, fault.ErrResumeExpired, after)
		}
		for _, after := range []int64{-1, 9} {
			_, err = l.Read(t.Context(), id, after, 10)
			require.ErrorIs(t, err, fault.ErrResumeExpired, after)
		}
		assert.Equal(t, span(6, 8), open(t, source, 5).all(t))
		assert.Empty(t, open(t, source, 8).all(t))
		fresh := newStream()
		_, err = tryOpen(t.Context(), stream.LogSource{Log: l, Stream: fresh}, 1)
		require.ErrorIs(t, err, fault.ErrResumeExpired)
		assert.Equal(t, 1, l.Topics(), "a source that did not open leaves nothing")
	})
}

func TestALogThatIsCutUnderReadersEndsThemAndServesNewOnes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		source := stream.LogSource{Log: l, Stream: id}
		old := open(t, source, 0)
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error {
			_, err := l.Reserve(ctx, []stream.Need{{Stream: id, Events: 5}})
			return errors.Join(err, appendN(ctx, l, id, 1))
		}))
		_, err := old.Next(t.Context())
		require.ErrorIs(t, err, fault.ErrResumeExpired)
		fresh := open(t, source, 6)
		appendTo(t, db, l, id, 1)
		assert.Equal(t, span(7, 7), fresh.all(t))
	})
}

func TestEventsPublishedOutOfOrderTwiceOrNever(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		r := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		e := reserved(t, db, l, id, 6)
		l.Publish(e[2])
		assert.Equal(t, span(1, 6), r.all(t), "a hole in what is published is read from the log")
		l.Publish(e[0], e[1])
		l.Publish(e[2])
		assert.Empty(t, r.all(t))
		e = append(e, reserved(t, db, l, id, 3)...)
		l.Publish(e[8], e[7], e[6], e[5])
		assert.Equal(t, span(7, 9), r.all(t))
		reserved(t, db, l, id, 2)
		assert.Empty(t, r.all(t), "nobody told")
		require.NoError(t, l.PollNow(t.Context()))
		assert.True(t, r.isWoken())
		assert.Equal(t, span(10, 11), r.all(t))
	})
}

func TestAHintBeyondTheLogIsForgotten(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		r := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		l.Hint(stream.Hint{Stream: id, Position: 1 << 40})
		now := open(t, stream.LogSource{Log: l, Stream: id}, -1)
		assert.Equal(t, []int64{0}, now.next(t), "not where the hint said")
		_, err := tryOpen(t.Context(), stream.LogSource{Log: l, Stream: id}, 1)
		require.ErrorIs(t, err, fault.ErrResumeExpired)
		assert.Empty(t, r.all(t))
		appendTo(t, db, l, id, 2)
		assert.Equal(t, span(1, 2), r.all(t))
		assert.Equal(t, span(1, 2), now.all(t))
	})
}

func TestManyReadersAtTheTailReadOnceAndLoadOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		var loads, trips atomic.Int64
		source := stream.LogSource{Log: l, Stream: id, Loader: func(ctx context.Context, events []*stream.Event) error {
			loads.Add(1)
			assert.True(t, access.From(ctx).IsSystem())
			for _, e := range events {
				e.Value = e.Position * 10
			}
			return nil
		}}
		readers := make([]*reader, 200)
		for i := range readers {
			readers[i] = open(t, source, 0)
		}
		ctx := store.CountRoundTrips(t.Context(), &trips)
		for round := int64(1); round <= 3; round++ {
			trips.Store(0)
			loads.Store(0)
			reserved(t, db, l, id, 1)
			l.Hint(stream.Hint{Stream: id, Position: round})
			got := make([]*stream.Event, len(readers))
			var all sync.WaitGroup
			for i, r := range readers {
				all.Go(func() {
					events, err := r.Next(ctx)
					if assert.NoError(t, err) && assert.Len(t, events, 1) {
						got[i] = events[0]
					}
				})
			}
			all.Wait()
			for _, e := range got {
				assert.Same(t, got[0], e)
			}
			assert.Equal(t, round*10, got[0].Value)
			assert.EqualValues(t, 1, trips.Load(), "one statement for all")
			assert.EqualValues(t, 1, loads.Load())
		}
	})
}

func TestPublishedEventsNeedNoReadAndKeepTheirValues(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		var trips atomic.Int64
		r := open(t, stream.LogSource{Log: l, Stream: id, Loader: func(_ context.Context, events []*stream.Event) error {
			assert.Equal(t, span(2, 2), positions(events), "only what has no Value")
			return nil
		}}, 0)
		e := reserved(t, db, l, id, 3)
		e[0].Value, e[2].Value = "one", "three"
		l.Publish(e...)
		events, err := r.Next(store.CountRoundTrips(t.Context(), &trips))
		require.NoError(t, err)
		require.Equal(t, span(1, 3), positions(events))
		assert.Same(t, e[0], events[0])
		assert.Zero(t, trips.Load())
	})
}

func TestALoaderThatFailsLosesNothing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		fails := true
		source := stream.LogSource{Log: l, Stream: id, Loader: func(context.Context, []*stream.Event) error {
			if fails {
				return fault.ErrUnavailable
			}
			return nil
		}}
		appendTo(t, db, l, id, 2)
		behind, tail := open(t, source, 0), open(t, source, 2)
		appendTo(t, db, l, id, 2)
		for _, r := range []*reader{behind, tail, behind} {
			_, err := r.Next(t.Context())
			require.ErrorIs(t, err, fault.ErrUnavailable)
		}
		fails = false
		require.NoError(t, l.PollNow(t.Context()))
		assert.True(t, tail.isWoken(), "a poll wakes who failed, though there is nothing new")
		assert.True(t, behind.isWoken())
		assert.Equal(t, span(1, 4), behind.all(t))
		assert.Equal(t, span(3, 4), tail.all(t))
	})
}

func TestALoaderThatPanicsDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		bad := open(t, stream.LogSource{Log: l, Stream: id, Loader: func(context.Context, []*stream.Event) error { panic("loader") }}, 0)
		good := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		appendTo(t, db, l, id, 1)
		assert.Panics(t, func() { _, _ = bad.Next(t.Context()) })
		assert.Equal(t, span(1, 1), good.all(t))
	})
}

func TestAReaderFarBehindReadsPages(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		r := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		for range 15 {
			appendTo(t, db, l, id, 90)
		}
		assert.LessOrEqual(t, l.Ring(id), 512)
		at := int64(0)
		for at < 15*90 {
			got := r.next(t)
			require.NotEmpty(t, got)
			require.LessOrEqual(t, len(got), 100)
			require.Equal(t, span(at+1, at+int64(len(got))), got)
			at += int64(len(got))
		}
		assert.Empty(t, r.next(t))
	})
}

func TestRingsOfStreamsThatFellSilentAreForgotten(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		slow := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		appendTo(t, db, l, id, 10)
		l.ForgetOld()
		assert.Equal(t, 10, l.Ring(id))
		appendTo(t, db, l, id, 5)
		l.ForgetOld()
		assert.Equal(t, 5, l.Ring(id))
		l.ForgetOld()
		assert.Zero(t, l.Ring(id))
		appendTo(t, db, l, id, 1)
		assert.Equal(t, 1, l.Ring(id))
		assert.Equal(t, span(1, 16), slow.all(t))
	})
}

func TestWithoutAccessNobodyMayRead(t *testing.T) {
	t.Parallel()
	s := stream.LogSource{}
	require.ErrorIs(t, s.Check(t.Context()), fault.ErrForbidden)
	s.Access = func(context.Context) error { return nil }
	require.NoError(t, s.Check(t.Context()))
	assert.True(t, s.IsOrdered())
	assert.False(t, s.IsOfSession())
}

// Clients choose the classes: beyond a few, what they ask for is computed for each and not kept.
func TestMemoKeepsFewClasses(t *testing.T) {
	t.Parallel()
	e, computed := &stream.Event{}, 0
	ask := func(class string) {
		text, err := e.Memo(class, func() ([]byte, error) { computed++; return []byte(class), nil })
		require.NoError(t, err)
		require.Equal(t, class, string(text))
	}
	for range 2 {
		for class := range 8 {
			ask(string(rune('a' + class)))
		}
	}
	require.Equal(t, 8, computed, "once for all who ask for the same")
	ask("more")
	ask("more")
	require.Equal(t, 10, computed)
}
