package store

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
)

// Config says which database to open and how patient to be with it.
type Config struct {
	// URL is postgres://..., or a path or file: name of an SQLite database.
	URL string
	// StatementTimeout bounds one statement on PostgreSQL; 0 = 3.5 s. A dead network ends it half a second later.
	StatementTimeout time.Duration
	// ProbeTimeout is how late the answer to a probe of PostgreSQL may come; 0 = 0.8 s. After two late ones the database counts as away.
	ProbeTimeout time.Duration
	// MaxConns bounds the connection pool; 0 = 12.
	MaxConns int
	// IsScratch is for an SQLite database that nobody wants to keep: it does not wait for the disk.
	IsScratch bool
	// Wrap may stand between the pool and the driver, for tests that make writes fail; nil = nothing does.
	Wrap func(sqldriver.Connector) sqldriver.Connector
}

// DB is an open database. Its Client reads and writes inside the transaction that ctx carries, if any.
type DB struct {
	Client  *ent.Client
	Clock   clock.Clock
	sql     *sql.DB
	driver  *driver
	dialect string
	url     string
	writer  chan struct{} // SQLite has one writer: waiting here is fair and costs nothing
	breaker *breaker
	ids     ids.Generator
}

// IsPostgres tells whether the URL names a PostgreSQL database.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// Open opens the database without waiting for it: a PostgreSQL server that is away answers UNAVAILABLE until it is back. It does not
// migrate; see Migrate. Close releases it.
func Open(ctx context.Context, cfg Config, clk clock.Clock) (*DB, error) {
	if cfg.StatementTimeout == 0 {
		cfg.StatementTimeout = 3500 * time.Millisecond
	}
	if cfg.ProbeTimeout == 0 {
		cfg.ProbeTimeout = 800 * time.Millisecond
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = 12
	}
	db := &DB{Clock: clk, url: cfg.URL, breaker: &breaker{}}
	var err error
	var probes *sql.DB
	if IsPostgres(cfg.URL) {
		db.dialect = dialect.Postgres
		db.sql, probes, err = openPostgres(cfg)
	} else {
		db.dialect = dialect.SQLite
		db.writer = make(chan struct{}, 1)
		db.sql, err = openSQLite(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	db.sql.SetMaxOpenConns(cfg.MaxConns)
	db.sql.SetMaxIdleConns(cfg.MaxConns)
	db.driver = newDriver(db) //nolint:contextcheck // it prepares statements in the background until Close
	db.Client = ent.NewClient(ent.Driver(db.driver))
	access.Install(db.Client, db.driver, clk)
	db.Client.Use(db.stamp)
	db.breaker.start(db, probes, cfg) //nolint:contextcheck // it probes in the background until Close
	return db, nil
}

// Close ends the probe and closes all connections.
func (db *DB) Close() error {
	db.breaker.stop()
	db.driver.statements.close()
	return db.sql.Close()
}

// Dialect names the engine: dialect.Postgres or dialect.SQLite.
func (db *DB) Dialect() string { return db.dialect }

// URL is what the database was opened with, secrets included.
func (db *DB) URL() string { return db.url }

// Build returns ent's statement builder for the engine, for raw statements.
func (db *DB) Build() *entsql.DialectBuilder { return entsql.Dialect(db.dialect) }

// Ready tells, without touching the database, whether the last probe reached it.
func (db *DB) Ready() error { return db.breaker.err() }

// Stats returns the state of the connection pool.
func (db *DB) Stats() sql.DBStats { return db.sql.Stats() }

// Now returns the present instant of the injected clock.
func (db *DB) Now() time.Time { return db.Clock.Now() }

// WaitUntilReady returns once a probe has reached the database, telling progress through say, or when ctx ends.
func (db *DB) WaitUntilReady(ctx context.Context, say func(string)) error {
	said := false
	for db.Ready() != nil {
		if !said {
			say("waiting for the database")
			said = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the database did not answer: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}
