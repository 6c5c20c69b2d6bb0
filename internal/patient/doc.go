// Package patient owns patient records: identity and contact data of somebody cared for, with or without a user account.
//
// Invariants:
//   - A record's number is P and at least six digits, given out without holes and never twice: it is counted on a locked row in the
//     transaction that creates the record.
//   - No two records have the same IHI, or the same Medicare number with the same IRN (unique indexes). The number alone is shared by a family.
//   - An IRN stands with a Medicare number only.
//   - A record that staff entered gets an account by a code mailed to its address: good once, for 30 minutes, and no longer than it has that
//     address and no account. Codes go to an address at most three times an hour.
//   - Of an account's own record and the linked one, one is left. The dropped one has no history: no row refers to it, as the database says. What it
//     alone said is taken over, and its number is not given again. Two histories, birth dates, IHIs or Medicare cards are not joined.
//   - The search key always follows from names and number (SearchKey).
//   - Stored texts are normalised: telephone numbers in E.164 form, identifiers without separators, no blanks around and no control characters.
//
// Rules: schedulers, nurses, doctors and administrators create and change records; a patient changes contact data of the own record alone,
// which the access policy decides field by field. A record that clashes with another is refused without a word about the other one.
// Records that may be of the same person (same folded names, same birth date) are told at creation and hold nothing up.
//
// Time: a birth date is not after today in the practice's zone. A Medicare card is valid to the last day of its month.
package patient
