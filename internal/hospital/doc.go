// Package hospital is the inpatient side: wards and beds, admissions and stays, memberships in the national scheme, and the daily charges.
//
// # Model
//
// An admission is a patient's time in hospital; its stays say in which bed the patient lay at each instant of it, without a gap: a transfer ends one stay
// and begins the next at the same instant. Who occupies a bed follows from the stays alone. A ward's rates each hold from a date on until the next.
//
// Charges are by midnight census: an admission owes one charge for each date whose first instant, in the practice's zone, lies in [admittedAt, dischargedAt).
// Owed (owed.go) is the one function that says which dates an admission owes and how much for each; preview, estimate, projection, dry run and posting all
// call it. Settling an admission posts what it owes up to today and was not posted, and reverses what stands and is not owed; who changes the past
// (a late admission or discharge, a membership) settles in the same transaction.
//
// # Invariants
//
//   - A patient has one open admission at most and a bed one patient at any instant; the database decides both.
//   - Stays are never rewritten: a stay begins and ends. Triggers hold it.
//   - For every admission and every date up to the last run, the charge that stands is the one that Owed names, and there is none that it does not name.
//   - Running a date again, twice at once, on several instances, or after a crash gives the same books.
//   - An admission that cannot be charged does not stop others: it is tried three times, written down (ChargeFailure), told to administrators at once, and tried
//     again by each run until it is charged.
//   - Charging 100,000 admissions takes batches of bounded size, in memory and in the database.
//   - A member of the national scheme owes nothing for dates from registeredOn to endedOn, both included, and no fee of an admission on one of them, whenever the
//     membership is entered.
//
// # Time
//
// Instants are UTC, dates are the practice's. A date's first instant is midnight, or the first instant after it where a change of clocks skips midnight;
// dates are counted by the calendar, never by adding 24 hours. A rate, a membership and the ward of a date are those at its first instant.
package hospital
