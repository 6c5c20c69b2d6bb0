package scheduler

import (
	"context"
	"errors"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
)

// read returns the ledger of a job as the viewer sees it.
func (s *Scheduler) read(ctx context.Context, j Job) (l ledger, err error) {
	rows, err := s.DB.Client.JobRun.Query().Where(jobrun.Job(j.Name), sinceScheduled(j.Name)).Order(jobrun.ByOccurrence()).All(ctx)
	if err != nil {
		return l, err
	}
	for _, row := range rows {
		// What a person started counts where it has taken the place of the occurrence that was next.
		if row.Cause == jobrun.CauseSCHEDULE || j.Schedule.Next(l.head).Equal(row.Occurrence) {
			l.head = row.Occurrence.UTC()
		}
	}
	// Not by job: open ones of all jobs are few and have an index.
	open, err := s.DB.Client.JobRun.Query().Where(jobrun.Or(jobrun.StateEQ(jobrun.StateRUNNING),
		jobrun.And(jobrun.StateEQ(jobrun.StateFAILED), jobrun.RetryAtNotNil()))).Order(jobrun.ByOccurrence()).All(ctx)
	for _, row := range open {
		if row.Job == j.Name {
			l.open = append(l.open, row)
		}
	}
	return l, err
}

// sinceScheduled keeps the newest row that the clock has started, and those after it.
func sinceScheduled(name string) func(*entsql.Selector) {
	return func(q *entsql.Selector) {
		newest := entsql.Dialect(q.Dialect()).Select(entsql.Max(jobrun.FieldOccurrence)).From(entsql.Table(jobrun.Table)).
			Where(entsql.And(entsql.EQ(jobrun.FieldJob, name), entsql.EQ(jobrun.FieldCause, jobrun.CauseSCHEDULE)))
		q.Where(entsql.GTE(q.C(jobrun.FieldOccurrence), newest))
	}
}

// errPassed is what the ledger says of a run that was not tried again.
const errPassed = "It was not tried again, because it had lost its use."

// errRenewed says that a runner that was thought to be dead has shown that it lives: the plan rests on what is no longer so.
var errRenewed = errors.New("the lease of a run was renewed")

// note writes the rows of a plan that nobody runs. Errors: errRenewed.
func (s *Scheduler) note(ctx context.Context, j Job, p plan) error {
	for _, run := range p.passed {
		update := s.DB.Client.JobRun.UpdateOne(run).Where(asRead(run)).SetState(jobrun.StateFAILED).ClearRetryAt().ClearLeaseUntil()
		if run.State == jobrun.StateRUNNING { // its runner vanished
			update.SetError(errPassed).SetFinishedAt(s.DB.Now())
		}
		if err := update.Exec(ctx); ent.IsNotFound(err) {
			return errRenewed
		} else if err != nil {
			return err
		}
	}
	for _, skip := range p.skips {
		err := s.DB.Client.JobRun.Create().SetJob(j.Name).SetFirstOccurrence(skip.first).SetOccurrence(skip.last).
			SetOccurrences(j.Schedule.count(skip.first, skip.last)).SetState(jobrun.StateSKIPPED).SetReason(skip.reason).
			SetCause(jobrun.CauseSCHEDULE).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// begin makes the row of a new run.
func (s *Scheduler) begin(ctx context.Context, j Job, at time.Time, cause jobrun.Cause) (*ent.JobRun, error) {
	now := s.DB.Now()
	return s.DB.Client.JobRun.Create().SetJob(j.Name).SetFirstOccurrence(at).SetOccurrence(at).SetCause(cause).SetState(jobrun.StateRUNNING).
		SetAttempts(1).SetStartedAt(now).SetLeaseUntil(now.Add(s.Lease)).SetRunner(s.runner).Save(ctx)
}

// beginAgain makes another attempt of a run. It returns nil when somebody else has it.
func (s *Scheduler) beginAgain(ctx context.Context, run *ent.JobRun) (*ent.JobRun, error) {
	now := s.DB.Now()
	taken, err := s.DB.Client.JobRun.UpdateOne(run).Where(asRead(run)).SetState(jobrun.StateRUNNING).AddAttempts(1).SetStartedAt(now).
		SetLeaseUntil(now.Add(s.Lease)).SetRunner(s.runner).SetReason("").SetError("").ClearCounts().ClearFinishedAt().ClearRetryAt().Save(ctx)
	return taken, ent.MaskNotFound(err)
}

// asRead matches the row while it is as it was read: a runner that was thought to be dead may have renewed its lease.
func asRead(run *ent.JobRun) func(*entsql.Selector) {
	lease := jobrun.LeaseUntilIsNil()
	if run.LeaseUntil != nil {
		lease = jobrun.LeaseUntil(*run.LeaseUntil)
	}
	return jobrun.And(jobrun.StateEQ(run.State), jobrun.Attempts(run.Attempts), lease)
}

// mine matches a run while this instance has it.
func (s *Scheduler) mine(run *ent.JobRun) func(*entsql.Selector) {
	return jobrun.And(jobrun.ID(run.ID), jobrun.StateEQ(jobrun.StateRUNNING), jobrun.Runner(s.runner), jobrun.Attempts(run.Attempts))
}
