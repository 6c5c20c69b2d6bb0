package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

var errRefused = errors.New("refused")

func TestWithTx(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)

		t.Run("Commits", func(t *testing.T) {
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
				assert.True(t, store.InTx(ctx))
				return createCounter(ctx, db, "commits")
			}))
			assert.False(t, store.InTx(ctx))
			assert.True(t, hasCounter(t, db, "commits"))
		})
		t.Run("RollsBackOnError", func(t *testing.T) {
			err := db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, createCounter(ctx, db, "error"))
				return errRefused
			})
			require.ErrorIs(t, err, errRefused)
			assert.False(t, hasCounter(t, db, "error"))
		})
		t.Run("RollsBackOnPanic", func(t *testing.T) {
			require.PanicsWithValue(t, "stop", func() {
				_ = db.WithTx(ctx, func(ctx context.Context) error {
					require.NoError(t, createCounter(ctx, db, "panic"))
					panic("stop")
				})
			})
			assert.False(t, hasCounter(t, db, "panic"))
			require.Eventually(t, func() bool { return db.Stats().InUse == 0 }, 15*time.Second, time.Millisecond, "the connection is free again")
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error { return createCounter(ctx, db, "after panic") }), "the next writer is let in")
		})
		t.Run("RowsOfTheTransactionServeAfterIt", func(t *testing.T) {
			doctor := testkit.Practitioner(t, db)
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) (err error) {
				doctor, err = db.Client.Practitioner.Get(ctx, doctor.ID)
				return err
			}))
			user, err := doctor.QueryUser().Only(ctx)
			require.NoError(t, err)
			assert.Equal(t, doctor.UserID, user.ID)
		})
		t.Run("WithoutTxReadsWhatIsCommitted", func(t *testing.T) {
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, createCounter(ctx, db, "uncommitted"))
				inside, err := db.Client.Counter.Query().Where(counter.Name("uncommitted")).Exist(ctx)
				require.NoError(t, err)
				outside, err := db.Client.Counter.Query().Where(counter.Name("uncommitted")).Exist(store.WithoutTx(ctx))
				require.NoError(t, err)
				assert.True(t, inside)
				assert.False(t, outside)
				return nil
			}))
		})
		t.Run("EndedContext", func(t *testing.T) {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			requireCode(t, db.WithTx(ended, func(context.Context) error { return nil }), fault.CodeTimeout)
		})
	})
}

func TestWithTxJoins(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)

		t.Run("SharesTheTransaction", func(t *testing.T) {
			err := db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error { return createCounter(ctx, db, "inner") }))
				found, err := db.Client.Counter.Query().Where(counter.Name("inner")).Exist(ctx)
				require.NoError(t, err)
				assert.True(t, found)
				return errRefused
			})
			require.ErrorIs(t, err, errRefused)
			assert.False(t, hasCounter(t, db, "inner"), "a joined call does not commit")
		})
		t.Run("SwallowedErrorDoomsTheOuter", func(t *testing.T) {
			err := db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, createCounter(ctx, db, "doomed"))
				_ = db.WithTx(ctx, func(context.Context) error { return errRefused })
				ran := false
				require.ErrorIs(t, db.WithTx(ctx, func(context.Context) error { ran = true; return nil }), errRefused)
				assert.False(t, ran, "nothing joins a doomed transaction")
				return nil
			})
			require.ErrorIs(t, err, errRefused)
			assert.False(t, hasCounter(t, db, "doomed"))
		})
		t.Run("RecoveredPanicDoomsTheOuter", func(t *testing.T) {
			err := db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, createCounter(ctx, db, "recovered"))
				func() {
					defer func() { _ = recover() }()
					_ = db.WithTx(ctx, func(context.Context) error { panic("stop") })
				}()
				return nil
			})
			require.Error(t, err)
			assert.False(t, hasCounter(t, db, "recovered"))
		})
		t.Run("FailedStatementDoomsThePostgresTransaction", func(t *testing.T) {
			newCounter(t, db, "twice")
			err := db.WithTx(ctx, func(ctx context.Context) error {
				require.Error(t, createCounter(ctx, db, "twice"))
				return nil
			})
			assert.Equal(t, db.Dialect() == testkit.Postgres, err != nil, "%v", err)
		})
	})
}

func TestAfterCommit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)

		t.Run("RunsInOrderOnceCommitted", func(t *testing.T) {
			var order []string
			cancellable, cancel := context.WithCancel(ctx)
			require.NoError(t, db.WithTx(cancellable, func(ctx context.Context) error {
				store.AfterCommit(ctx, func(ctx context.Context) {
					order = append(order, "first")
					assert.False(t, store.InTx(ctx))
					assert.True(t, hasCounter(t, db, "effect"))
					cancel()
				})
				require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
					store.AfterCommit(ctx, func(ctx context.Context) {
						order = append(order, "of a joined call")
						assert.NoError(t, ctx.Err(), "effects outlive the caller")
					})
					return nil
				}))
				assert.Empty(t, order)
				return createCounter(ctx, db, "effect")
			}))
			assert.Equal(t, []string{"first", "of a joined call"}, order)
		})
		t.Run("NotAfterRollback", func(t *testing.T) {
			for name, fn := range map[string]func(context.Context) error{
				"error": func(context.Context) error { return errRefused },
				"swallowed error": func(ctx context.Context) error {
					_ = db.WithTx(ctx, func(context.Context) error { return errRefused })
					return nil
				},
				"before commit": func(ctx context.Context) error {
					return store.BeforeCommit(ctx, func(context.Context) error { return errRefused })
				},
			} {
				require.ErrorIs(t, db.WithTx(ctx, func(ctx context.Context) error {
					store.AfterCommit(ctx, func(context.Context) { t.Error("ran after a rollback: " + name) })
					return fn(ctx)
				}), errRefused, name)
			}
		})
		t.Run("AtOnceWithoutATransaction", func(t *testing.T) {
			ran := false
			store.AfterCommit(ctx, func(context.Context) { ran = true })
			assert.True(t, ran)
		})
	})
}

func TestBeforeCommit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)

		t.Run("RunsLastInOrderAndMayPutOffMore", func(t *testing.T) {
			var order []string
			note := func(name string) func(context.Context) error {
				return func(ctx context.Context) error {
					order = append(order, name)
					return createCounter(ctx, db, name)
				}
			}
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, store.BeforeCommit(ctx, func(ctx context.Context) error {
					require.NoError(t, store.BeforeCommit(ctx, note("third")))
					return note("first")(ctx)
				}))
				require.NoError(t, store.BeforeCommit(ctx, note("second")))
				assert.Empty(t, order)
				return nil
			}))
			assert.Equal(t, []string{"first", "second", "third"}, order)
			assert.True(t, hasCounter(t, db, "third"))
		})
		t.Run("NotWhenTheCallFails", func(t *testing.T) {
			require.ErrorIs(t, db.WithTx(ctx, func(ctx context.Context) error {
				require.NoError(t, store.BeforeCommit(ctx, func(context.Context) error { t.Error("ran"); return nil }))
				return errRefused
			}), errRefused)
		})
		t.Run("NeedsATransaction", func(t *testing.T) {
			require.Error(t, store.BeforeCommit(ctx, func(context.Context) error { return nil }))
		})
	})
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		ctx := testkit.System(t)
		type key struct{}
		made := 0
		create := func() *[]string { made++; return &[]string{} }

		for range 2 {
			require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error {
				for _, text := range []string{"a", "b"} {
					list, err := store.Buffer(ctx, key{}, create)
					require.NoError(t, err)
					*list = append(*list, text)
				}
				list, err := store.Buffer(ctx, key{}, create)
				require.NoError(t, err)
				assert.Equal(t, []string{"a", "b"}, *list)

				_, err = store.Buffer(ctx, key{}, func() int { return 0 })
				require.Error(t, err, "one key, two types")
				return nil
			}))
		}
		assert.Equal(t, 2, made, "once per transaction")
		_, err := store.Buffer(ctx, key{}, create)
		require.Error(t, err, "outside a transaction")
	})
}

func TestWritesNeedATransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		row := newCounter(t, db, "there")
		ctx := testkit.System(t)
		for name, write := range map[string]func() error{
			"create": func() error { return createCounter(ctx, db, "new") },
			"create many": func() error {
				return db.Client.Counter.CreateBulk(db.Client.Counter.Create().SetName("new").SetValue(1)).Exec(ctx)
			},
			"update one": func() error { return row.Update().SetValue(1).Exec(ctx) },
			"update":     func() error { return db.Client.Counter.Update().SetValue(1).Exec(ctx) },
			"delete one": func() error { return db.Client.Counter.DeleteOne(row).Exec(ctx) },
			"delete":     func() error { _, err := db.Client.Counter.Delete().Exec(ctx); return err },
			"raw":        func() error { _, err := db.Exec(ctx, "test", raw("DELETE FROM counters")); return err },
			"ent's own":  func() error { _, err := db.Client.Tx(ctx); return err },
		} {
			require.ErrorContains(t, write(), "WithTx", name)
		}
		rows, err := db.Client.Counter.Query().All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Zero(t, rows[0].Value)
	})
}

func TestCountRoundTrips(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		var n atomic.Int64
		ctx := store.CountRoundTrips(testkit.System(t), &n)
		_, err := db.Client.Counter.Query().All(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n.Load())
		require.NoError(t, db.WithTx(ctx, func(ctx context.Context) error { return createCounter(ctx, db, "one") }))
		assert.EqualValues(t, 4, n.Load(), "begin, insert, commit")
	})
}
