package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/fault"
)

// RunDue accounts for every occurrence of the job that is due, as its policy says, and returns how many it ran. It is what the alarms call, for the
// system. A job that fails is written down and no error; the error is the ledger's own.
func (s *Scheduler) RunDue(ctx context.Context, name string) (int, error) {
	j := s.job(name)
	if j == nil {
		return 0, errNoJob
	}
	return s.runDue(ctx, j)
}

func (s *Scheduler) runDue(ctx context.Context, j *job) (n int, err error) {
	j.running.Lock()
	defer j.running.Unlock()
	ctx = audit.Cause(access.System(access.As(ctx, nil), "job:"+j.Name), "job:"+j.Name) // on nobody's behalf, whoever advances the clock
	for ctx.Err() == nil && s.ctx.Err() == nil {
		run, err := s.take(ctx, j)
		if err != nil || run == nil {
			return n, err
		}
		n++
		if err := s.finish(ctx, j, s.execute(ctx, j.Job, run)); err != nil {
			return n, err
		}
		if !s.isTime(j) {
			return n, nil
		}
	}
	return n, nil
}

// take plans the job and takes the run that is due; nil when there is none.
func (s *Scheduler) take(ctx context.Context, j *job) (run *ent.JobRun, err error) {
	var p plan
	unwritten := j.results()
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		run = nil
		if err := s.DB.LockName(ctx, lockName(j.Name)); err != nil {
			return err
		}
		if err := s.writeAll(ctx, j.Job, unwritten); err != nil {
			return err
		}
		l, err := s.read(ctx, j.Job)
		if err != nil {
			return err
		}
		p = j.plan(l, s.DB.Now())
		if err := s.note(ctx, j.Job, p); err != nil {
			return err
		}
		switch {
		case p.resume != nil:
			run, err = s.beginAgain(ctx, p.resume)
		case !p.run.IsZero():
			run, err = s.begin(ctx, j.Job, p.run, jobrun.CauseSCHEDULE)
		}
		return err
	})
	if errors.Is(err, errRenewed) {
		j.lookAgain(s.DB.Now().Add(alarm))
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("plan the job %s: %w", j.Name, err)
	}
	j.forget(len(unwritten))
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.look = p.look; run == nil && p.look.IsZero() {
		j.look = s.DB.Now().Add(alarm) // another instance was faster
	}
	return run, nil
}

// lookAgain sets the next look.
func (j *job) lookAgain(at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.look = at
}

func lockName(job string) string { return "job " + job }

func (j *job) results() []result {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.unwritten)
}

// forget drops results that have been written.
func (j *job) forget(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.unwritten = j.unwritten[n:]
}

// result is what became of an attempt.
type result struct {
	run    *ent.JobRun
	at     time.Time
	counts Counts
	err    error
	isBack bool // it was stopped, and is for another instance
}

// errVanished ends a run whose lease could not be renewed.
var errVanished = errors.New("the lease of the run was lost")

// execute runs the job for the row while it keeps the lease.
func (s *Scheduler) execute(ctx context.Context, j Job, run *ent.JobRun) result {
	ctx, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(s.ctx, func() { cancel(context.Canceled) })() //nolint:contextcheck // the end of the scheduler ends it too
	beaten := make(chan struct{})
	go func() {
		defer close(beaten)
		s.keep(ctx, run, func() { cancel(errVanished) })
	}()
	counts, err := s.call(ctx, j, j.occurrence(run.Occurrence))
	isBack := err != nil && ctx.Err() != nil
	cancel(nil)
	<-beaten
	if err != nil && !isBack {
		s.Log.ErrorContext(ctx, "a job failed", slog.String("job", j.Name), slog.Time("occurrence", run.Occurrence),
			slog.Int("attempt", run.Attempts), slog.Any("error", err))
	}
	return result{run: run, at: s.DB.Now(), counts: counts, err: err, isBack: isBack}
}

var errPanicked = errors.New("the job panicked")

// call turns a panic into an error: one job's mistake is not the end of the program.
func (s *Scheduler) call(ctx context.Context, j Job, o Occurrence) (counts Counts, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("%w: %T at %s", errPanicked, value, debug.Stack())
		}
	}()
	return j.Run(ctx, o)
}

// keep renews the lease of a run until ctx ends. It calls lost when another instance has the run, or may have it because the database was away for too long.
func (s *Scheduler) keep(ctx context.Context, run *ent.JobRun, lost func()) {
	tick := time.NewTicker(s.Lease / 4)
	defer tick.Stop()
	until := *run.LeaseUntil
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, n := s.DB.Now(), 0
		err := s.DB.WithTx(access.System(ctx, "lease of a run"), func(ctx context.Context) (err error) {
			n, err = s.DB.Client.JobRun.Update().Where(s.mine(run)).SetLeaseUntil(now.Add(s.Lease)).Save(ctx)
			return err
		})
		switch {
		case err == nil && n == 1:
			until = now.Add(s.Lease)
		case err == nil || !s.DB.Now().Before(until):
			lost()
			return
		}
	}
}

// finish writes a result down, also when ctx has ended. What the database does not take is kept, and written before the job is planned again. While the
// clock is advanced all results are, because then one transaction does for both.
func (s *Scheduler) finish(ctx context.Context, j *job, r result) (err error) {
	if !s.isAdvancing {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alarm)
		defer cancel()
		err = s.DB.WithTx(ctx, func(ctx context.Context) error { return s.write(ctx, j.Job, r) })
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil || s.isAdvancing {
		j.unwritten = append(j.unwritten, r)
	}
	if j.look = (time.Time{}); err == nil && r.err == nil && r.run.Cause == jobrun.CauseSCHEDULE {
		j.look = j.Schedule.Next(r.run.Occurrence)
	}
	if err != nil {
		return fmt.Errorf("write the result of the job %s: %w", j.Name, err)
	}
	return nil
}

func (s *Scheduler) writeAll(ctx context.Context, j Job, results []result) error {
	for _, r := range results {
		if err := s.write(ctx, j, r); err != nil {
			return err
		}
	}
	return nil
}

// write writes a result into the row, unless another instance has taken the run over.
func (s *Scheduler) write(ctx context.Context, j Job, r result) error {
	update := s.DB.Client.JobRun.Update().Where(s.mine(r.run))
	switch {
	case r.isBack:
		update.SetLeaseUntil(r.at)
	case r.err != nil:
		update.SetState(jobrun.StateFAILED).SetError(describe(r.err)).SetFinishedAt(r.at).ClearLeaseUntil()
		if r.counts != nil { // how far it came
			update.SetCounts(r.counts)
		}
		retry, err := s.isRetried(ctx, j, r.run, r.err)
		if err != nil {
			return err
		}
		if retry {
			update.SetRetryAt(r.at.Add(pause(r.run.Attempts)))
		}
	default:
		update.SetState(jobrun.StateRAN).SetCounts(r.counts).SetFinishedAt(r.at).ClearLeaseUntil()
		if r.run.CreatedAt.Sub(r.run.Occurrence) > late {
			update.SetState(jobrun.StateCAUGHT_UP)
		}
	}
	n, err := update.Save(ctx)
	if err == nil && n == 0 {
		s.Log.WarnContext(ctx, "a run was taken over by another instance before it was written down", slog.String("job", j.Name), slog.Time("occurrence", r.run.Occurrence))
	}
	return err
}

// late is how long after it was due a run may begin that is not counted as caught up.
const late = time.Minute

// isRetried tells whether a failed run is tried again: an occurrence, as long as none after it has had its turn, and unless the failure is Final.
func (s *Scheduler) isRetried(ctx context.Context, j Job, run *ent.JobRun, failed error) (bool, error) {
	if final := Final(""); errors.As(failed, &final) || run.Cause == jobrun.CauseMANUAL && !j.Schedule.isAt(run.Occurrence) {
		return false, nil
	}
	l, err := s.read(ctx, j)
	return !run.Occurrence.Before(l.head), err
}

const maxError = 500 // bytes of the row

// describe says for the ledger what a job failed of, by codes and fixed texts alone: the cause, which may tell of patients, is for the log.
func describe(err error) string {
	if errors.Is(err, errPanicked) {
		return "The job panicked; the log has more."
	}
	if final := Final(""); errors.As(err, &final) {
		return string(final[:min(len(final), maxError)])
	}
	list, known := fault.All(err)
	if !known {
		return "An unknown error; the log has more."
	}
	var codes []string
	for _, e := range list {
		if code := string(e.Code); !slices.Contains(codes, code) && len(codes) < 10 {
			codes = append(codes, code)
		}
	}
	return strings.Join(codes, ", ")
}
