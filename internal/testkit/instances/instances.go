// Package instances runs the whole program several times in one test process, on one database and one clock.
package instances

import (
	"context"
	"database/sql/driver"
	"io"
	"log/slog"
	"maps"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/testkit"
)

// cheap makes password hashes quick.
var cheap = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

const stopTime = 20 * time.Second

// Instance is one running program.
type Instance struct {
	*app.App
	URL   string
	Clock *clock.Fake // of all instances of the test
	stop  func()
}

// Options change what Start makes.
type Options struct {
	// Settings on top of testkit.Settings.
	Settings map[string]string
	// Log is where the instances log; nil = nowhere.
	Log io.Writer
	// DatabaseURL names a database that stands already; empty = a fresh one.
	DatabaseURL string
	// Clock is that of all instances; nil = a new one.
	Clock *clock.Fake
	// Wrap stands between the database's pool and its driver; see testkit.Faults.
	Wrap func(driver.Connector) driver.Connector
	// IsDoomed tells that the instance may end with an error, as one whose database dies.
	IsDoomed bool
}

// Start starts n instances on one database, each serving on an address of its own until the end of the test. SQLite has one writing process: there all n are the
// same instance.
func Start(tb testing.TB, engine string, n int, opts Options) []*Instance {
	tb.Helper()
	if opts.DatabaseURL == "" {
		opts.DatabaseURL = testkit.URL(tb, engine)
	}
	if opts.Clock == nil {
		opts.Clock = clock.NewFake(testkit.Start)
	}
	all := make([]*Instance, n)
	for i := range all {
		if engine == testkit.SQLite && i > 0 {
			all[i] = all[0]
			continue
		}
		all[i] = start(tb, opts)
	}
	return all
}

func start(tb testing.TB, opts Options) *Instance {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	i := &Instance{URL: "http://" + listener.Addr().String(), Clock: opts.Clock}
	flags := testkit.Settings()
	flags["DATABASE_URL"], flags["PUBLIC_URL"] = opts.DatabaseURL, i.URL
	maps.Copy(flags, opts.Settings)
	cfg, err := config.Load(config.Sources{Flags: flags})
	must(tb, err)
	log := opts.Log
	if log == nil {
		log = io.Discard
	}
	i.App, err = app.New(tb.Context(), cfg, app.Options{
		Clock: opts.Clock, Log: slog.New(slog.NewTextHandler(log, nil)), HashParams: cheap, Wrap: opts.Wrap,
	})
	must(tb, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx, listener) }()
	i.stop = func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil && !opts.IsDoomed {
				tb.Errorf("the instance at %s ended with: %v", i.URL, err)
			}
		case <-time.After(stopTime):
			tb.Errorf("the instance at %s does not stop", i.URL)
		}
	}
	i.stop = sync.OnceFunc(i.stop)
	tb.Cleanup(i.stop)
	return i
}

// Stop ends the instance as an operator does.
func (i *Instance) Stop() { i.stop() }

// Client returns a client without a session.
func (i *Instance) Client(tb testing.TB) *testkit.Client { return testkit.NewClient(tb, i.URL) }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
