package stream_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const patience = time.Minute // of a test that fails; busy machines are slow

var quiet = slog.New(slog.DiscardHandler)

func newLog(db *store.DB) *stream.Log { return stream.New(db, nil, quiet) }

// newStream returns the id of a stream that nobody has written to.
func newStream() uuid.UUID { return ids.New(ent.TypeStream, testkit.Start) }

// appendTo appends n events of the kind to the stream, in one transaction.
func appendTo(tb testing.TB, db *store.DB, l *stream.Log, id uuid.UUID, n int) {
	tb.Helper()
	require.NoError(tb, db.WithTx(tb.Context(), func(ctx context.Context) error { return appendN(ctx, l, id, n) }))
}

func appendN(ctx context.Context, l *stream.Log, id uuid.UUID, n int) error {
	for range n {
		if err := l.Append(ctx, stream.Entry{Stream: id, Kind: "tick"}); err != nil {
			return err
		}
	}
	return nil
}

// reserved writes n events without publishing them, as a transaction that has just committed.
func reserved(tb testing.TB, db *store.DB, l *stream.Log, id uuid.UUID, n int) (events []*stream.Event) {
	tb.Helper()
	require.NoError(tb, db.WithTx(tb.Context(), func(ctx context.Context) error {
		places, err := l.Reserve(ctx, []stream.Need{{Stream: id, Events: n}})
		if err != nil {
			return err
		}
		entries := make([]stream.Entry, n)
		for i := range entries {
			entries[i] = stream.Entry{Stream: id, Kind: "tick", Position: places[id].Position + int64(i)}
		}
		events, err = l.Write(ctx, entries)
		return err
	}))
	return events
}

// reader is a subscription whose wakes are counted in a channel of one place.
type reader struct {
	stream.Feed
	woken chan struct{}
}

func open(tb testing.TB, source stream.LogSource, after int64) *reader {
	tb.Helper()
	r, err := tryOpen(tb.Context(), source, after)
	require.NoError(tb, err)
	tb.Cleanup(r.Close)
	return r
}

// tryOpen opens behind a position; a negative one is none.
func tryOpen(ctx context.Context, source stream.LogSource, after int64) (*reader, error) {
	if after >= 0 {
		source.After = &after
	}
	r := &reader{woken: make(chan struct{}, 1)}
	var err error
	r.Feed, err = source.Open(ctx, func() {
		select {
		case r.woken <- struct{}{}:
		default:
		}
	})
	return r, err
}

// next returns the positions of a page.
func (r *reader) next(tb testing.TB) []int64 {
	tb.Helper()
	events, err := r.Next(tb.Context())
	require.NoError(tb, err)
	return positions(events)
}

// all returns the positions of all pages until there is nothing more.
func (r *reader) all(tb testing.TB) (list []int64) {
	tb.Helper()
	for {
		got := r.next(tb)
		if len(got) == 0 {
			return list
		}
		list = append(list, got...)
	}
}

// await reads on until it has the position, waiting to be woken.
func (r *reader) await(tb testing.TB, last int64) (list []int64) {
	tb.Helper()
	deadline := time.After(patience)
	for {
		list = append(list, r.all(tb)...)
		if len(list) > 0 && list[len(list)-1] >= last {
			return list
		}
		select {
		case <-r.woken:
		case <-deadline:
			require.Failf(tb, "not woken", "have %v, want up to %d", list, last)
		}
	}
}

func (r *reader) isWoken() bool {
	select {
	case <-r.woken:
		return true
	default:
		return false
	}
}

func positions(events []*stream.Event) []int64 {
	list := make([]int64, len(events))
	for i, e := range events {
		list[i] = e.Position
	}
	return list
}

// span returns from..to.
func span(from, to int64) []int64 {
	list := []int64{}
	for i := from; i <= to; i++ {
		list = append(list, i)
	}
	return list
}

// loadPositions is a loader whose Value is the position.
func loadPositions(_ context.Context, events []*stream.Event) error {
	for _, e := range events {
		e.Value = e.Position
	}
	return nil
}

func system(ctx context.Context) context.Context { return access.System(ctx, "test") }
