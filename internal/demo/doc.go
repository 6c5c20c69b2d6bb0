// Package demo fills an empty database with an invented clinic to try Caregraph with. All people, texts and numbers are made up; identifiers have right
// check digits, and telephone numbers are those set aside for fiction.
//
// The clinic has a past of seven weeks. It is not written into tables: the clock is set back, and people and jobs do then what they would have done, one
// after the other, through the services that serve everybody (tale.go). So each row is what the rules make of it, with its history, events, notices, mails,
// audit and runs of jobs, and there is an example of every state that a visit, an order, a refund, a slot or a room can be in.
//
// What happens is a list of steps at instants, all relative to the present: days are counted as working days of the practitioner, so that the same things
// happen whenever the demo is started. The steps are made in the order of their instants.
//
// A database is filled once, by one: the claim is a row of the counters (claimed), whose value says that all is done. One that holds users is left as it is.
package demo
