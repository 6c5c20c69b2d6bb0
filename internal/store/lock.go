package store

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
)

// exclusive is the lock of who may change rows. It does not keep others from writing rows that refer to these, as FOR UPDATE would: who writes a message
// refers to the patient and holds the room, and whoever moves a visit locks the patient and then the room.
const exclusive = entsql.LockNoKeyUpdate

// Lock locks the rows of a table until the transaction ends, in id order, so that two callers never wait for each other. On SQLite
// the transaction is alone already.
func (db *DB) Lock(ctx context.Context, table string, ids ...uuid.UUID) error {
	return db.lock(ctx, table, exclusive, ids)
}

// Share keeps the rows as they are until the transaction ends: who has it waits for those who Lock or change them, and they for him, but not for others
// who Share. Who shares a row must not change it in that transaction.
func (db *DB) Share(ctx context.Context, table string, ids ...uuid.UUID) error {
	return db.lock(ctx, table, entsql.LockShare, ids)
}

// ForUpdate is a predicate that locks what a query reads, as Lock does, with one statement less; for a query of one row in a transaction.
func (db *DB) ForUpdate(s *entsql.Selector) {
	if db.dialect == dialect.Postgres {
		s.For(exclusive)
	}
}

func (db *DB) lock(ctx context.Context, table string, strength entsql.LockStrength, ids []uuid.UUID) error {
	if current(ctx) == nil {
		return errNoTransaction
	}
	if db.dialect != dialect.Postgres || len(ids) == 0 {
		return nil
	}
	ids = slices.SortedFunc(slices.Values(ids), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	query, params := db.Build().Select("id").From(entsql.Table(table)).Where(entsql.In("id", args...)).OrderBy("id").For(strength).Query()
	rows := &entsql.Rows{}
	if err := db.driver.Query(ctx, query, params, rows); err != nil {
		return fmt.Errorf("lock %s: %w", table, err)
	}
	return rows.Close()
}

// LockName makes transactions that name the same thing wait for each other, for claims that have no row yet.
func (db *DB) LockName(ctx context.Context, name string) error {
	if current(ctx) == nil {
		return errNoTransaction
	}
	if db.dialect != dialect.Postgres {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	if err := db.driver.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", []any{int64(h.Sum64())}, nil); err != nil { // #nosec G115 -- any 64 bits do
		return fmt.Errorf("lock by name: %w", err)
	}
	return nil
}
