package graph

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// verificationIsNew is how long what a run has found is told to who asks again, because it was answered before the run had ended.
const verificationIsNew = 5 * time.Minute

// verificationRun returns the run of the verification that goes on, or has just ended after its callers had gone, whichever instance runs it, or else runs it now.
func (r *Resolver) verificationRun(ctx context.Context) (*ent.JobRun, error) {
	if run, err := r.recentVerification(ctx); err != nil || run != nil {
		return run, err
	}
	run, _, err := r.Jobs.RunNow(ctx, scheduler.RunInput{Name: wallet.VerifyJob})
	if !errors.Is(err, fault.ErrConflict) {
		return run, err
	}
	recent, failed := r.recentVerification(ctx) // somebody else was faster
	if failed != nil {
		return nil, failed
	}
	if recent == nil {
		return nil, err
	}
	return recent, nil
}

// recentVerification returns the newest run that goes on, or took longer than its callers wait and has ended a short time ago with a finding; nil when there is none.
func (r *Resolver) recentVerification(ctx context.Context) (*ent.JobRun, error) {
	name, now := wallet.VerifyJob, r.Jobs.DB.Now()
	runs, err := r.Jobs.Runs(ctx, &name, nil).Where(jobrun.Or(
		jobrun.And(jobrun.StateEQ(jobrun.StateRUNNING), jobrun.LeaseUntilGT(now)),
		jobrun.And(jobrun.StateIn(jobrun.StateRAN, jobrun.StateCAUGHT_UP, jobrun.StateFAILED), jobrun.FinishedAtGT(now.Add(-verificationIsNew))),
	)).Order(jobrun.ByStartedAt(), jobrun.ByID()).All(ctx)
	for _, run := range slices.Backward(runs) {
		if run.State == jobrun.StateRUNNING || outlasted(run, r.Jobs.Patience) && r.Wallets.Verification(run).IsWhole != nil {
			return run, nil
		}
	}
	return nil, err
}

// outlasted tells whether the run took longer than that.
func outlasted(run *ent.JobRun, patience time.Duration) bool {
	return run.StartedAt != nil && run.FinishedAt != nil && run.FinishedAt.Sub(*run.StartedAt) >= patience
}
