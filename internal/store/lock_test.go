package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

const (
	workers = 20
	rounds  = 10
)

// together runs fn in many goroutines at once.
func together(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	var g errgroup.Group
	for i := range n {
		g.Go(func() error { return fn(i) })
	}
	require.NoError(t, g.Wait())
}

// Read-modify-write under the lock loses nothing.
func TestLockExcludes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		row := newCounter(t, db, "balance")
		ctx := testkit.System(t)
		together(t, workers, func(int) error {
			for range rounds {
				err := db.WithTx(ctx, func(ctx context.Context) error {
					if err := db.Lock(ctx, "counters", row.ID); err != nil {
						return err
					}
					now, err := db.Client.Counter.Get(ctx, row.ID)
					if err != nil {
						return err
					}
					return now.Update().SetValue(now.Value + 1).Exec(ctx)
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		got, err := db.Client.Counter.Get(ctx, row.ID)
		require.NoError(t, err)
		assert.EqualValues(t, workers*rounds, got.Value)
	})
}

// Who shares a row waits for those who lock it, and they for him, and he for nobody else.
func TestShare(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			t.Skip("write transactions are alone on SQLite")
		}
		row := newCounter(t, db, "shared")
		other := testkit.OpenURL(t, store.Config{URL: db.URL(), StatementTimeout: 300 * time.Millisecond}, clk)
		share := func(db *store.DB) func(context.Context) error {
			return func(ctx context.Context) error { return db.Share(ctx, "counters", row.ID) }
		}
		lock := func(db *store.DB) func(context.Context) error {
			return func(ctx context.Context) error { return db.Lock(ctx, "counters", row.ID) }
		}
		read := func(db *store.DB) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := db.Client.Counter.Query().Where(counter.ID(row.ID), db.ForUpdate).Only(ctx)
				return err
			}
		}
		for _, c := range []struct {
			name          string
			first, second func(*store.DB) func(context.Context) error
			waits         bool
		}{
			{"SharersDoNotWait", share, share, false}, {"LockWaitsForSharer", share, lock, true}, {"SharerWaitsForLock", lock, share, true},
			{"QueryThatLocksWaits", share, read, true}, {"QueryThatLocksIsWaitedFor", read, share, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				testkit.Write(t, db, func(ctx context.Context) error {
					require.NoError(t, c.first(db)(ctx))
					err := other.WithTx(testkit.System(t), c.second(other))
					if c.waits {
						requireCode(t, err, fault.CodeTimeout)
						return nil
					}
					return err
				})
			})
		}
	})
}

// Callers that name the rows in different orders do not wait for each other: no attempt is repeated.
func TestLockTakesRowsInOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		var order []uuid.UUID
		for i := range 5 {
			order = append(order, newCounter(t, db, fmt.Sprint(i)).ID)
		}
		backwards := slices.Clone(order)
		slices.Reverse(backwards)
		together(t, workers, func(i int) error {
			named := order
			if i%2 == 1 {
				named = backwards
			}
			attempts := 0
			err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
				attempts++
				return db.Lock(ctx, "counters", slices.Clone(named)...)
			})
			if attempts > 1 {
				return fmt.Errorf("%d attempts", attempts)
			}
			return err
		})

		given := slices.Clone(backwards)
		testkit.Write(t, db, func(ctx context.Context) error { return db.Lock(ctx, "counters", given...) })
		assert.Equal(t, backwards, given, "the caller's list stays as it is")
	})
}

// A claim that has no row yet is decided by its name.
func TestLockNameExcludes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)
		together(t, workers, func(worker int) error {
			for claim := range rounds {
				err := db.WithTx(ctx, func(ctx context.Context) error {
					prefix := fmt.Sprintf("claim %d ", claim)
					if err := db.LockName(ctx, prefix); err != nil {
						return err
					}
					taken, err := db.Client.Counter.Query().Where(counter.NameHasPrefix(prefix)).Exist(ctx)
					if err != nil || taken {
						return err
					}
					return createCounter(ctx, db, prefix+fmt.Sprint(worker))
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		n, err := db.Client.Counter.Query().Count(ctx)
		require.NoError(t, err)
		assert.Equal(t, rounds, n, "each claim has one owner")
	})
}

func TestLocksNeedATransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		require.ErrorContains(t, db.Lock(testkit.System(t), "counters", uuid.New()), "WithTx")
		require.ErrorContains(t, db.Share(testkit.System(t), "counters", uuid.New()), "WithTx")
		require.ErrorContains(t, db.LockName(testkit.System(t), "name"), "WithTx")
	})
}
