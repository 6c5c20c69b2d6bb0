// Package scheduler runs the table of jobs and keeps account of every occurrence at which one was due. It holds no rules of a domain: a job is a
// name, a schedule in the practice's zone, what becomes of missed occurrences, and a service's method.
//
// Model: the ledger is the table job_runs. A row stands for one occurrence, or for several in a row that were skipped for one reason
// (first_occurrence to occurrence). What is due follows from the newest row and the schedule alone; the alarms of gocron only make a job look, and
// a job that looks too often does no harm.
//
// Invariants:
//   - From the first row of a job on, every due occurrence is in exactly one row: RAN, CAUGHT_UP (begun more than a minute late), SKIPPED with a
//     reason, FAILED with an error, or RUNNING. Rows are written in order, without hole or overlap.
//   - An occurrence has one runner at a time: rows are planned under a lock of the job's name, the unique index on job and occurrence stands behind
//     it, and a runner holds its row by a lease that it renews. Of one job there is one run at a time.
//   - A runner that vanishes loses the row when its lease runs out, one that is stopped gives it back at once. The next one counts as another
//     attempt, so a job's method may run twice for one occurrence and must bear that.
//   - A result that could not be written is written before anything else is planned.
//
// Missed occurrences: EVERY runs all in order, and later ones wait until a failed one has succeeded; LATEST runs the newest and skips those
// before; FRESH runs, in order, those that are still of use. A failure is tried again after a minute, then after twice as long each, at most an hour; for
// LATEST and FRESH only until the next occurrence is due or it is too late.
//
// A run that a person starts for an occurrence takes its place in the ledger; one started for "now" is a row beside it.
//
// Time: instants come from the injected clock. A local time that a change of clocks skips is due at the first instant after it, one that is
// repeated is due once, at the earlier.
package scheduler
