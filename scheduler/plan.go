package scheduler

import (
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
)

// ledger is what the rows tell of one job.
type ledger struct {
	head time.Time     // the newest occurrence that is accounted for; zero for a new job
	open []*ent.JobRun // runs under way or waiting for another try
}

// span is a row of occurrences that are skipped.
type span struct {
	first, last time.Time
	reason      string
}

// plan is what is to be done for a job at an instant.
type plan struct {
	passed []*ent.JobRun // open runs that are not tried again
	skips  []span
	resume *ent.JobRun // an open run whose turn it is, or else
	run    time.Time   // the occurrence to run, or else
	look   time.Time   // when there may be something to do
}

// Reasons for skipping.
const (
	isNew   = "The job was new."
	isOlder = "A later occurrence was due as well, and only the latest is run."
	isStale = "It was too late to be of use."
)

// plan tells what follows from the ledger at an instant. Nothing else decides what is run.
func (j Job) plan(l ledger, now time.Time) (p plan) {
	head := l.head
	if head.IsZero() { // what is due at this very instant is run
		head = j.Schedule.before(now)
		p.skips = []span{{head, head, isNew}}
	}
	next := j.Schedule.Next(head)
	for _, run := range l.open {
		if isHeld(run, now) {
			p.look = now.Add(alarm)
			return p
		}
	}
	for _, run := range l.open {
		switch {
		case j.isPassed(run, next, now):
			p.passed = append(p.passed, run)
		case run.RetryAt != nil && run.RetryAt.After(now):
			p.look = *run.RetryAt
			if j.CatchUp == RunLatest && next.Before(p.look) {
				p.look = next
			}
			return p
		default:
			p.resume = run
			return p
		}
	}
	return j.planDue(p, next, now)
}

// planDue plans the occurrence that is due next, and what is skipped before it.
func (j Job) planDue(p plan, next, now time.Time) plan {
	keep := next
	reason := ""
	switch j.CatchUp {
	case RunLatest:
		keep, reason = j.Schedule.Last(now), isOlder
	case RunFresh:
		keep, reason = j.Schedule.Next(now.Add(-j.FreshFor)), isStale
	}
	if keep.After(next) {
		p.skips = append(p.skips, span{next, j.Schedule.before(keep), reason})
		next = keep
	}
	if next.After(now) {
		p.look = next
	} else {
		p.run = next
	}
	return p
}

// isHeld tells whether somebody runs it.
func isHeld(run *ent.JobRun, now time.Time) bool {
	return run.State == jobrun.StateRUNNING && run.LeaseUntil != nil && run.LeaseUntil.After(now)
}

// isPassed tells whether an open run has lost its use.
func (j Job) isPassed(run *ent.JobRun, next, now time.Time) bool {
	switch j.CatchUp {
	case RunLatest:
		return !next.After(now)
	case RunFresh:
		return !run.Occurrence.Add(j.FreshFor).After(now)
	default:
		return false
	}
}

const (
	firstPause = time.Minute
	maxPause   = time.Hour
)

// pause is the time between a failure and the next try.
func pause(attempts int) time.Duration {
	if attempts > 6 { // 64 minutes
		return maxPause
	}
	return firstPause << max(attempts-1, 0)
}
