package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/clock"
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
		require.ErrorContains(t, db.LockName(testkit.System(t), "name"), "WithTx")
	})
}
