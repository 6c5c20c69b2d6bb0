// Package nothinglost proves that a chat loses nothing when the program is killed. A client in a process of its own (Run) writes and reads in rooms while servers
// are killed and started again, and keeps a log of what it was told; Judge compares that log with the database.
//
// Invariants that Judge tests:
//
//  1. Every acknowledged message is stored, at the place that the acknowledgement told, and nothing else is stored.
//  2. No clientMessageId is stored twice, however often a message was sent.
//  3. Messages of a room stand at dense positions, those of one writer in the order in which they were sent.
//  4. Every reader is given every message of its room once, in the order of positions, and each event's previousCursor is that of the event before,
//     over a websocket that is opened with the last cursor and over an event stream that is opened with it as the Last-Event-ID.
package nothinglost
