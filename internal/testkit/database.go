package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
)

// Start is where fake clocks stand: 10:00 on a Wednesday in Brisbane.
var Start = time.Date(2025, time.January, 15, 0, 0, 0, 0, time.UTC)

// Option changes what Each makes.
type Option func(*settings)

type settings struct{ now time.Time }

// At sets the instant at which the clock stands.
func At(now time.Time) Option { return func(s *settings) { s.now = now } }

// Each runs fn once per engine, in parallel, each with a fresh migrated database and a clock of its own.
func Each(t *testing.T, fn func(t *testing.T, db *store.DB, clk *clock.Fake), opts ...Option) {
	t.Helper()
	s := settings{now: Start}
	for _, opt := range opts {
		opt(&s)
	}
	for _, engine := range Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			clk := clock.NewFake(s.now)
			fn(t, Open(t, engine, clk), clk)
		})
	}
}

// Open opens a fresh migrated database, which is closed and gone at the end of the test. It is patient: what many callers at once come to is no matter of
// how slow the machine is. Tests of the deadlines themselves use OpenURL.
func Open(tb testing.TB, engine string, clk clock.Clock) *store.DB {
	tb.Helper()
	return open(tb, URL(tb, engine), clk)
}

// Another opens the database of db as another instance of the program would, and waits as long as Open's.
func Another(tb testing.TB, db *store.DB, clk clock.Clock) *store.DB {
	tb.Helper()
	return open(tb, db.URL(), clk)
}

func open(tb testing.TB, url string, clk clock.Clock) *store.DB {
	tb.Helper()
	return OpenURL(tb, store.Config{URL: url, StatementTimeout: time.Minute, ProbeTimeout: 20 * time.Second}, clk)
}

// OpenURL opens a database that stands already, as another instance of the program would, and closes it at the end of the test.
func OpenURL(tb testing.TB, cfg store.Config, clk clock.Clock) *store.DB {
	tb.Helper()
	db, err := store.Open(context.Background(), cfg, clk)
	must(tb, err)
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	must(tb, db.WaitUntilReady(ctx, func(string) {}))
	return db
}

// URL returns the DATABASE_URL of a fresh migrated database, which is gone at the end of the test; for instances of the program.
func URL(tb testing.TB, engine string) string {
	tb.Helper()
	if engine == Postgres {
		server, err := postgres()
		must(tb, err)
		must(tb, server.template())
		return server.create(tb, server.templateName)
	}
	image, err := sqliteTemplate()
	must(tb, err)
	file := EmptyURL(tb, SQLite)
	must(tb, os.WriteFile(file, image, 0o600))
	return file
}

// EmptyURL returns the DATABASE_URL of a database without tables, which is gone at the end of the test.
func EmptyURL(tb testing.TB, engine string) string {
	tb.Helper()
	if engine == Postgres {
		server, err := postgres()
		must(tb, err)
		return server.create(tb, "template0")
	}
	return filepath.Join(tb.TempDir(), "caregraph.db")
}

// sqliteTemplate is a migrated database file.
var sqliteTemplate = sync.OnceValues(func() (image []byte, err error) {
	dir, err := os.MkdirTemp("", "caregraph-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "template.db")
	if _, err := store.Migrate(context.Background(), file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// server is the PostgreSQL server of this process.
type server struct {
	admin        *sql.DB
	url          string
	cluster      *cluster // nil when the server is not ours
	template     func() error
	templateName string
}

var (
	running  *server
	postgres = sync.OnceValues(func() (*server, error) {
		s := &server{url: os.Getenv("TEST_DATABASE_URL")}
		if s.url == "" {
			c, err := startCluster()
			if err != nil {
				return nil, err
			}
			s.cluster, s.url = c, c.url
		}
		s.template = sync.OnceValue(s.makeTemplate)
		running = s
		var err error
		s.admin, err = sql.Open("postgres", s.url)
		return s, err
	})
)

func stopPostgres() {
	if running == nil {
		return
	}
	if running.cluster != nil {
		running.cluster.stop()
		return
	}
	if running.templateName != "" {
		_, _ = running.admin.Exec("DROP DATABASE IF EXISTS " + running.templateName + " WITH (FORCE)")
	}
	_ = running.admin.Close()
}

// makeTemplate makes the migrated database that others are copied from, once per process: packages that run at the same time on one
// server may come from different states of the sources. Databases that a killed run left behind go with it.
func (s *server) makeTemplate() error {
	s.sweep()
	s.templateName = freshName()
	if _, err := s.admin.Exec("CREATE DATABASE " + s.templateName + " TEMPLATE template0"); err != nil {
		return fmt.Errorf("make the template database: %w", err)
	}
	_, err := store.Migrate(context.Background(), s.urlOf(s.templateName))
	return err
}

const (
	prefix   = "caregraph_test_"
	leftover = time.Hour
)

// freshName holds the time at which the database was made, so that sweep knows what is old.
func freshName() string {
	return prefix + clock.System{}.Now().Format("20060102150405") + "_" + strings.ToLower(rand.Text()[:10])
}

func (s *server) sweep() {
	rows, err := s.admin.Query("SELECT datname FROM pg_database WHERE datname LIKE $1 AND datname < $2",
		prefix+"%", prefix+clock.System{}.Now().Add(-leftover).Format("20060102150405"))
	if err != nil {
		return
	}
	defer func() { _ = rows.Close() }()
	var old []string
	for rows.Next() {
		var name string
		if rows.Scan(&name) == nil {
			old = append(old, name)
		}
	}
	if rows.Err() != nil {
		return
	}
	for _, name := range old {
		_, _ = s.admin.Exec("DROP DATABASE IF EXISTS " + pq.QuoteIdentifier(name)) // one in use stays
	}
}

func (s *server) create(tb testing.TB, template string) string {
	tb.Helper()
	name := freshName()
	_, err := s.admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + template + s.strategy())
	must(tb, err)
	tb.Cleanup(func() {
		if _, err := s.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("drop the database: %v", err)
		}
	})
	return s.urlOf(name)
}

// strategy has files copied instead of pages, five times as fast for a database that is nearly empty; servers before 15 know nothing else.
func (s *server) strategy() string {
	var version int
	if err := s.admin.QueryRow("SELECT current_setting('server_version_num')::int").Scan(&version); err != nil || version < 150_000 {
		return ""
	}
	return " STRATEGY FILE_COPY"
}

func (s *server) urlOf(database string) string {
	u, err := url.Parse(s.url)
	if err != nil {
		panic(err) // the server was reached by it
	}
	u.Path = "/" + database
	return u.String()
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
