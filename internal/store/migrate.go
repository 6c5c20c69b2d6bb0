package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/caregraph/caregraph/ent/migrate/migrations"
)

const (
	migrateAttempts = 50
	migratePause    = 200 * time.Millisecond
)

// Migrate brings the schema to the version that this program embeds and renews the triggers, alone: other instances wait. It returns
// the number of migrations that were applied. A database of a newer program is refused.
//
// It uses connections of its own: SQLite tables are rebuilt with foreign keys off, or the rebuild would cascade into the children.
func Migrate(ctx context.Context, url string) (applied int, err error) {
	return migrate(ctx, url, migrations.Files)
}

// migrate tries again while another process has the database to itself; that one may do the work meanwhile.
func migrate(ctx context.Context, url string, folders fs.ReadFileFS) (applied int, err error) {
	for range migrateAttempts {
		applied, err = migrateOnce(ctx, url, folders)
		if !IsRetryable(err) {
			return applied, err
		}
		select {
		case <-ctx.Done():
			return 0, mapError(ctx.Err())
		case <-time.After(migratePause):
		}
	}
	return 0, fmt.Errorf("migrate: another program has the database open: %w", err)
}

func migrateOnce(ctx context.Context, url string, folders fs.ReadFileFS) (applied int, err error) {
	m, err := openMigrator(url, folders)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, m.db.Close()) }()
	if done, err := m.upToDate(ctx); err != nil || done {
		return 0, err
	}
	if err := m.lock(ctx); err != nil {
		return 0, err
	}
	results, err := m.goose.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return len(results), m.renewTriggers(ctx)
}

// IsCurrent tells whether the schema is the one that this program embeds. A database of a newer program is an error.
func IsCurrent(ctx context.Context, url string) (current bool, err error) {
	m, err := openMigrator(url, migrations.Files)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, m.db.Close()) }()
	return m.upToDate(ctx)
}

type migrator struct {
	db      *sql.DB
	goose   *goose.Provider
	engine  string
	trigger string
}

func openMigrator(url string, folders fs.ReadFileFS) (*migrator, error) {
	m := &migrator{engine: "sqlite"}
	gooseDialect, opts := goose.DialectSQLite3, []goose.ProviderOption{}
	var err error
	if IsPostgres(url) {
		m.engine, gooseDialect = dialect.Postgres, goose.DialectPostgres
		dsn, dsnErr := postgresDSN(url, 10*time.Minute)
		if dsnErr != nil {
			return nil, dsnErr
		}
		if m.db, err = connect(dsn, 10*time.Minute, nil); err != nil {
			return nil, err
		}
		locker, lockErr := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if lockErr != nil {
			return nil, lockErr
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	} else if m.db, err = sql.Open("sqlite", sqliteDSN(url, []string{"foreign_keys(0)", "legacy_alter_table(1)", "busy_timeout(1000)", "journal_mode(WAL)", "synchronous(2)"})); err != nil {
		return nil, err
	}
	files, err := fs.Sub(folders, m.engine)
	if err != nil {
		return nil, err
	}
	trigger, err := folders.ReadFile("triggers/" + m.engine + ".sql")
	if err != nil {
		return nil, err
	}
	m.trigger = string(trigger)
	m.goose, err = goose.NewProvider(gooseDialect, m.db, files, opts...)
	return m, err
}

// upToDate tells, without a lock, whether there is nothing to do.
func (m *migrator) upToDate(ctx context.Context) (bool, error) {
	var have int64
	if err := m.db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&have); err != nil {
		return false, unlessMissing(err) // an empty database has no such table
	}
	newest := m.newest()
	if have > newest {
		return false, fmt.Errorf("the database has schema version %d, this program knows %d: run the newer program", have, newest)
	}
	var hash string
	if err := m.db.QueryRowContext(ctx, "SELECT hash FROM caregraph_triggers").Scan(&hash); err != nil {
		return false, unlessMissing(err) // not written yet
	}
	return have == newest && hash == m.triggerHash(), nil
}

// newest returns the version that this program knows.
func (m *migrator) newest() int64 {
	sources := m.goose.ListSources()
	return sources[len(sources)-1].Version
}

// unlessMissing returns err unless it says that there is no such table or row.
func unlessMissing(err error) error {
	var pg *pq.Error
	var lite *sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows),
		errors.As(err, &pg) && pg.Code == "42P01", // undefined_table
		errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_ERROR:
		return nil
	}
	return mapError(err)
}

// lock takes an SQLite file for this process alone, as long as the connection lives; PostgreSQL's lock is goose's and the one of renewTriggers.
func (m *migrator) lock(ctx context.Context) error {
	if m.engine == dialect.Postgres {
		return nil
	}
	m.db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "COMMIT"} {
		if _, err := m.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("lock the database: %w", err)
		}
	}
	return nil
}

// renewTriggers runs the engine's file of triggers, and on SQLite proves that the rebuilt tables still hold together.
func (m *migrator) renewTriggers(ctx context.Context) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("triggers: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	statements := []string{m.trigger, "CREATE TABLE IF NOT EXISTS caregraph_triggers (hash text NOT NULL)", "DELETE FROM caregraph_triggers"}
	if m.engine == dialect.Postgres {
		statements = append([]string{"SELECT pg_advisory_xact_lock(7262371935421)"}, statements...)
	}
	statements = append(statements, "INSERT INTO caregraph_triggers (hash) VALUES ('"+m.triggerHash()+"')")
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("triggers: %w", err)
		}
	}
	if m.engine != dialect.Postgres {
		if err := foreignKeysHold(ctx, tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func foreignKeysHold(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("foreign keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		return errors.New("migrate: rows point to rows that do not exist")
	}
	return rows.Err()
}

// triggerHash names the triggers and the version of the tables that they were made for: a process that dies between a migration, which may
// have dropped triggers, and their renewal leaves an old one.
func (m *migrator) triggerHash() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s", m.newest(), m.trigger))
	return hex.EncodeToString(sum[:])
}
