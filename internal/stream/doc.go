// Package stream keeps ordered logs of events and delivers them without losing any.
//
// # Model
//
// A stream is a log (a chat room, a user's notices) with dense positions from 1, kept in stream_entries; its row in streams counts them.
// Append puts an event into the transaction of ctx; the last step before the commit locks the streams' rows in id order, by the upsert that
// raises their counters, and writes all entries in one statement. A reader has a position and pulls what follows it (Source, Feed). Everything that
// moves beside the log, in the process (topics) or between instances (Bus), is a hint "stream S is at N" and may be lost, doubled or late: the
// slow poll finds what no hint told.
//
// A topic exists while a stream has readers on this instance. It holds a ring of the newest events, shared by all readers with their loaded
// Values and their memo, and reads the log once for all readers at its tail. A reader behind the ring reads pages of the log by itself.
//
// A LatestSource has no log: its readers get the present state and then the newest one after changes, which Touch tells of, here and to other
// instances, and time alone may bring about. Readers of one state share the reading of it.
//
// Rights is one well-known stream of its own. Its Fence answers "who lost a right by a transaction that has committed before this call".
//
// # Invariants
//
//   - Positions of a stream are dense and in the order of commits: who sees position N sees all before it, now or later.
//   - A transaction that is rolled back or tried again leaves no entry, no hole and no event; nothing is delivered before its commit.
//   - Events that one transaction appends to one stream keep their order.
//   - A feed gives every event behind its start exactly once, in order, or fails with RESUME_EXPIRED; it never skips.
//   - An error of Next moves nothing: the next call tries the same events again.
//   - Whatever is published after Next answered "nothing" wakes the reader; publishing never waits for a reader.
//   - A topic holds at most 512 events, none from before the last two polls, and goes with its last reader.
//   - A reader of a state gets the newest one that was there when it asked, or a later one; two that show the same are not delivered one after the other.
//   - What a committed transaction revoked before Fence was called has been handed to all handlers when Fence returns without an error.
//
// # Time
//
// OccurredAt is the instant, by the injected clock, at which the entry was written, under its stream's lock; so it ascends with the position as
// long as the clocks of the instances agree. Intervals of polling are real time.
package stream
