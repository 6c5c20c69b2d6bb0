// Package store opens the database and is the only way to it: transactions, row locks, raw statements, migrations and
// the meaning of driver errors. Two engines, one code: SQLite (embedded) and PostgreSQL (lib/pq).
//
// Invariants:
//   - Every ent client carries the access policy and the stamping hook; only Open makes one.
//   - Rows are written inside WithTx alone; an effect that must not outlive a rollback is an AfterCommit.
//   - A failed inner call of a joined transaction rolls the whole transaction back.
//   - The outermost transaction is retried, a bounded number of times, when the engine asks for it (serialization,
//     deadlock, busy); every attempt starts with empty buffers.
//   - No network call happens inside a transaction: it would hold locks for as long as somebody else likes.
//   - Instants are written in UTC, cut to microseconds, from the injected clock.
package store
