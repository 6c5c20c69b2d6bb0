package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// The tests write counters: rows without parents.

func createCounter(ctx context.Context, db *store.DB, name string) error {
	return db.Client.Counter.Create().SetName(name).SetValue(0).Exec(ctx)
}

func newCounter(t *testing.T, db *store.DB, name string) (row *ent.Counter) {
	t.Helper()
	testkit.Write(t, db, func(ctx context.Context) (err error) {
		row, err = db.Client.Counter.Create().SetName(name).SetValue(0).Save(ctx)
		return err
	})
	return row
}

func hasCounter(t *testing.T, db *store.DB, name string) bool {
	t.Helper()
	found, err := db.Client.Counter.Query().Where(counter.Name(name)).Exist(testkit.System(t))
	require.NoError(t, err)
	return found
}

// raw is a statement without arguments.
type raw string

func (r raw) Query() (string, []any) { return string(r), nil }

// execute runs a raw statement in a transaction of its own.
func execute(t *testing.T, db *store.DB, statement string) {
	t.Helper()
	testkit.Write(t, db, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "test", raw(statement))
		return err
	})
}

// texts returns the rows of a raw query, which has one column.
func texts(t *testing.T, db *store.DB, query string) (list []string) {
	t.Helper()
	require.NoError(t, db.Query(testkit.System(t), "test", raw(query), func(row *entsql.Rows) error {
		var text string
		err := row.Scan(&text)
		list = append(list, text)
		return err
	}))
	return list
}

// requireCode checks that err is an outcome with the code, and that its message tells nothing of the database.
func requireCode(t *testing.T, err error, codes ...fault.Code) {
	t.Helper()
	var outcome *fault.Error
	require.Truef(t, errors.As(err, &outcome), "no outcome: %v", err)
	require.Contains(t, codes, outcome.Code, "%v: %v", err, outcome.Unwrap())
	require.NotRegexp(t, `(?i)sql|pq:|select|insert|begin|tcp|127\.0\.0\.1|/tmp|timeout:|connection|database`, outcome.Message)
}

// What is acknowledged is on the disk, but for a database that goes with the program.
func TestOpen_SQLiteWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	for isScratch, want := range map[bool]int{false: 2, true: 0} {
		db, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "x.db"), IsScratch: isScratch}, clock.NewFake(testkit.Start))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		got := -1
		require.NoError(t, db.Query(testkit.System(t), "pragma", pragma("PRAGMA synchronous"), func(row *entsql.Rows) error { return row.Scan(&got) }))
		require.Equal(t, want, got, "scratch: %t", isScratch)
	}
}

type pragma string

func (p pragma) Query() (string, []any) { return string(p), nil }
