// Package audit writes down who changed what and who opened whose record.
//
// Writes: a hook on every entity but the bookkeeping ones leaves one AuditEvent per written row, in the transaction of the write and
// with its last statement before the commit. An event holds the person behind the write (also when the system acts for them), the request
// and what caused it, and the fields that differ between the row before, read locked, and the row after.
//
// Reads: an operation starts with Begin and ends with End. In between an interceptor looks at the rows that queries of a signed-in user
// return, nested and eager-loaded ones too, and End leaves one READ event per patient whose record was among them. Rows that the
// system reads are not counted, nor are bare columns and numbers (Select(...).Scan, Count, IDs); the one that a page reads ahead, to know whether
// there are more, is: it was loaded, and too much told is better than too little. These events go through a bounded buffer that
// Run empties twice a second and Close at shutdown; with Options.Strict End writes them itself and reports whether that worked.
//
// Invariants:
//   - A committed write has its event, a rolled back one leaves none.
//   - Secrets (ent.SensitiveFields) and free text (hashed, in redact.go) appear as SHA-256 only, other values cut to a bounded length.
//   - A full buffer makes End wait; it never drops. Events that the database does not take stay and are tried again, each stored once.
//   - Rows of audit_events are never changed or deleted: triggers of the database refuse it.
//
// What a hook cannot see, its caller records (Record): raw statements, and the single rows behind an Update or Delete of many, of which one
// event tells the entity, the fields and the number of rows. Writing rows of another entity through an edge is refused.
package audit
