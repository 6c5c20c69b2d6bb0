// Package chat is the conversation of a patient and a practitioner about one paid appointment.
//
// A room belongs to one appointment; the payment that books it opens the room. Its participants are the appointment's patient and practitioner,
// nobody else: to all others the room's messages and events do not exist. Administrators see the room as such, and read it only once they have
// stated a reason (opening.go): for 60 minutes, to read and not to write, and shown to the participants. Both may write while the room is ACTIVE.
//
// # Status of a room
//
//	           ACTIVATE   DEACTIVATE   SUSPEND     ARCHIVE
//	ACTIVE     -          INACTIVE     SUSPENDED   refused
//	INACTIVE   ACTIVE     -            SUSPENDED   ARCHIVED
//	SUSPENDED  ACTIVE     INACTIVE     -           ARCHIVED
//	ARCHIVED   ACTIVE     refused      refused     -
//
// (manage.go; a dash changes nothing and leaves no event). In a room that is not ACTIVE nothing is sent, changed, deleted or announced; it can be read,
// and watermarks move. A room that was deleted is gone for everybody; the record keeps it.
//
// # Streams
//
// Each room has a stream of events whose id is the room's (package stream). The stream's row counts two things: events, and, as its items, the
// messages. Whoever writes to a room locks that row first and reads the room afterwards, so that what it finds there holds until its commit. Every event of
// a room is told in the inboxes of its two users, too, by the same transaction: an inbox is one stream of all rooms of a user (inbox.go), whose entries say no more than what
// happened where. Rooms are locked before inboxes, inboxes in the order of their ids.
//
// Messages are stored in groups (queue.go, batch.go): what comes while a transaction is under way waits and goes together into the next one, with the
// same number of statements however many they are; two more when some of them have attachments. Nobody waits when nothing is under way.
//
// # Texts
//
// A message's row is never changed. What becomes of it is a row of its own (chat_message_versions): a later text, or none when it was deleted. Readers are shown
// the latest; an event shows the latest when it is loaded for delivery, which may be later than the event. An instance that has the event
// in memory may deliver it with the text of its time to who was a few seconds behind: the event of the change follows. The texts before are for administrators to whom the room is open.
//
// # Files
//
// A file is announced (createUpload), sent to a signed link, and named by a message. Links are bound to the user and to what was announced, and good for
// five minutes; those to read are made anew with each query, and checked against the rights of now when they are used. Nothing that a user has said is in a link or a key.
// An upload can be used for a day; a job deletes what was not.
//
// # Invariants
//   - One room per appointment, by a unique index, however often and by how many at once its payment is told.
//   - Messages of a room have the positions 1, 2, 3, ... without holes, its events as well, and MessageAdded events come in the order of messages. So have inboxes.
//   - Send answers after the commit. A message whose sender has gone before its group began is not stored.
//   - The same clientMessageId of the same sender in the same room is stored once, and every send of it answers the first message, also when
//     the room can no longer be written in.
//   - Every send is judged by itself, under the lock and by its own viewer. One that is refused, or that the database refuses, fails no other.
//   - Every message has its audit event with its own actor, session and request; of the body it holds the hash.
//   - A message is changed by its sender alone, at the latest 15 minutes after it was sent, that instant included, and every text is kept.
//   - A watermark never goes back and never passes the newest message. A move leaves one event, no move none.
//   - Unread are the messages of the other participant behind the watermark that are not deleted; sending does not move the sender's.
//   - A message is read by somebody at the instant of the first step of that watermark that passed it; its sender is in none of its receipts.
//   - One upload goes into one message, by a unique index. What is stored is what was announced, by its first bytes and its length.
//   - A message has a text of 1 to 4,000 characters, or none beside attachments.
//   - An opening ends by itself: no row, no event and no file is read by it at its end or later.
//
// All messages of a group carry one instant; their order is the position, not the time.
package chat
