// Package civil holds dates and clock times as people write them, without an instant or a zone, and the rules by
// which a zone turns them into instants.
//
// A civil date is moved by calendar arithmetic, never by adding hours to an instant: days have 23, 23.5, 24.5 or 25
// hours where clocks change. A wall clock reading becomes an instant only by Resolve, which tells when a reading does
// not exist on a date. Every instant this package returns is in UTC.
//
// Errors about a value that was read are *fault.Error of the kind fault.Invalid, without a field.
package civil
