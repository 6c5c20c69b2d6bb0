package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/migrate/migrations"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Several starts at once on an empty database all succeed, those too that find the first one at work already, and the work is done once.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.EmptyURL, func(t *testing.T, _, url string) {
		applied := make(chan int, 5)
		together(t, cap(applied), func(i int) error {
			n, err := store.Migrate(t.Context(), url)
			if err != nil {
				return err
			}
			applied <- n
			db, err := store.Open(t.Context(), store.Config{URL: url, MaxConns: 2}, clock.System{})
			if err != nil {
				return err
			}
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			return db.WithTx(testkit.System(t), func(ctx context.Context) error { return createCounter(ctx, db, fmt.Sprint("start ", i)) })
		})
		close(applied)
		total := 0
		for n := range applied {
			total += n
		}
		once, err := fs.Glob(migrations.Files, "sqlite/*.sql")
		require.NoError(t, err)
		assert.Len(t, once, total)
	})
}

// A file that another program has open is waited for, and once that one has done the work, it need not be closed.
func TestMigrateWaitsForOtherPrograms(t *testing.T) {
	t.Parallel()
	const old = "UPDATE caregraph_triggers SET hash = 'old' || hash"
	start := func(t *testing.T) (other *sql.DB, done chan error) {
		url := testkit.URL(t, testkit.SQLite)
		other, err := sql.Open("sqlite", url)
		require.NoError(t, err)
		_, err = other.Exec(old)
		require.NoError(t, err)
		done = make(chan error, 1)
		go func() {
			_, err := store.Migrate(t.Context(), url)
			done <- err
		}()
		select {
		case err := <-done:
			require.Fail(t, "did not wait", "%v", err)
		case <-time.After(1500 * time.Millisecond): // longer than one try
		}
		return other, done
	}
	t.Run("UntilClosed", func(t *testing.T) {
		t.Parallel()
		other, done := start(t)
		require.NoError(t, other.Close())
		require.NoError(t, <-done)
	})
	t.Run("UntilCurrent", func(t *testing.T) {
		t.Parallel()
		other, done := start(t)
		defer func() { require.NoError(t, other.Close()) }()
		_, err := other.Exec("PRAGMA busy_timeout = 5000")
		require.NoError(t, err)
		_, err = other.Exec("UPDATE caregraph_triggers SET hash = substr(hash, 4)")
		require.NoError(t, err)
		require.NoError(t, <-done)
	})
}

const migrateURL = "CAREGRAPH_TEST_MIGRATE_URL"

// TestMigrateProcess is what the processes of TestMigrateInProcessesAtOnce run.
func TestMigrateProcess(t *testing.T) {
	url := os.Getenv(migrateURL)
	if url == "" {
		t.Skip("run by TestMigrateInProcessesAtOnce")
	}
	_, err := store.Migrate(t.Context(), url)
	require.NoError(t, err)
}

func TestMigrateInProcessesAtOnce(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	eachURL(t, testkit.EmptyURL, func(t *testing.T, _, url string) {
		together(t, 5, func(int) error {
			c := exec.Command(program, "-test.run=^TestMigrateProcess$")
			c.Env = append(os.Environ(), migrateURL+"="+url)
			out, err := c.CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
		newCounter(t, testkit.OpenURL(t, store.Config{URL: url}, clock.NewFake(testkit.Start)), "works")
	})
}
