package testkit_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/caregraph/caregraph/internal/testkit"
)

type sqliteConnector struct{ file string }

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	return (&sqlite.Driver{}).Open("file:" + c.file + "?_pragma=busy_timeout(5000)&_txlock=immediate")
}

func (c sqliteConnector) Driver() driver.Driver { return &sqlite.Driver{} }

// pools opens a database of one table twice: once through the faults, once as the one who looks after.
func pools(t *testing.T, engine string) (faults *testkit.Faults, through, beside *sql.DB) {
	t.Helper()
	var connector driver.Connector
	url := testkit.EmptyURL(t, engine)
	if connector = (sqliteConnector{url}); engine == testkit.Postgres {
		var err error
		connector, err = pq.NewConnector(url)
		require.NoError(t, err)
	}
	faults = &testkit.Faults{}
	through, beside = sql.OpenDB(faults.Wrap(connector)), sql.OpenDB(connector)
	t.Cleanup(func() { require.NoError(t, errors.Join(through.Close(), beside.Close())) })
	_, err := beside.Exec("CREATE TABLE t (n INTEGER)")
	require.NoError(t, err)
	return faults, through, beside
}

// insertTwice writes two rows in one transaction: three writes with the commit.
func insertTwice(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("INSERT INTO t VALUES ($1)", 1); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow("INSERT INTO t VALUES (2) RETURNING n").Scan(&n); err != nil {
		return err
	}
	return tx.Commit()
}

func rowsOf(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT count(*) FROM t").Scan(&n))
	return n
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			faults, through, beside := pools(t, engine)
			boom := errors.New("boom")

			faults.Watch()
			require.NoError(t, insertTwice(through))
			require.Equal(t, []string{"INSERT INTO t VALUES ($1)", "INSERT INTO t VALUES (2) RETURNING n", "COMMIT"}, faults.Seen())
			require.Equal(t, 2, rowsOf(t, beside))

			for n := 1; n <= 3; n++ {
				faults.FailAt(n, boom)
				require.ErrorIs(t, insertTwice(through), boom)
				require.Len(t, faults.Seen(), n)
				require.Equal(t, 2, rowsOf(t, beside), "the transaction does not stand")
			}
			require.NoError(t, insertTwice(through), "once")
			require.Equal(t, 4, rowsOf(t, beside))

			faults.FailAt(1, boom)
			require.Equal(t, 4, rowsOf(t, through), "reads pass")
			require.False(t, faults.Dead())
		})
	}
}

func TestFaults_Kill(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		for _, tc := range []struct {
			name string
			kill func(f *testkit.Faults)
			rows int
		}{
			{"BeforeTheSecond", func(f *testkit.Faults) { f.KillBefore(2) }, 0},
			{"AfterTheSecond", func(f *testkit.Faults) { f.KillAfter(2) }, 0},
			{"BeforeTheCommit", func(f *testkit.Faults) { f.KillBefore(3) }, 0},
			{"AfterTheCommit", func(f *testkit.Faults) { f.KillAfter(3) }, 2},
		} {
			t.Run(engine+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				faults, through, beside := pools(t, engine)
				tc.kill(faults)
				require.ErrorIs(t, insertTwice(through), testkit.ErrKilled)
				require.True(t, faults.Dead())
				require.ErrorIs(t, insertTwice(through), testkit.ErrKilled)
				require.ErrorIs(t, through.Ping(), testkit.ErrKilled)
				require.Equal(t, tc.rows, rowsOf(t, beside))
				_, err := beside.Exec("INSERT INTO t VALUES (3)")
				require.NoError(t, err, "no lock stays behind")
			})
		}
	}
}
