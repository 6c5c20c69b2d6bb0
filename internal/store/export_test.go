package store

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
