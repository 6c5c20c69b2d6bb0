// Package identity owns user accounts, sign-in, access tokens and sessions.
//
// Model: a User signs in and gets a Session and a token that names it. The session's row, not the token, decides on every request who asks: a
// token whose session is over is worth nothing, and roles are those of the user's row at that moment. Practitioners have a Practitioner with a
// PractitionerCredential, patients a Patient record, both made with the account.
//
// Invariants:
//   - E-mail addresses are unique without regard to case (unique index on the folded address).
//   - Of passwords and mailed tokens only hashes are stored. A mailed token is good once, for 24 hours, for the address it was mailed to.
//   - A wrong address, a wrong password and a deactivated account are told apart neither by the answer nor by its time.
//   - At most LoginsPerMinute passwords per minute and address, and per account, are checked in vain (5), whatever the concurrency: a
//     try counts from its start and gives its count back when it succeeds.
//   - A session opened with a password that is changed meanwhile, or by a user who is deactivated meanwhile, does not come to be.
//   - There is always an active administrator: the last one cannot lose the role or be deactivated, and nobody deactivates himself.
//   - PATIENT stands alone among a user's roles.
//   - A session that is over never comes back.
//
// Time: a session ends at expiresAt = min(last activity + timeout, endsAt), which every query or mutation of the user moves (Touch); endsAt is
// 24 hours after the sign-in. It is over when now >= expiresAt, and clients are warned from 300 s before. The timeout is 1200 s, set apart for
// patients and staff; the configuration refuses less than 60 s (tests of this package may go below).
//
// An instance writes a session's activity at most once per 15 s, or per quarter of the shortest timeout where that is less. What comes in between
// is kept in memory and written when that time is over, by the loop of Run, or at shutdown. No session ends early because of it: its row is behind
// by less than a quarter of its timeout, so that it still shows the session as live to other instances when the newer activity is written; the
// instance that holds it counts it in; and the row only ever moves forward. An instance that is killed takes at most these 15 s with it.
//
// A patient may sign in before the address is verified: only what is mailed (prescriptions) needs a verified one.
package identity
