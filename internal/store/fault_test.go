package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// answersWithin is how long a caller may be kept waiting by a database that is away.
const answersWithin = 5 * time.Second

// behindProxy opens a PostgreSQL database with a network in front of it that can fail.
func behindProxy(t *testing.T, cfg store.Config) (*store.DB, *testkit.Proxy) {
	t.Helper()
	if !slices.Contains(testkit.Engines(), testkit.Postgres) {
		t.Skip("no PostgreSQL")
	}
	proxy, url := testkit.NewProxy(t, testkit.URL(t, testkit.Postgres))
	cfg.URL = url
	return testkit.OpenURL(t, cfg, clock.NewFake(testkit.Start)), proxy
}

// faults are the ways in which the network fails.
var faults = map[string]func(*testkit.Proxy){
	"BlackHoled": (*testkit.Proxy).Swallow,
	"Stopped":    (*testkit.Proxy).Reset,
	"Delayed":    func(p *testkit.Proxy) { p.Delay(time.Minute) },
}

// operations are what callers do meanwhile.
func operations(db *store.DB) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"query": func(ctx context.Context) error { _, err := db.Client.Counter.Query().All(ctx); return err },
		"count": func(ctx context.Context) error { _, err := db.Client.Counter.Query().Count(ctx); return err },
		"write": func(ctx context.Context) error {
			return db.WithTx(ctx, func(ctx context.Context) error { return createCounter(ctx, db, "lost") })
		},
		"raw": func(ctx context.Context) error { return db.Query(ctx, "test", raw("SELECT 1"), anyRow) },
	}
}

func anyRow(*entsql.Rows) error { return nil }

// requireUnavailable runs every operation at once, several times, and checks that each is answered, and in time.
func requireUnavailable(t *testing.T, times int, operations map[string]func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(testkit.System(t), answersWithin)
	defer cancel()
	var mu sync.Mutex
	answers := map[string]error{}
	together(t, times, func(i int) error {
		var g errgroup.Group
		for name, run := range operations {
			g.Go(func() error {
				err := run(ctx)
				mu.Lock()
				defer mu.Unlock()
				answers[fmt.Sprint(name, " ", i)] = err
				return ctx.Err()
			})
		}
		return g.Wait() // an answer that comes by the caller's own deadline is none
	})
	for name, err := range answers {
		require.Error(t, err, name)
		requireCode(t, err, fault.CodeUnavailable, fault.CodeTimeout)
	}
}

// Each fault is met by every operation, at first with nothing but connections that were good, then once the probe knows.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	for name, fail := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, proxy := behindProxy(t, store.Config{})
			newCounter(t, db, "before")
			fail(proxy)

			requireUnavailable(t, 1, operations(db))
			require.Eventually(t, func() bool { return db.Ready() != nil }, 115*time.Second, 10*time.Millisecond, "the probe notices")
			requireCode(t, db.Ready(), fault.CodeUnavailable)
			for operation, run := range operations(db) {
				started := clock.System{}.Now()
				requireCode(t, run(testkit.System(t)), fault.CodeUnavailable)
				assert.Less(t, clock.System{}.Now().Sub(started), time.Second, "%s is told at once: it does not wait for the network", operation)
			}

			proxy.Normal()
			require.Eventually(t, func() bool { return db.Ready() == nil }, 15*time.Second, 10*time.Millisecond, "the probe notices")
			for operation, run := range operations(db) {
				require.NoError(t, run(testkit.System(t)), operation)
			}
			assert.True(t, hasCounter(t, db, "before"))
		})
	}
}

// More callers than connections: nobody waits for the connection of somebody who waits for the network.
func TestPostgresAwayForMoreCallersThanConnections(t *testing.T) {
	t.Parallel()
	db, proxy := behindProxy(t, store.Config{MaxConns: 2})
	newCounter(t, db, "before")
	proxy.Swallow()
	requireUnavailable(t, workers, operations(db))
	proxy.Normal()
	require.Eventually(t, func() bool { return db.Ready() == nil }, 15*time.Second, 10*time.Millisecond)
	newCounter(t, db, "after")
}

// A statement that is under way when the network fails ends too.
func TestPostgresGoesAwayInAStatement(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"BlackHoled", "Stopped"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, proxy := behindProxy(t, store.Config{StatementTimeout: time.Second})
			time.AfterFunc(200*time.Millisecond, func() { faults[name](proxy) })
			requireUnavailable(t, 1, map[string]func(context.Context) error{
				"statement": func(ctx context.Context) error { return db.Query(ctx, "test", raw("SELECT pg_sleep(0.8)"), anyRow) },
			})
		})
	}
}

// A slow network is not a dead one.
func TestPostgresSlow(t *testing.T) {
	t.Parallel()
	db, proxy := behindProxy(t, store.Config{})
	proxy.Delay(50 * time.Millisecond)
	newCounter(t, db, "slow")
	require.NoError(t, db.Ready())
}

// A server that is away at the start is waited for.
func TestPostgresComesLate(t *testing.T) {
	t.Parallel()
	if !slices.Contains(testkit.Engines(), testkit.Postgres) {
		t.Skip("no PostgreSQL")
	}
	proxy, url := testkit.NewProxy(t, testkit.URL(t, testkit.Postgres))
	proxy.Reset()
	db, err := store.Open(t.Context(), store.Config{URL: url}, clock.NewFake(testkit.Start))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	requireCode(t, db.Ready(), fault.CodeUnavailable)

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.WaitUntilReady(short, func(string) {}), context.DeadlineExceeded)

	said := 0
	time.AfterFunc(300*time.Millisecond, proxy.Normal)
	require.NoError(t, db.WaitUntilReady(t.Context(), func(string) { said++ }))
	assert.Equal(t, 1, said, "said once")
	newCounter(t, db, "late")
}

// The password of the URL is in no message.
func TestBadURLKeepsThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://u:secret@h:port/db", "postgres://u:secret@h/db?sslmode=what", "postgres://u:secret@%zz/db"} {
		_, err := store.Open(t.Context(), store.Config{URL: url}, clock.System{})
		if err == nil {
			err = errors.New("")
		}
		assert.NotContains(t, err.Error(), "secret", url)
		_, err = store.Migrate(t.Context(), url)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret", url)
	}
}
