package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

// RunInput says which job a person wants to run, and for what.
type RunInput struct {
	Name           string
	Occurrence     *time.Time // nil = now
	IsDry          bool
	IdempotencyKey *string
}

// RunNow runs a job now, or one occurrence of it, for the first time or again, and returns the run with what was done. It waits 8 seconds at most: a run
// that is then still RUNNING goes on in the background. A dry run has counts and no run. For admins and the command line. Errors: FORBIDDEN,
// NOT_FOUND, INVALID_INPUT, CONFLICT when the job is being run or an earlier occurrence has to be run first, IDEMPOTENCY_KEY_REUSED,
// UNAVAILABLE while the program stops.
func (s *Scheduler) RunNow(ctx context.Context, in RunInput) (*ent.JobRun, Counts, error) {
	v := access.From(ctx)
	if !v.IsSystem() && !v.Has(access.Admin) {
		return nil, nil, fault.ErrForbidden
	}
	j := s.job(in.Name)
	if j == nil {
		return nil, nil, errNoJob
	}
	at, err := s.startAt(j.Job, in)
	if err != nil {
		return nil, nil, err
	}
	if in.IsDry {
		counts, err := s.dryRun(ctx, j.Job, at)
		return nil, counts, err
	}
	switch {
	case s.ctx.Err() != nil:
		return nil, nil, fault.ErrUnavailable
	case !s.gate.TryRLock():
		return nil, nil, errMoving
	}
	run, fresh, err := s.order(ctx, j.Job, at, in)
	if err != nil {
		s.gate.RUnlock()
		return nil, nil, err
	}
	done := s.launch(ctx, j, fresh) // which gives the gate back
	wait, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	select {
	case <-done:
	case <-wait.Done():
	}
	shown, err := s.DB.Client.JobRun.Get(context.WithoutCancel(ctx), run)
	if err != nil {
		return nil, nil, err
	}
	return shown, shown.Counts, nil
}

// OccurrenceOn returns the first occurrence of the job on a date of the practice. Errors: NOT_FOUND, INVALID_INPUT when there is none.
func (s *Scheduler) OccurrenceOn(name string, d civil.Date) (time.Time, error) {
	j := s.job(name)
	if j == nil {
		return time.Time{}, errNoJob
	}
	at, ok := j.Schedule.On(d)
	if !ok {
		return time.Time{}, errNotDue
	}
	return at, nil
}

// startAt returns the instant that the run is for.
func (s *Scheduler) startAt(j Job, in RunInput) (time.Time, error) {
	now := s.DB.Now()
	switch {
	case in.Occurrence == nil:
		return now, nil
	case !j.Schedule.isAt(*in.Occurrence):
		return now, errNotDue
	case in.Occurrence.After(now) && !in.IsDry:
		return now, errInFuture
	}
	return in.Occurrence.UTC(), nil
}

func (s *Scheduler) dryRun(ctx context.Context, j Job, at time.Time) (Counts, error) {
	if j.DryRun == nil {
		return nil, errNoDryRun
	}
	j.Run = j.DryRun
	return s.call(access.System(ctx, "dry run of "+j.Name), j, j.occurrence(at))
}

// order takes the run once per idempotency key and returns its id. Of a repeated call fresh is nil.
func (s *Scheduler) order(ctx context.Context, j Job, at time.Time, in RunInput) (id uuid.UUID, fresh *ent.JobRun, err error) {
	ids, err := idem.Do(ctx, s.DB, "runJob", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		if fresh, err = s.takeByHand(access.System(ctx, "runJob"), j, at); err != nil {
			return nil, err
		}
		return []uuid.UUID{fresh.ID}, s.record(ctx, audit.Event{Action: auditevent.ActionUPDATE, Entity: ent.TypeJobRun, EntityID: fresh.ID, Changes: []audit.Change{
			{Field: jobrun.FieldJob, New: j.Name}, {Field: jobrun.FieldOccurrence, New: at.Format(time.RFC3339Nano)},
		}})
	})
	if err != nil {
		return id, nil, err
	}
	if fresh != nil && fresh.ID != ids[0] { // made by an attempt that was rolled back, before a twin came first
		fresh = nil
	}
	return ids[0], fresh, nil
}

func (s *Scheduler) record(ctx context.Context, e audit.Event) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, e)
}

// takeByHand takes the run for the instant in the transaction of ctx.
func (s *Scheduler) takeByHand(ctx context.Context, j Job, at time.Time) (*ent.JobRun, error) {
	if err := s.DB.LockName(ctx, lockName(j.Name)); err != nil {
		return nil, err
	}
	l, err := s.read(ctx, j)
	if err != nil {
		return nil, err
	}
	for _, run := range l.open {
		if isHeld(run, s.DB.Now()) {
			return nil, errIsRun
		}
	}
	if l.head.IsZero() { // the job begins here, whatever the run is for
		l.head = j.Schedule.before(s.DB.Now())
		if err := s.note(ctx, j, plan{skips: []span{{l.head, l.head, isNew}}}); err != nil {
			return nil, err
		}
	}
	covering, err := s.DB.Client.JobRun.Query().Where(jobrun.Job(j.Name), jobrun.FirstOccurrenceLTE(at), jobrun.OccurrenceGTE(at)).
		Order(jobrun.ByOccurrence()).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range covering {
		switch {
		case row.Occurrences == 1: // it is the row of this very instant
			again, err := s.beginAgain(ctx, row)
			if err == nil && again == nil {
				err = errIsRun
			}
			return again, err
		case j.Schedule.isAt(at):
			return s.takeOut(ctx, j, row, at)
		}
	}
	if j.Schedule.isAt(at) {
		if err := s.leadTo(ctx, j, l, at); err != nil {
			return nil, err
		}
	}
	return s.begin(ctx, j, at, jobrun.CauseMANUAL)
}

// takeOut takes one occurrence out of the row of several that were skipped.
func (s *Scheduler) takeOut(ctx context.Context, j Job, row *ent.JobRun, at time.Time) (*ent.JobRun, error) {
	if err := s.DB.Client.JobRun.DeleteOne(row).Exec(ctx); err != nil {
		return nil, err
	}
	var rest plan
	if first := row.FirstOccurrence; first.Before(at) {
		rest.skips = append(rest.skips, span{first, j.Schedule.before(at), row.Reason})
	}
	if last := row.Occurrence; last.After(at) {
		rest.skips = append(rest.skips, span{j.Schedule.Next(at), last, row.Reason})
	}
	if err := s.note(ctx, j, rest); err != nil {
		return nil, err
	}
	return s.begin(ctx, j, at, jobrun.CauseMANUAL)
}

// leadTo accounts for what comes before an occurrence that the ledger does not know yet.
func (s *Scheduler) leadTo(ctx context.Context, j Job, l ledger, at time.Time) error {
	var p plan
	next := j.Schedule.Next(l.head)
	switch {
	case at.Before(l.head): // from before the ledger's beginning
		return nil
	case j.CatchUp == RunEvery && (next.Before(at) || len(l.open) > 0):
		return errOlder
	case next.Before(at):
		p.skips = []span{{next, j.Schedule.before(at), isOlder}}
	}
	p.passed = l.open
	if err := s.note(ctx, j, p); !errors.Is(err, errRenewed) {
		return err
	}
	return errIsRun
}

// launch runs it in the background, as the system on behalf of who asked. A stop of the scheduler ends it.
func (s *Scheduler) launch(ctx context.Context, j *job, run *ent.JobRun) <-chan struct{} {
	done := make(chan struct{})
	if run == nil {
		s.gate.RUnlock()
		close(done)
		return done
	}
	ctx = audit.Cause(access.System(context.WithoutCancel(ctx), "job:"+j.Name), "job:"+j.Name)
	go func() {
		defer close(done)
		defer s.gate.RUnlock()
		if err := s.finish(ctx, j, s.execute(ctx, j.Job, run)); err != nil {
			s.Log.ErrorContext(ctx, "a run waits to be written down", slog.Any("error", err))
		}
	}()
	return done
}
