// Package chat is the conversation of a patient and a practitioner about one paid appointment.
//
// A room belongs to one appointment; the payment that books it opens the room. Its participants are the appointment's patient and practitioner,
// nobody else: to all others the room's messages and events do not exist. Administrators see the room as such. Both may write while the room is ACTIVE.
//
// Each room has a stream of events whose id is the room's (package stream). The stream's row counts two things: events, and, as its items, the
// messages. Whoever writes to a room locks that row first and reads the room afterwards, so that what it finds there holds until its commit.
//
// Messages are stored in groups (queue.go, batch.go): what comes while a transaction is under way waits and goes together into the next one, with the
// same number of statements however many they are. Nobody waits when nothing is under way.
//
// Invariants:
//   - One room per appointment, by a unique index, however often and by how many at once its payment is told.
//   - Messages of a room have the positions 1, 2, 3, ... without holes, its events as well, and MessageAdded events come in the order of messages.
//   - Send answers after the commit. A message whose sender has gone before its group began is not stored.
//   - The same clientMessageId of the same sender in the same room is stored once, and every send of it answers the first message, also when
//     the room can no longer be written in.
//   - Every send is judged by itself, under the lock and by its own viewer. One that is refused, or that the database refuses, fails no other.
//   - Every message has its audit event with its own actor, session and request; of the body it holds the hash.
//   - A watermark never goes back and never passes the newest message. A move leaves one event, no move none.
//   - Unread are the messages of the other participant behind the watermark; sending does not move the sender's.
//
// All messages of a group carry one instant; their order is the position, not the time.
package chat
