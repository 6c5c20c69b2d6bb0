package store

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// recursive_triggers is what makes REPLACE meet the triggers that keep rows from being deleted.
var sqlitePragmas = []string{"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(5000)", "cache_size(-8000)", "recursive_triggers(1)"}

// sqliteDSN turns a path, a file: name or an sqlite:// URL into the driver's form with the pragmas of every connection.
func sqliteDSN(name string, pragmas []string) string {
	name = strings.TrimPrefix(name, "sqlite://")
	if !strings.HasPrefix(name, "file:") {
		name = "file:" + (&url.URL{Path: name}).EscapedPath()
	}
	// Instants are compared as texts: all are written, asked for and read in one zone.
	q := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}, "_time_format": {"sqlite"}, "_timezone": {"UTC"}}
	separator := "?"
	if strings.Contains(name, "?") {
		separator = "&"
	}
	return name + separator + q.Encode()
}

// sqliteConnector opens connections to one database.
type sqliteConnector struct {
	driver sqldriver.Driver
	dsn    string
}

// Connect implements sqldriver.Connector.
func (c sqliteConnector) Connect(context.Context) (sqldriver.Conn, error) {
	return c.driver.Open(c.dsn)
}

// Driver implements sqldriver.Connector.
func (c sqliteConnector) Driver() sqldriver.Driver { return c.driver }

// openSQLite opens the file and asserts the settings that durability and integrity rest on.
func openSQLite(ctx context.Context, cfg Config) (*sql.DB, error) {
	synchronous := "2"
	if cfg.IsScratch {
		synchronous = "0"
	}
	dsn := sqliteDSN(cfg.URL, append([]string{"synchronous(" + synchronous + ")"}, sqlitePragmas...))
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the SQLite database: %w", err)
	}
	if cfg.Wrap != nil {
		db = sql.OpenDB(cfg.Wrap(sqliteConnector{db.Driver(), dsn})) // the first one has opened nothing yet
	}
	for pragma, want := range map[string]string{"foreign_keys": "1", "journal_mode": "wal", "synchronous": synchronous} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil { // #nosec G202 -- names of our own
			_ = db.Close()
			return nil, fmt.Errorf("open the SQLite database: %w", err)
		}
		if got != want {
			_ = db.Close()
			return nil, fmt.Errorf("the SQLite database has %s=%s where %s is needed; is the folder on a file system that supports it?", pragma, got, want)
		}
	}
	return db, nil
}
