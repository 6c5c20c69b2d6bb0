// Package notify tells people: notices in the app (Notification), mails and text messages (Delivery, the outbox).
//
// Both are written in the transaction of the change that causes them, at most once per kind, subject, occurrence and recipient: the
// unique index decides. So a change that is rolled back or repeated tells nobody twice, and what has been committed survives a restart.
//
// A message goes QUEUED -> SENT, or DEAD when the server refuses it for good or after 8 tries; KEPT when there is no server of its channel, for /dev/mail; WITHDRAWN
// when it became moot before. The worker (Run) is woken by the commit and looks by itself every few seconds. It takes due rows in
// batches under a lease, sends outside of any transaction, and writes down what became of them. Invariants:
//   - Two workers, of one instance or of several, never have one row at the same time: a row is taken locked, and kept by its lease.
//   - A worker that dies leaves rows whose lease runs out, which are then taken again: the server may get a mail twice, with the same
//     Message-ID, but never not at all.
//   - Every taking counts as a try, so a mail that kills its workers ends as DEAD too.
//   - What the server has taken is SENT, even when it was withdrawn or given to another worker meanwhile.
//   - The text of a sent or withdrawn mail is emptied: it may hold a link that acts.
//
// Times come from the injected clock: a try that failed is repeated 30 seconds later, then after four times as long each, at most 6 hours, give or take
// a fifth. Titles and texts of notices carry no medical content.
package notify
