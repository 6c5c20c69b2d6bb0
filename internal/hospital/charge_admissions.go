package hospital

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/civil"
)

// ChargeRun is what chargeAdmissions came to.
type ChargeRun struct {
	Run    *ent.JobRun   // nil for a dry run and for one admission
	Date   civil.Date    // that was charged
	Result *ChargeResult // nil while the run goes on, and when it failed
}

// ChargeAdmissions posts the daily charges of a date, or says what would be posted. All admissions of a date are charged by the job, whose run has its place
// among the others; it waits for it for some seconds at most. For billers and administrators. Errors: NOT_FOUND, DATE_IN_FUTURE, CONFLICT while the job
// runs or an earlier date has to be charged first.
func (s *Service) ChargeAdmissions(ctx context.Context, in ChargeAdmissionsInput) (*ChargeRun, error) {
	today := s.today()
	charge := ChargeInput{Date: today, AdmissionID: in.AdmissionID, IsDry: in.DryRun != nil && *in.DryRun}
	if in.Date != nil {
		charge.Date = *in.Date
	}
	done := &ChargeRun{Date: charge.Date}
	var err error
	switch {
	case charge.Date.After(today):
		return nil, ErrDateInFuture.At("date")
	case charge.IsDry, charge.AdmissionID != nil:
		done.Result, err = s.ChargeDate(ctx, charge)
	default:
		report := &Report{}
		if done.Run, err = s.RunCharges(WithReport(ctx, report), charge.Date); err == nil && done.Run.FinishedAt != nil {
			done.Result = report.Result()
		}
	}
	if err != nil {
		return nil, err
	}
	return done, nil
}
