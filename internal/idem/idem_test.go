package idem_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type input struct{ Amount int }

// caller is somebody with a mutation that counts how often it ran.
type caller struct {
	db       *store.DB
	viewer   *access.Viewer
	mutation string
	runs     *atomic.Int64
}

func newCaller(db *store.DB) caller {
	return caller{db: db, viewer: &access.Viewer{UserID: uuid.New()}, mutation: "topUp", runs: &atomic.Int64{}}
}

// call runs the mutation, which writes one row and returns its id.
func (c caller) call(ctx context.Context, key string, in input) ([]uuid.UUID, error) {
	if c.viewer != nil {
		ctx = access.As(ctx, c.viewer)
	}
	return idem.Do(ctx, c.db, c.mutation, &key, in, func(ctx context.Context) ([]uuid.UUID, error) {
		row, err := c.db.Client.Counter.Create().SetName(fmt.Sprint("run ", c.runs.Add(1), uuid.New())).SetValue(int64(in.Amount)).Save(access.System(ctx, "test"))
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{row.ID}, nil
	})
}

func counters(t *testing.T, db *store.DB) int {
	t.Helper()
	n, err := db.Client.Counter.Query().Count(testkit.System(t))
	require.NoError(t, err)
	return n
}

func keys(t *testing.T, db *store.DB) []*ent.IdempotencyKey {
	t.Helper()
	list, err := db.Client.IdempotencyKey.Query().All(testkit.System(t))
	require.NoError(t, err)
	return list
}

func TestDo(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		t.Run("ReplayReturnsTheSameWithoutRunning", func(t *testing.T) {
			c := newCaller(db)
			first, err := c.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			require.Len(t, first, 1)
			again, err := c.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			assert.Equal(t, first, again)
			assert.EqualValues(t, 1, c.runs.Load())
		})
		t.Run("OtherInputIsRefused", func(t *testing.T) {
			c := newCaller(db)
			_, err := c.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			again, err := c.call(t.Context(), "key", input{6})
			require.ErrorIs(t, err, idem.ErrReused)
			assert.Empty(t, again)
			assert.EqualValues(t, 1, c.runs.Load())
		})
		t.Run("ScopeIsActorAndMutation", func(t *testing.T) {
			c, other := newCaller(db), newCaller(db)
			anonymous, withdrawal := c, c
			anonymous.viewer = nil
			withdrawal.mutation = "withdraw"
			other.runs = c.runs
			for _, one := range []caller{c, other, anonymous, withdrawal} {
				_, err := one.call(t.Context(), "key", input{5})
				require.NoError(t, err)
			}
			assert.EqualValues(t, 4, c.runs.Load())
			_, err := c.call(t.Context(), "another key", input{5})
			require.NoError(t, err)
			assert.EqualValues(t, 5, c.runs.Load())
		})
		t.Run("SystemActsInTheScopeOfItsUser", func(t *testing.T) {
			c := newCaller(db)
			first, err := c.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			behind := c
			behind.viewer = access.From(access.System(access.As(t.Context(), c.viewer), "test"))
			again, err := behind.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			assert.Equal(t, first, again)
		})
		t.Run("ExpiresAfterADay", func(t *testing.T) {
			c := newCaller(db)
			first, err := c.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			clk.Advance(24*time.Hour - time.Microsecond)
			again, err := c.call(t.Context(), "key", input{5})
			require.NoError(t, err)
			assert.Equal(t, first, again)
			clk.Advance(time.Microsecond)
			anew, err := c.call(t.Context(), "key", input{6})
			require.NoError(t, err)
			assert.NotEqual(t, first, anew)
			again, err = c.call(t.Context(), "key", input{6})
			require.NoError(t, err)
			assert.Equal(t, anew, again, "kept again for a day")
		})
		t.Run("LengthOfTheKey", func(t *testing.T) {
			c := newCaller(db)
			for key, ok := range map[string]bool{"": false, "x": true, strings.Repeat("x", 200): true, strings.Repeat("x", 201): false} {
				_, err := c.call(t.Context(), key, input{5})
				if ok {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, fault.ErrInvalid)
				outcome, _ := fault.All(err)
				assert.Equal(t, []string{"idempotencyKey"}, outcome[0].Field)
			}
			assert.EqualValues(t, 2, c.runs.Load())
		})
	})
}

func TestDoWithoutAKeySimplyRuns(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		want := uuid.New()
		for range 2 {
			got, err := idem.Do(t.Context(), db, "topUp", nil, input{5}, func(ctx context.Context) ([]uuid.UUID, error) {
				assert.True(t, store.InTx(ctx))
				return []uuid.UUID{want}, nil
			})
			require.NoError(t, err)
			assert.Equal(t, []uuid.UUID{want}, got)
		}
		assert.Empty(t, keys(t, db))
	})
}

// A mutation whose result has no node is replayed like any other.
func TestDoWithoutIDs(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		key, runs := "key", 0
		for range 2 {
			got, err := idem.Do(t.Context(), db, "topUp", &key, input{5}, func(context.Context) ([]uuid.UUID, error) { runs++; return nil, nil })
			require.NoError(t, err)
			assert.Empty(t, got)
		}
		assert.Equal(t, 1, runs)
	})
}

// A failure leaves nothing behind: the key may be used again, also with another input.
func TestFailureReleasesTheKey(t *testing.T) {
	t.Parallel()
	errRefused := fault.New(fault.Conflict, fault.CodeConflict, "Refused.")
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		key := "key"
		fail := func(how func() error) error {
			got, err := idem.Do(t.Context(), db, "topUp", &key, input{5}, func(ctx context.Context) ([]uuid.UUID, error) {
				require.NoError(t, db.Client.Counter.Create().SetName("lost").SetValue(1).Exec(access.System(ctx, "test")))
				return []uuid.UUID{uuid.New()}, how()
			})
			assert.Empty(t, got)
			return err
		}
		require.ErrorIs(t, fail(func() error { return errRefused }), errRefused)
		require.Panics(t, func() { _ = fail(func() error { panic("stop") }) })
		assert.Empty(t, keys(t, db))
		assert.Zero(t, counters(t, db))

		c := newCaller(db)
		c.viewer = nil
		_, err := c.call(t.Context(), key, input{6})
		require.NoError(t, err)
		assert.EqualValues(t, 1, c.runs.Load())
	})
}

// The key belongs to the transaction that it joins: it goes when the caller fails after it.
func TestDoJoinsTheTransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		errLater := errors.New("later")
		c := newCaller(db)
		require.ErrorIs(t, db.WithTx(t.Context(), func(ctx context.Context) error {
			_, err := c.call(ctx, "key", input{5})
			require.NoError(t, err)
			return errLater
		}), errLater)
		assert.Empty(t, keys(t, db))
		assert.Zero(t, counters(t, db))
	})
}

// Twins that come at once wait for the first and get its result.
func TestConcurrentTwins(t *testing.T) {
	t.Parallel()
	const twins = 50
	run := func(t *testing.T, c caller, key string) {
		t.Helper()
		results := make([][]uuid.UUID, twins)
		var g errgroup.Group
		for i := range twins {
			g.Go(func() (err error) {
				results[i], err = c.call(t.Context(), key, input{5})
				return err
			})
		}
		require.NoError(t, g.Wait())
		require.Len(t, results[0], 1)
		for _, result := range results {
			assert.Equal(t, results[0], result)
		}
	}
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newCaller(db)
		run(t, c, "key")
		assert.Equal(t, 1, counters(t, db), "one effect")

		clk.Advance(24 * time.Hour) // all find the expired key at once
		run(t, c, "key")
		assert.Equal(t, 2, counters(t, db), "one effect more")
		assert.Len(t, keys(t, db), 1)
	})
}

// When the first of two twins fails, the one that waits for it runs.
func TestTwinOfAFailure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		key, c := "key", newCaller(db)
		c.viewer = nil
		started, fail := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		errRefused := errors.New("refused")
		go func() {
			_, err := idem.Do(t.Context(), db, c.mutation, &key, input{5}, func(context.Context) ([]uuid.UUID, error) {
				close(started)
				<-fail
				return nil, errRefused
			})
			first <- err
		}()
		<-started
		var g errgroup.Group
		g.Go(func() error { _, err := c.call(t.Context(), key, input{5}); return err })
		close(fail)
		require.ErrorIs(t, <-first, errRefused)
		require.NoError(t, g.Wait())
		assert.EqualValues(t, 1, c.runs.Load())
		n, err := db.Client.Counter.Query().Where(counter.Value(5)).Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
	})
}
