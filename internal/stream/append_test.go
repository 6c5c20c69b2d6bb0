package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestPositionsAreDenseAndInCommitOrderUnderLoad(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			// 64 writers of the same rows: on a busy machine one may wait longer than callers usually would.
			db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, engine), StatementTimeout: patience}, clock.NewFake(testkit.Start))
			checkPositionsUnderLoad(t, db)
		})
	}
}

func checkPositionsUnderLoad(t *testing.T, db *store.DB) {
	t.Helper()
	l := newLog(db)
	streams := []uuid.UUID{newStream(), newStream(), newStream()}
	const writers, rounds = 64, 4
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { // a log in commit order never shows a position before those below it
		at := int64(0)
		for done := false; !done; {
			select {
			case <-stop:
				done = true
			case <-time.After(time.Millisecond):
			}
			events, err := l.Read(t.Context(), streams[0], at, 1000)
			if !assert.NoError(t, err) || !assert.Equal(t, span(at+1, at+int64(len(events))), positions(events)) {
				return
			}
			at += int64(len(events))
		}
	})
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for range rounds {
				assert.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error {
					for i := range streams { // in another order than others
						if err := appendN(ctx, l, streams[(w+i)%len(streams)], 1+i); err != nil {
							return err
						}
					}
					return nil
				}))
			}
		})
	}
	writing.Wait()
	close(stop)
	watch.Wait()
	total := int64(0)
	for _, id := range streams {
		head, err := l.Head(t.Context(), id)
		require.NoError(t, err)
		total += head
		at := int64(0)
		for at < head {
			events, err := l.Read(t.Context(), id, at, 1000)
			require.NoError(t, err)
			require.Equal(t, span(at+1, at+int64(len(events))), positions(events))
			at += int64(len(events))
		}
	}
	assert.EqualValues(t, writers*rounds*(1+2+3), total)
}

func TestRollbackLeavesNoHoleAndPublishesNothing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		appendTo(t, db, l, id, 1)
		r := open(t, stream.LogSource{Log: l, Stream: id}, 1)
		assert.Empty(t, r.next(t))
		failure := errors.New("no")
		err := db.WithTx(t.Context(), func(ctx context.Context) error {
			if err := appendN(ctx, l, id, 3); err != nil {
				return err
			}
			return store.BeforeCommit(ctx, func(ctx context.Context) error { // the last of all steps fails, after the entries were written
				return store.BeforeCommit(ctx, func(ctx context.Context) error {
					return store.BeforeCommit(ctx, func(context.Context) error { return failure })
				})
			})
		})
		require.ErrorIs(t, err, failure)
		assert.False(t, r.isWoken())
		appendTo(t, db, l, id, 1)
		assert.True(t, r.isWoken())
		assert.Equal(t, span(2, 2), r.all(t))
		events, err := l.Read(t.Context(), id, 0, 10)
		require.NoError(t, err)
		assert.Equal(t, span(1, 2), positions(events))
	})
}

func TestRetriedTransactionStartsWithEmptyBuffers(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		r := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		tries := 0
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error {
			if err := appendN(ctx, l, id, 2); err != nil {
				return err
			}
			if tries++; tries < 3 {
				return &pq.Error{Code: "40001"}
			}
			return nil
		}))
		assert.Equal(t, 3, tries)
		assert.Equal(t, span(1, 2), r.all(t))
	})
}

func TestAppendAfterTheFlushIsWrittenToo(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		var later func(ctx context.Context, steps int) error
		later = func(ctx context.Context, steps int) error {
			return store.BeforeCommit(ctx, func(ctx context.Context) error {
				if steps > 0 {
					return later(ctx, steps-1)
				}
				return appendN(ctx, l, id, 1)
			})
		}
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error {
			return errors.Join(appendN(ctx, l, id, 1), later(ctx, 3))
		}))
		events, err := l.Read(t.Context(), id, 0, 10)
		require.NoError(t, err)
		assert.Equal(t, span(1, 2), positions(events))
	})
}

func TestAppendCostsTwoRoundTripsWhateverTheNumber(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		a, b := newStream(), newStream()
		for range 2 { // new rows, and rows that are there
			var n atomic.Int64
			ctx := store.CountRoundTrips(t.Context(), &n)
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
				return errors.Join(appendN(ctx, l, a, 20), appendN(ctx, l, b, 20), appendN(ctx, l, a, 20))
			}))
			assert.EqualValues(t, 4, n.Load(), "begin, upsert, insert, commit")
		}
	})
}

func TestEntriesKeepWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		l, id := newLog(db), newStream()
		subject, patient := uuid.New(), uuid.New()
		r := open(t, stream.LogSource{Log: l, Stream: id}, 0)
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error {
			return errors.Join(
				l.Append(ctx, stream.Entry{Stream: id, Kind: "full", Subject: subject, PatientID: patient, Data: map[string]any{"reason": "<ä>"}}),
				l.Append(ctx, stream.Entry{Stream: id, Kind: "bare"}))
		}))
		delivered, err := r.Next(t.Context())
		require.NoError(t, err)
		read, err := l.Read(t.Context(), id, 0, 10)
		require.NoError(t, err)
		for _, events := range [][]*stream.Event{delivered, read} {
			require.Len(t, events, 2)
			full, bare := events[0], events[1]
			assert.Equal(t, "full", full.Kind)
			assert.Equal(t, subject, full.Subject)
			var data struct{ Reason string }
			require.NoError(t, json.Unmarshal(full.Data, &data))
			assert.Equal(t, "<ä>", data.Reason)
			assert.Equal(t, clk.Now(), full.OccurredAt.UTC())
			assert.Equal(t, uuid.Nil, bare.Subject)
			assert.Nil(t, bare.Data)
			assert.Equal(t, id, bare.Stream)
		}
		row := db.Client.StreamEntry.Query().AllX(system(t.Context()))
		require.Len(t, row, 2)
		kept := 0
		for _, e := range row {
			if e.PatientID != nil && *e.PatientID == patient {
				kept++
			}
		}
		assert.Equal(t, 1, kept)
	})
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, id := newLog(db), newStream()
		good := stream.Entry{Stream: id, Kind: "tick", Data: strings.Repeat("x", 1998)}
		require.Error(t, l.Append(t.Context(), good), "no transaction")
		_, err := l.Reserve(t.Context(), []stream.Need{{Stream: id, Events: 1}})
		require.Error(t, err, "no transaction")
		_, err = l.Write(t.Context(), []stream.Entry{{Stream: id, Kind: "tick", Position: 1}})
		require.Error(t, err, "no transaction")
		for name, bad := range map[string]stream.Entry{
			"no stream": {Kind: "tick"}, "no kind": {Stream: id}, "long kind": {Stream: id, Kind: strings.Repeat("k", 61)},
			"long data": {Stream: id, Kind: "tick", Data: strings.Repeat("x", 1999)}, "no JSON": {Stream: id, Kind: "tick", Data: func() {}},
		} {
			assert.Error(t, db.WithTx(t.Context(), func(ctx context.Context) error { return l.Append(ctx, bad) }), name)
		}
		require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) error { return l.Append(ctx, good) }))
		head, err := l.Head(t.Context(), id)
		require.NoError(t, err)
		assert.EqualValues(t, 1, head)
	})
}

func TestReserveNumbersEventsAndItems(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		a, b := newStream(), newStream()
		reserve := func(needs ...stream.Need) (places map[uuid.UUID]stream.Place) {
			require.NoError(t, db.WithTx(t.Context(), func(ctx context.Context) (err error) {
				places, err = l.Reserve(ctx, needs)
				return err
			}))
			return places
		}
		assert.Equal(t, map[uuid.UUID]stream.Place{a: {Position: 1, Items: 1}, b: {Position: 1, Items: 1}},
			reserve(stream.Need{Stream: a, Events: 2, Items: 1}, stream.Need{Stream: b, Events: 1}, stream.Need{Stream: a, Events: 1, Items: 1}))
		assert.Equal(t, map[uuid.UUID]stream.Place{a: {Position: 4, Items: 3}, b: {Position: 2, Items: 1}},
			reserve(stream.Need{Stream: a, Items: 5}, stream.Need{Stream: b, Events: 1, Items: 1}))
		assert.Equal(t, map[uuid.UUID]stream.Place{a: {Position: 4, Items: 8}}, reserve(stream.Need{Stream: a, Events: 1}))
	})
}

func TestMoreStreamsAndEntriesThanOneStatementTakes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := newLog(db)
		many := make([]uuid.UUID, 8200)
		for i := range many {
			many[i] = newStream()
		}
		var n atomic.Int64
		require.NoError(t, db.WithTx(store.CountRoundTrips(t.Context(), &n), func(ctx context.Context) error {
			for _, id := range many {
				if err := appendN(ctx, l, id, 1); err != nil {
					return err
				}
			}
			return nil
		}))
		assert.EqualValues(t, 2+2+3, n.Load())
		for _, id := range []uuid.UUID{many[0], many[8199]} {
			events, err := l.Read(t.Context(), id, 0, 10)
			require.NoError(t, err)
			assert.Len(t, events, 1)
		}
	})
}
