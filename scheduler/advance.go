package scheduler

import (
	"context"
	"errors"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/fault"
)

const (
	maxAdvance  = 31 * 24 * time.Hour
	maxRuns     = 20_000
	stayingStep = time.Minute
)

// Advance moves the clock of a demo on and runs every occurrence that falls due on the way when the clock has reached it, in order. It returns the
// present instant and the number of runs. stay is called along the way, at most once a minute of the clock, with the caller's own ctx: it keeps
// alive what would end of not being used, as the caller's session. For admins. When it fails the clock stands where it has come to.
// Errors: FORBIDDEN where the clock cannot be advanced, INVALID_INPUT, and those of stay.
func (s *Scheduler) Advance(ctx context.Context, to time.Time, stay func(context.Context) error) (now time.Time, n int, err error) {
	v := access.From(ctx)
	switch {
	case s.Clock == nil:
		return s.DB.Now(), 0, errNoDemo
	case !v.IsSystem() && !v.Has(access.Admin):
		return s.DB.Now(), 0, fault.ErrForbidden
	}
	if err := s.closeGate(ctx); err != nil {
		return s.DB.Now(), 0, err
	}
	defer s.gate.Unlock()
	from := s.DB.Now()
	if err := s.mayAdvance(from, to); err != nil {
		return from, 0, err
	}
	if err := s.recordAdvance(ctx, from, to); err != nil {
		return from, 0, err
	}
	s.isAdvancing = true
	defer func() {
		s.isAdvancing = false
		err = errors.Join(err, s.flush(ctx))
	}()
	for _, j := range s.jobs { // first what is due already, so that every job knows when to look next
		ran, err := s.runDue(ctx, j)
		if n += ran; err != nil {
			return s.DB.Now(), n, err
		}
	}
	ran, err := s.runUntil(ctx, to, stay)
	if err == nil {
		s.Clock.AdvanceTo(to)
	}
	return s.DB.Now(), n + ran, err
}

// closeGate waits until nothing is run.
func (s *Scheduler) closeGate(ctx context.Context) error {
	for !s.gate.TryLock() {
		select {
		case <-ctx.Done():
			return fault.ErrTimeout.Because(ctx.Err())
		case <-s.ctx.Done():
			return fault.ErrUnavailable
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// mayAdvance checks how far it is, and how much there is to do until then.
func (s *Scheduler) mayAdvance(from, to time.Time) error {
	switch {
	case !to.After(from):
		return errNotLater
	case to.Sub(from) > maxAdvance:
		return errTooFar
	}
	sum := 0
	for _, j := range s.jobs {
		if first := j.Schedule.Next(from); !first.After(to) {
			sum += j.Schedule.count(first, j.Schedule.Last(to))
		}
	}
	if sum > maxRuns {
		return errTooMany
	}
	return nil
}

func (s *Scheduler) recordAdvance(ctx context.Context, from, to time.Time) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		return s.record(ctx, audit.Event{Action: auditevent.ActionUPDATE, Entity: "Clock", Changes: []audit.Change{
			{Field: "now", Old: from.Format(time.RFC3339Nano), New: to.UTC().Format(time.RFC3339Nano)},
		}})
	})
}

// flush writes the results that were put off.
func (s *Scheduler) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(access.System(context.WithoutCancel(ctx), "scheduler"), alarm)
	defer cancel()
	var failures []error
	for _, j := range s.jobs {
		results := j.results()
		err := s.DB.WithTx(ctx, func(ctx context.Context) error { return s.writeAll(ctx, j.Job, results) })
		if failures = append(failures, err); err == nil {
			j.forget(len(results))
		}
	}
	return errors.Join(failures...)
}

// runUntil goes from one instant at which a job has to look to the next.
func (s *Scheduler) runUntil(ctx context.Context, to time.Time, stay func(context.Context) error) (n int, err error) {
	stayed := s.DB.Now()
	for {
		switch {
		case ctx.Err() != nil:
			return n, fault.ErrTimeout.Because(ctx.Err())
		case s.ctx.Err() != nil:
			return n, fault.ErrUnavailable
		}
		j, at := s.first()
		if j == nil || at.After(to) {
			return n, nil
		}
		s.Clock.AdvanceTo(at)
		ran, err := s.runDue(ctx, j)
		if n += ran; err != nil {
			return n, err
		}
		if now := s.DB.Now(); now.Sub(stayed) >= stayingStep {
			stayed = now
			if err := stay(ctx); err != nil {
				return n, err
			}
		}
	}
}

// first returns the job that has to look first, of several the first of the table.
func (s *Scheduler) first() (found *job, at time.Time) {
	for _, j := range s.jobs {
		j.mu.Lock()
		look := j.look
		j.mu.Unlock()
		if found == nil || look.Before(at) {
			found, at = j, look
		}
	}
	return found, at
}

// resumeClock sets a clock that can be advanced to where the ledger ends: it had been advanced before the program was started again.
func (s *Scheduler) resumeClock(ctx context.Context) error {
	if s.Clock == nil {
		return nil
	}
	newest, err := s.DB.Client.JobRun.Query().Where(jobrun.CauseEQ(jobrun.CauseSCHEDULE)).
		Order(jobrun.ByOccurrence(sql.OrderDesc())).First(access.System(ctx, "scheduler"))
	if err == nil {
		s.Clock.AdvanceTo(newest.Occurrence)
	}
	return ent.MaskNotFound(err)
}
