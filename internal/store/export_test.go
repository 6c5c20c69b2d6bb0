package store

import (
	"context"
	"errors"
	"io/fs"
)

// What tests see of the inside.

// MapError gives driver errors their place in the taxonomy.
var MapError = mapError

// MaxStatements bounds the cache of prepared statements.
const MaxStatements = maxStatements

// MaxAttempts bounds the retries of a transaction.
const MaxAttempts = maxAttempts

// CachedStatements returns how many statements are prepared.
func (db *DB) CachedStatements() int { return db.driver.statements.cache.Len() }

// IsCached tells whether a statement of this text is prepared.
func (db *DB) IsCached(query string) bool { return db.driver.statements.cache.Contains(query) }

// ForgetStatements closes all prepared statements.
func (db *DB) ForgetStatements() { db.driver.statements.cache.Purge() }

// MigrateFrom is Migrate with other files than those that the program embeds.
var MigrateFrom = migrate

// MigrateWithoutTriggers applies the migrations and ends before the triggers are renewed, as a process that is killed does.
func MigrateWithoutTriggers(ctx context.Context, url string, folders fs.ReadFileFS) error {
	m, err := openMigrator(url, folders)
	if err != nil {
		return err
	}
	_, err = m.goose.Up(ctx)
	return errors.Join(err, m.db.Close())
}
