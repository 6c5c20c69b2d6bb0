package scheduler

import "github.com/caregraph/caregraph/internal/fault"

// The outcomes of this package.
var (
	errNoJob    = fault.ErrNotFound.Says("There is no such job; the table of jobs has their names.").At("name")
	errIsRun    = fault.ErrConflict.Says("The job is being run.")
	errOlder    = fault.ErrConflict.Says("An earlier occurrence has to be run first.").At("occurrence")
	errMoving   = fault.ErrConflict.Says("The clock is being advanced.")
	errNotDue   = fault.InvalidAt("The job is not due at that time.", "occurrence")
	errInFuture = fault.InvalidAt("That time is still to come.", "occurrence")
	errNoDryRun = fault.InvalidAt("This job has no dry run.", "dryRun")
	errNoDemo   = fault.ErrForbidden.Says("Only the clock of a demo can be advanced.")
	errNotLater = fault.InvalidAt("The new time must be later than the present one.", "to")
	errTooFar   = fault.InvalidAt("The clock is advanced by at most 31 days at once.", "to")
	errTooMany  = fault.InvalidAt("Too many occurrences of jobs fall due until then, at most 20,000 are run at once: advance the clock in smaller steps.", "to")
)

// Final is the error of a run that another try would not help: it has found what it was to look for. Its text goes into the ledger, so it is a fixed one without
// data of patients.
type Final string

// Error implements error.
func (f Final) Error() string { return string(f) }
