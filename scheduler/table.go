package scheduler

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
)

// Status is a job with where it stands.
type Status struct {
	Job
	LastRun   *ent.JobRun // of the newest occurrence that is accounted for; nil when there is none
	NextAt    time.Time
	IsOverdue bool
}

// Statuses returns the table of jobs, with what the viewer may see of their runs: all of it for admins, nothing for others.
func (s *Scheduler) Statuses(ctx context.Context) ([]Status, error) {
	now := s.DB.Now()
	list := make([]Status, len(s.jobs))
	for i, j := range s.jobs {
		l, err := s.read(ctx, j.Job)
		if err != nil {
			return nil, err
		}
		last, err := s.DB.Client.JobRun.Query().Where(jobrun.Job(j.Name)).Order(jobrun.ByOccurrence(sql.OrderDesc())).First(ctx)
		if ent.MaskNotFound(err) != nil {
			return nil, err
		}
		since := now
		if l.head.After(now) { // the clock of a demo had been advanced
			since = l.head
		}
		list[i] = Status{Job: j.Job, LastRun: last, NextAt: j.Schedule.Next(since), IsOverdue: j.isOverdue(l, last, now)}
	}
	return list, nil
}

// isOverdue tells whether the last try failed, or an occurrence is due for more than a minute and nobody is at it.
func (j Job) isOverdue(l ledger, last *ent.JobRun, now time.Time) bool {
	if last != nil && last.State == jobrun.StateFAILED {
		return true
	}
	for _, run := range l.open {
		if isHeld(run, now) {
			return false
		}
	}
	return !l.head.IsZero() && now.Sub(j.Schedule.Next(l.head)) > late
}

// Runs returns what became of the occurrences of a job, or of all, in a state, or in any, as far as the viewer may see them.
func (s *Scheduler) Runs(_ context.Context, name *string, state *jobrun.State) *ent.JobRunQuery {
	q := s.DB.Client.JobRun.Query()
	if name != nil {
		q.Where(jobrun.Job(*name))
	}
	if state != nil {
		q.Where(jobrun.StateEQ(*state))
	}
	return q
}

// Run returns a run by its id; nil when there is none, or the viewer may not see it.
func (s *Scheduler) Run(ctx context.Context, id uuid.UUID) (*ent.JobRun, error) {
	run, err := s.DB.Client.JobRun.Get(ctx, id)
	return run, ent.MaskNotFound(err)
}
