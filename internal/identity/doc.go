// Package identity owns user accounts, sign-in, access tokens and sessions.
//
// Model: a User signs in and gets a Session and a token that names it. The session's row, not the token, decides on every request who asks: a
// token whose session is over is worth nothing, and roles are those of the user's row at that moment. Practitioners have a Practitioner with a
// PractitionerCredential, patients a Patient record, both made with the account.
//
// Invariants:
//   - E-mail addresses are unique without regard to case (unique index on the folded address).
//   - Of passwords, mailed tokens and codes only hashes are stored. A mailed token is good once, for the address it was mailed to: for 24 hours to prove
//     it, for 30 minutes to set a password. The request of the latter tells by answer, limit and work nothing of whether there is an account.
//   - A one-time code is good once, in its step of 30 seconds and one before and after, a recovery code once; who uses one at the same time on
//     another instance is refused by the row. The secret behind codes is encrypted by a key of the configuration, for its owner alone.
//   - Where staff must have a second factor, those without see nothing but their own account and sessions, which the store decides, and set one up.
//   - A new password, by whichever way, ends the other sessions; no password or mailed token removes a second factor.
//   - A patient's record is joined to an account by a code that was mailed to the record's address, never by name (package patient).
//   - A wrong address, a wrong password and a deactivated account are told apart neither by the answer nor by its time.
//   - At most LoginsPerMinute passwords per minute and address, and per account, are checked in vain (5), whatever the concurrency: a
//     try counts from its start and gives its count back when it succeeds.
//   - A session opened with a password that is changed meanwhile, or by a user who is deactivated meanwhile, does not come to be.
//   - There is always an active administrator: the last one cannot lose the role or be deactivated, and nobody deactivates himself.
//   - PATIENT stands alone among a user's roles.
//   - A session that is over never comes back.
//   - Whoever ends a session, or changes what a user may do, tells all instances in the same transaction (the stream of rights). Once Viewer of a
//     LiveSession is asked, whatever was ended before is known, hints or no hints.
//   - Nobody is warned of an end, or told of one, that an extension on another instance has moved: the store is read again before.
//   - Subscribers of a session hear SessionOpened first, SessionExpiring once for each crossing of the warning threshold, the newest SessionExtended,
//     and SessionEnded as the last.
//
// Time: a session ends at expiresAt = min(last activity + timeout, endsAt), which every query or mutation of the user moves (Touch); endsAt is
// 24 hours after the sign-in. It is over when now >= expiresAt, and clients are warned from 300 s before. The timeout is 1200 s, set apart for
// patients and staff; the configuration refuses less than 60 s (tests of this package may go below).
//
// An instance writes a session's activity at most once per 15 s, or per quarter of the shortest timeout where that is less. What comes in between is
// kept in memory and written when that time is over, by the loop of Run, or at shutdown; activity in the warning time is written at once. No session
// ends early because of it: its row is behind by less than a quarter of its timeout, so that it still shows the session as live to other instances
// when the newer activity is written; the instance that holds it counts it in; and the row only ever moves forward. An instance that is killed takes
// at most these 15 s with it.
//
// Live knows the sessions behind open sockets: one small struct for each, shared by its sockets and subscriptions, in a heap by the instant at which
// somebody has to look. The loop of Live's Run compares with the injected clock every 200 ms of real time, reads the sessions that are due in one
// statement, and then warns, or ends. An end by time is first recorded in the store, which thereby decides between it and an extension that is under
// way on another instance. A clock that jumps over the warning and the end tells of the end alone; ends come in the order of their instants.
// While the database is away nobody is warned or ended, and Viewer answers UNAVAILABLE.
//
// Extensions are told when they are written, to other instances by a hint. Should it be lost, sessions with subscribers are read again every 5 s, and
// every second in their warning time; the others before their end.
//
// Patients' sessions are watched: one that is used from another network (/24, or /48 of IPv6) or by another program than the one that signed in is
// flagged, once, and goes on; one that floods the server (which each instance counts for itself) ends as SUSPICIOUS on all of them.
//
// When a session's row is deleted, 30 days after its end, the login history keeps its start, end and reason.
//
// A patient may sign in before the address is verified: only what is mailed (prescriptions) needs a verified one.
package identity
