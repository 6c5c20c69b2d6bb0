package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// retryable returns an error of the engine's own that asks for another attempt, and counts as such.
func retryable(t *testing.T, db *store.DB) error {
	t.Helper()
	if db.Dialect() == testkit.Postgres {
		err := db.Query(testkit.System(t), "test", raw("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"), nil)
		require.Error(t, err)
		require.True(t, store.IsRetryable(err))
		return err
	}
	file := filepath.Join(t.TempDir(), "busy.db")
	open := func() *sql.DB {
		pool, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		return pool
	}
	tx, err := open().Begin()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = open().Begin()
	require.Error(t, err, "one writer at a time")
	require.True(t, store.IsRetryable(err))
	return err
}

// Every attempt starts from nothing: rows, effects and buffers of a failed one are gone.
func TestRetryStartsWithEmptyBuffers(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		again := retryable(t, db)
		attempts, effects, flushed := 0, 0, 0
		require.NoError(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
			attempts++
			require.NoError(t, createCounter(ctx, db, "once"))
			type buffer struct{}
			list, err := store.Buffer(ctx, buffer{}, func() *[]int { return &[]int{} })
			require.NoError(t, err)
			assert.Empty(t, *list)
			*list = append(*list, attempts)
			store.AfterCommit(ctx, func(context.Context) { effects++ })
			return store.BeforeCommit(ctx, func(context.Context) error {
				flushed++
				if attempts < 3 {
					return again
				}
				return nil
			})
		}))
		assert.Equal(t, 3, attempts)
		assert.Equal(t, 3, flushed, "one flush per attempt")
		assert.Equal(t, 1, effects)
		assert.True(t, hasCounter(t, db, "once"))
	})
}

// Only the outermost call is repeated, with what is around the joined one.
func TestRetryRepeatsTheOutermostCall(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		again := retryable(t, db)
		outer, inner := 0, 0
		require.NoError(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
			outer++
			return db.WithTx(ctx, func(context.Context) error {
				if inner++; inner == 1 {
					return again
				}
				return nil
			})
		}))
		assert.Equal(t, 2, outer)
		assert.Equal(t, 2, inner)
	})
}

func TestRetryIsBounded(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		again := retryable(t, db)
		attempts := 0
		err := db.WithTx(testkit.System(t), func(context.Context) error { attempts++; return again })
		requireCode(t, err, fault.CodeUnavailable)
		assert.Equal(t, store.MaxAttempts, attempts)

		attempts = 0
		require.ErrorIs(t, db.WithTx(testkit.System(t), func(context.Context) error { attempts++; return errRefused }), errRefused)
		assert.Equal(t, 1, attempts, "other errors are not repeated")

		ctx, cancel := context.WithCancel(testkit.System(t))
		attempts = 0
		err = db.WithTx(ctx, func(context.Context) error { attempts++; cancel(); return again })
		requireCode(t, err, fault.CodeTimeout)
		assert.Equal(t, 1, attempts, "nobody waits any more")
	})
}

// Whether the pool rolls back first or the commit sees that nobody waits any more: it is the same refusal.
func TestACommitThatComesTooLateTimesOut(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		for n := range 50 {
			ctx, cancel := context.WithCancel(testkit.System(t))
			err := db.WithTx(ctx, func(context.Context) error {
				cancel()
				for range n * 100 {
					runtime.Gosched() // so that the pool is sometimes first
				}
				return nil
			})
			requireCode(t, err, fault.CodeTimeout)
		}
	})
}

// Real serialization failures: two transactions read one snapshot, then both change the row.
func TestRetryOnSerializationFailure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			t.Skip("write transactions are alone on SQLite")
		}
		row := newCounter(t, db, "balance")
		meetOnce, attempts := meeting(2), atomic.Int64{}
		together(t, 2, func(i int) error {
			return db.WithTx(testkit.System(t), func(ctx context.Context) error {
				attempts.Add(1)
				if _, err := db.Exec(ctx, "test", raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")); err != nil {
					return err
				}
				now, err := db.Client.Counter.Get(ctx, row.ID)
				if err != nil {
					return err
				}
				meetOnce(i)
				return now.Update().SetValue(now.Value + 1).Exec(ctx)
			})
		})
		got, err := db.Client.Counter.Get(testkit.System(t), row.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 2, got.Value)
		assert.Greater(t, attempts.Load(), int64(2), "one of them was repeated")
	})
}

// meeting returns a function whose first call by each of n callers waits for those of all others.
func meeting(n int) func(caller int) {
	var all sync.WaitGroup
	all.Add(n)
	came := make([]bool, n)
	return func(caller int) {
		if !came[caller] {
			came[caller] = true
			all.Done()
			all.Wait()
		}
	}
}

// A real deadlock: two transactions take two rows in opposite order, each the first before either its second.
func TestRetryOnDeadlock(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			t.Skip("write transactions are alone on SQLite")
		}
		a, b := newCounter(t, db, "a"), newCounter(t, db, "b")
		var attempts, effects atomic.Int64
		meetOnce := meeting(2)
		together(t, 2, func(i int) error {
			rows := [][]*ent.Counter{{a, b}, {b, a}}[i]
			return db.WithTx(testkit.System(t), func(ctx context.Context) error {
				attempts.Add(1)
				store.AfterCommit(ctx, func(context.Context) { effects.Add(1) })
				if err := rows[0].Update().AddValue(1).Exec(ctx); err != nil {
					return err
				}
				meetOnce(i)
				return rows[1].Update().AddValue(1).Exec(ctx)
			})
		})
		got, err := db.Client.Counter.Get(testkit.System(t), a.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 2, got.Value)
		assert.Greater(t, attempts.Load(), int64(2), "one of them was chosen to go back")
		assert.EqualValues(t, 2, effects.Load())
	})
}

// A real busy file: another process holds it longer than a writer waits.
func TestRetryOnBusy(t *testing.T) {
	testkit.Long(t)
	t.Parallel()
	url := testkit.URL(t, testkit.SQLite)
	clk := clock.NewFake(testkit.Start)
	db, other := testkit.OpenURL(t, store.Config{URL: url}, clk), testkit.OpenURL(t, store.Config{URL: url}, clk)
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- other.WithTx(testkit.System(t), func(ctx context.Context) error {
			close(held)
			<-release
			return createCounter(ctx, other, "other")
		})
	}()
	<-held
	time.AfterFunc(6*time.Second, func() { close(release) }) // a writer waits five
	testkit.Write(t, db, func(ctx context.Context) error { return createCounter(ctx, db, "mine") })
	require.NoError(t, <-done)
	assert.True(t, hasCounter(t, db, "other"))
}
