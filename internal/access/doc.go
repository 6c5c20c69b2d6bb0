// Package access decides who may see and do what: one table (policy.go) of entity x action x role, installed on the ent client as
// interceptors and hooks, so that lists, counts, aggregates, eager loading, nested totals, node lookups, updates and deletes are all filtered alike.
//
// Invariants:
//   - Default deny: no viewer, no entry or no rule means no rows and no writes.
//   - The rights of several roles add up.
//   - A created or updated row is read back through the rule of its action in the same transaction, so that none is made under a
//     parent of others or moved there.
//   - Updates and deletes without an id are for the system alone, and so are raw statements (see package store).
//   - Predicates are plain columns or uncorrelated IN (SELECT ...).
//   - Who has to set up a second factor first reaches the own account and sessions alone.
//   - The system acts under a named reason, on behalf of the user who caused it, if any.
package access
