// Package limit counts uses in sliding windows that hold across all instances of one database.
//
// Model: a use of a limit for a subject (an address, an account) is a RateEvent row. A window is open while fewer uses than allowed lie in
// (now-window, now]; a use leaves it exactly one window after it was counted.
//
// Invariants:
//   - Exact: callers that count for the same limit and subject wait for each other by name, count, and insert in one transaction.
//   - A subject is stored as a part of its SHA-256 alone: rows do not tell who called, or from where.
//   - A reserved use counts from the moment of the reservation until it is given back, so that of any number of concurrent tries no more
//     begin than may fail. One that is neither kept nor given back, as after a crash, counts as kept.
//   - A try that finds only tries in progress in its way waits for them instead of being refused: they may give their places back.
//
// Time: instants of the injected clock; only the pause between two looks at tries of other instances is real time.
package limit
