package graph

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// verificationRun runs the verification of the ledger now, or returns the run that somebody else has begun.
func (r *Resolver) verificationRun(ctx context.Context) (*ent.JobRun, error) {
	run, _, err := r.Jobs.RunNow(ctx, scheduler.RunInput{Name: wallet.VerifyJob})
	if !errors.Is(err, fault.ErrConflict) {
		return run, err
	}
	name, state := wallet.VerifyJob, jobrun.StateRUNNING
	running, failed := r.Jobs.Runs(ctx, &name, &state).First(ctx)
	switch {
	case failed == nil:
		return running, nil
	case ent.IsNotFound(failed): // it has just ended
		return nil, err
	default:
		return nil, failed
	}
}
