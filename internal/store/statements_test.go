package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// selects asks with a text of its own for number i.
func selects(ctx context.Context, db *store.DB, i int) error {
	var got int
	err := db.Query(ctx, "test", raw(fmt.Sprintf("SELECT %d", i)), func(row *entsql.Rows) error { return row.Scan(&got) })
	if err == nil && got != i {
		return fmt.Errorf("asked for %d, got %d", i, got)
	}
	return err
}

// More texts than the cache holds, from many sides: each is answered, and the cache stays bounded although entries go while in use.
func TestStatementCacheIsBounded(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)
		together(t, workers, func(worker int) error {
			for i := range 2 * store.MaxStatements / workers {
				if err := selects(ctx, db, worker+i*workers); err != nil {
					return err
				}
				if err := selects(ctx, db, i%7); err != nil {
					return err
				}
			}
			return nil
		})
		assert.Equal(t, store.MaxStatements, db.CachedStatements())
	})
}

// A statement that the cache closes between its finding and its use is prepared again.
func TestStatementsThatAreClosedMeanwhile(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx, cancel := context.WithCancel(testkit.System(t))
		defer cancel()
		together(t, 5, func(worker int) error {
			if worker == 0 {
				for ctx.Err() == nil {
					db.ForgetStatements()
				}
				return nil
			}
			defer cancel()
			for range 2000 {
				if err := selects(testkit.System(t), db, 1); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// A transaction that meets a new text holds a connection already: with a small pool it must not wait for another one.
func TestStatementsInTransactionsDoNotExhaustThePool(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, engine), MaxConns: 2}, clock.NewFake(testkit.Start))
			ctx, cancel := context.WithTimeout(testkit.System(t), 30*time.Second)
			defer cancel()
			together(t, workers, func(worker int) error {
				for round := range rounds {
					err := db.WithTx(ctx, func(ctx context.Context) error {
						for i := range 5 {
							if err := selects(ctx, db, worker*1000+round*10+i); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
			assert.LessOrEqual(t, db.Stats().OpenConnections, 2)
		})
	}
}

// A text that transactions use is prepared in the background and serves them from then on.
func TestStatementsOfTransactionsArePrepared(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		require.Eventually(t, func() bool {
			testkit.Write(t, db, func(ctx context.Context) error { return selects(ctx, db, 4711) })
			return db.IsCached("SELECT 4711")
		}, 10*time.Second, time.Millisecond)
		testkit.Write(t, db, func(ctx context.Context) error { return selects(ctx, db, 4711) })
	})
}

// A prepared statement outlives a change of its table, in and outside of transactions.
func TestStatementsSurviveAlterTable(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		row := newCounter(t, db, "there")
		get := func(ctx context.Context) error {
			got, err := db.Client.Counter.Query().Where(counter.ID(row.ID)).Only(ctx)
			if err == nil && got.Name != "there" {
				return fmt.Errorf("read %v", got)
			}
			return err
		}
		inTransactions := func() {
			for range 3 {
				testkit.Write(t, db, get)
			}
		}
		alter := []string{"ALTER TABLE counters ADD COLUMN more text", "ALTER TABLE counters DROP COLUMN more"}
		if db.Dialect() == testkit.Postgres { // changes the type of a column that ent reads
			alter = []string{"ALTER TABLE counters ALTER COLUMN value TYPE integer", "ALTER TABLE counters ALTER COLUMN value TYPE bigint"}
		}

		require.NoError(t, get(testkit.System(t))) // prepared
		inTransactions()
		execute(t, db, alter[0])
		require.NoError(t, get(testkit.System(t)))
		inTransactions()
		execute(t, db, alter[1])
		inTransactions()
		require.NoError(t, get(testkit.System(t)))
	})
}
