package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/lib/pq"  // the driver named "postgres"
	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// engine is a database of this run alone.
type engine struct {
	name     string // sqlite or postgres
	database string // as --database takes it
	drop     func()
}

const dropTimeout = 15 * time.Second

func newSQLite(dir string) engine {
	return engine{name: "sqlite", database: filepath.Join(dir, "bench.db"), drop: func() {}}
}

// newPostgres creates a database on the server of the URL. drop removes it, with whoever is still connected.
func newPostgres(ctx context.Context, server string) (engine, error) {
	u, err := url.Parse(server)
	if err != nil || !isPostgres(server) {
		return engine{}, fmt.Errorf("--postgres (or TEST_DATABASE_URL) must be a URL such as postgres://user@host/postgres")
	}
	db, err := sql.Open("postgres", server)
	if err != nil {
		return engine{}, fmt.Errorf("the PostgreSQL URL cannot be used: %w", err)
	}
	name := fmt.Sprintf("caregraph_bench_%d_%d", os.Getpid(), time.Now().Unix())
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		_ = db.Close()
		return engine{}, fmt.Errorf("cannot create a database on the PostgreSQL server; is it up, and may the user do so? (%w)", err)
	}
	drop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout) // also after an interrupt
		defer cancel()
		if _, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			fmt.Fprintf(os.Stderr, "bench: database %s could not be dropped, please do: %v\n", name, err)
		}
		_ = db.Close()
	}
	u.Path = "/" + name
	return engine{name: "postgres", database: u.String(), drop: drop}, nil
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// openFloor opens the database as the product does: the same durability, pool and wire settings.
func openFloor(database string) (*sql.DB, error) {
	const conns = 12
	driver, dsn := "postgres", database
	if !isPostgres(database) {
		driver = "sqlite"
		dsn = "file:" + database + "?" + url.Values{
			"_pragma":      {"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(5000)", "synchronous(2)", "cache_size(-8000)"},
			"_time_format": {"sqlite"}, "_timezone": {"UTC"}, "_txlock": {"immediate"},
		}.Encode()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("the database cannot be opened: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}
