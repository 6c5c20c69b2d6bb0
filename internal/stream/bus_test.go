package stream_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

const never = time.Hour // an interval of polls that do not come

// run runs the log until the end of the test.
func run(tb testing.TB, l *stream.Log) *stream.Log {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { l.Run(ctx) })
	tb.Cleanup(func() {
		cancel()
		done.Wait()
	})
	return l
}

// pair returns two open instances of one database.
func pair(tb testing.TB, engine string) (a, b *store.DB) {
	tb.Helper()
	cfg := store.Config{URL: testkit.URL(tb, engine), StatementTimeout: patience} // patient on a busy machine
	clk := clock.NewFake(testkit.Start)
	return testkit.OpenURL(tb, cfg, clk), testkit.OpenURL(tb, cfg, clk)
}

func needsPostgres(tb testing.TB) {
	tb.Helper()
	if !slices.Contains(testkit.Engines(), testkit.Postgres) {
		tb.Skip("no PostgreSQL")
	}
}

// heard waits until hints of one log reach the other: then its listener listens.
func heard(tb testing.TB, from, to *stream.Log) {
	tb.Helper()
	topic := "probe:" + uuid.NewString()
	got := make(chan struct{}, 100)
	to.OnTold(topic, func(string) { got <- struct{}{} })
	require.Eventually(tb, func() bool {
		from.Tell(topic)
		select {
		case <-got:
			return true
		case <-time.After(20 * time.Millisecond):
			return false
		}
	}, patience, time.Millisecond)
}

func TestAnotherInstanceHearsThroughTheBus(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	dbA, dbB := pair(t, testkit.Postgres)
	a := run(t, stream.New(dbA, stream.NewBus(dbA, quiet), quiet, stream.PollEvery(never, never)))
	b := run(t, stream.New(dbB, stream.NewBus(dbB, quiet), quiet, stream.PollEvery(never, never)))
	heard(t, a, b)
	id := newStream()
	r := open(t, stream.LogSource{Log: b, Stream: id}, 0)
	var writing sync.WaitGroup
	for range 4 {
		writing.Go(func() {
			for range 25 {
				appendTo(t, dbA, a, id, 1)
			}
		})
	}
	assert.Equal(t, span(1, 100), r.await(t, 100))
	writing.Wait()
}

func TestWithoutTheBusThePollDelivers(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dbA, dbB := pair(t, engine)
			a := newLog(dbA)
			b := run(t, stream.New(dbB, nil, quiet, stream.PollEvery(5*time.Millisecond, never)))
			id, silent := newStream(), newStream()
			r := open(t, stream.LogSource{Log: b, Stream: id}, 0)
			other := open(t, stream.LogSource{Log: b, Stream: silent}, 0)
			assert.Empty(t, other.all(t))
			appendTo(t, dbA, a, id, 3)
			assert.Equal(t, span(1, 3), r.await(t, 3))
			appendTo(t, dbA, a, id, 1)
			assert.Equal(t, span(4, 4), r.await(t, 4))
			assert.False(t, other.isWoken())
		})
	}
}

func TestReadersMoveBetweenInstances(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dbA, dbB := pair(t, engine)
			a, b := newLog(dbA), newLog(dbB)
			id := newStream()
			stays := open(t, stream.LogSource{Log: b, Stream: id}, 0)
			assert.Empty(t, stays.all(t))
			appendTo(t, dbA, a, id, 5)
			moved := open(t, stream.LogSource{Log: b, Stream: id}, 3) // b has not heard of 3 yet
			assert.Equal(t, span(4, 5), moved.all(t))
			assert.Equal(t, span(1, 5), stays.all(t))
		})
	}
}

func TestTellReachesTheOthersAlone(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	dbA, dbB := pair(t, testkit.Postgres)
	a := stream.New(dbA, stream.NewBus(dbA, quiet), quiet)
	b := stream.New(dbB, stream.NewBus(dbB, quiet), quiet)
	got := make(chan string, 100)
	for name, l := range map[string]*stream.Log{"a": a, "b": b} {
		l.OnTold("session:", func(topic string) { got <- name + " " + topic })
		run(t, l)
	}
	heard(t, a, b)
	heard(t, b, a)
	a.Tell("")
	a.Tell("session:two\nlines")
	a.Tell("session:" + strings.Repeat("x", 200))
	a.Tell("room:1")
	a.Tell("session:1")
	select {
	case topic := <-got:
		assert.Equal(t, "b session:1", topic)
	case <-time.After(patience):
		require.Fail(t, "not told")
	}
	heard(t, a, b) // what was sent before is there by now
	assert.Empty(t, got)
}

func TestTheBusComesBackAfterTheDatabaseWasAway(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	url := testkit.URL(t, testkit.Postgres)
	proxy, through := testkit.NewProxy(t, url)
	clk := clock.NewFake(testkit.Start)
	dbA := testkit.OpenURL(t, store.Config{URL: url}, clk)
	dbB := testkit.OpenURL(t, store.Config{URL: through}, clk)
	a := run(t, stream.New(dbA, stream.NewBus(dbA, quiet), quiet, stream.PollEvery(never, never)))
	b := run(t, stream.New(dbB, stream.NewBus(dbB, quiet), quiet, stream.PollEvery(never, never)))
	heard(t, a, b)
	id := newStream()
	r := open(t, stream.LogSource{Log: b, Stream: id}, 0)
	assert.Empty(t, r.all(t))

	proxy.Reset()
	require.Eventually(t, func() bool { return dbB.Ready() != nil }, patience, 10*time.Millisecond)
	appendTo(t, dbA, a, id, 2)
	b.Hint(stream.Hint{Stream: id, Position: 2})
	_, err := r.Next(t.Context())
	require.ErrorIs(t, err, fault.ErrUnavailable)
	require.Error(t, b.Rights.Fence(t.Context()), "nobody can say who still has rights")

	for r.isWoken() {
	}
	proxy.Normal()
	select {
	case <-r.woken:
	case <-time.After(patience):
		require.Fail(t, "not woken")
	}
	assert.Equal(t, span(1, 2), r.await(t, 2), "the listener is back, so everything is polled")
	heard(t, a, b)
	heard(t, b, a)
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	hints := []stream.Hint{{Topic: "session:a b"}}
	for i := range int64(1000) {
		hints = append(hints, stream.Hint{Stream: uuid.New(), Position: 1<<40 + i})
	}
	payloads := stream.Payloads("me", hints)
	var got []stream.Hint
	for _, p := range payloads {
		assert.Less(t, len(p), 8000)
		from, part := stream.Parse(p)
		assert.Equal(t, "me", from)
		got = append(got, part...)
	}
	assert.Equal(t, hints, got)
	assert.Less(t, len(payloads), 9)
	assert.Empty(t, stream.Payloads("me", nil))
	for _, bad := range []string{"", "me", "me\n", "me\n=", "me\nx 1", "me\n" + uuid.NewString(), "me\n" + uuid.NewString() + " x", "me\n 5"} {
		_, hints := stream.Parse(bad)
		assert.Empty(t, hints, bad)
	}
}
