package stream_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// gauge is a number of which readers are given the newest.
type gauge struct {
	value, loads atomic.Int64
	until        atomic.Pointer[time.Time]
	err          atomic.Pointer[error]
	log          *stream.Log
}

func (g *gauge) load(context.Context) (stream.State, error) {
	g.loads.Add(1)
	if err := g.err.Load(); err != nil {
		return stream.State{}, *err
	}
	n := g.value.Load()
	state := stream.State{Value: n, Digest: strconv.FormatInt(n, 10)}
	if until := g.until.Load(); until != nil {
		state.Until = *until
	}
	return state, nil
}

func (g *gauge) open(tb testing.TB, topic string) *reader {
	tb.Helper()
	r := &reader{woken: make(chan struct{}, 1)}
	source := &stream.LatestSource{Log: g.log, Topic: topic, Load: g.load, Kind: "gauge"}
	require.False(tb, source.IsOrdered())
	require.ErrorIs(tb, source.Check(tb.Context()), fault.ErrForbidden, "nobody is let in by default")
	var err error
	r.Feed, err = source.Open(tb.Context(), func() {
		select {
		case r.woken <- struct{}{}:
		default:
		}
	})
	require.NoError(tb, err)
	tb.Cleanup(r.Close)
	return r
}

// value returns what the reader is given next; -1 when that is nothing.
func (r *reader) value(tb testing.TB) int64 {
	tb.Helper()
	events, err := r.Next(tb.Context())
	require.NoError(tb, err)
	if len(events) == 0 {
		return -1
	}
	require.Len(tb, events, 1)
	return events[0].Value.(int64)
}

func TestLatest(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		g := &gauge{log: newLog(db)}
		a, b := g.open(t, "x:1"), g.open(t, "x:1")
		require.Zero(t, a.value(t), "the opening state")
		require.Zero(t, b.value(t))
		require.EqualValues(t, 1, g.loads.Load(), "read once for both")
		require.EqualValues(t, -1, a.value(t))
		require.EqualValues(t, -1, b.value(t))

		for n := range int64(5) {
			g.value.Store(n + 1)
			g.log.Touch("x:1")
		}
		require.True(t, a.isWoken())
		require.EqualValues(t, 5, a.value(t), "what was in between is passed over")
		require.EqualValues(t, -1, a.value(t))
		g.log.Touch("x:2")
		require.False(t, a.isWoken(), "another topic")
		g.log.Touch("x:1")
		require.True(t, a.isWoken())
		require.EqualValues(t, -1, a.value(t), "nothing has changed")
		g.value.Store(6)
		g.log.Touch("x:*")
		require.EqualValues(t, 6, a.value(t))
		require.EqualValues(t, 6, b.value(t))
		require.EqualValues(t, -1, b.value(t))
		b.isWoken()
		b.Close()
		g.log.Touch("x:1")
		require.False(t, b.isWoken(), "closed")
	})
}

// A reading that fails is tried again.
func TestLatest_Failure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		g := &gauge{log: newLog(db)}
		away := errors.New("away")
		g.err.Store(&away)
		r := g.open(t, "x")
		_, err := r.Next(t.Context())
		require.ErrorIs(t, err, away)
		g.err.Store(nil)
		require.Zero(t, r.value(t))
	})
}

// A hint of another instance and the slow poll have states read again, and so has their own time.
func TestLatest_OfOthersAndByTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		g := &gauge{log: newLog(db)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); g.log.Run(ctx) }()
		defer func() { cancel(); <-done }()
		until := db.Now().Add(time.Minute)
		g.until.Store(&until)
		r := g.open(t, "x:1")
		require.Zero(t, r.value(t))
		require.EqualValues(t, -1, r.value(t))
		await := func(want int64) {
			t.Helper()
			require.Eventually(t, func() bool { return r.value(t) == want }, patience, time.Millisecond)
		}
		g.value.Store(1)
		g.log.Hint(stream.Hint{Topic: "x:1"})
		await(1)
		g.value.Store(2)
		g.until.Store(nil)
		clk.Advance(time.Minute)
		await(2)
	})
}
