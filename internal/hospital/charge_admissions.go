package hospital

import (
	"context"
	"slices"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

// ChargeRun is what chargeAdmissions came to.
type ChargeRun struct {
	Run    *ent.JobRun   // nil for a dry run and for one admission
	Date   civil.Date    // that was charged
	Result *ChargeResult // nil while the run goes on, and when it failed
	IsPart bool          // the time of a dry run was over: the result is what was found until then
}

// dryTime is how long a dry run of all admissions looks: an operation has 10 seconds.
const dryTime = 8 * time.Second

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
	case charge.IsDry && charge.AdmissionID == nil:
		done.Result, done.IsPart, err = s.preview(ctx, charge)
	case charge.AdmissionID != nil:
		done.Result, err = s.ChargeDate(ctx, charge)
	default:
		report := &Report{}
		if done.Run, err = s.RunCharges(WithReport(ctx, report), charge.Date); err == nil && done.Run.FinishedAt != nil {
			done.Result = report.Result()
		}
		err = atDate(err)
	}
	if err != nil {
		return nil, err
	}
	return done, nil
}

// preview looks at all admissions as long as there is time; isPart tells that it has not come to the last.
func (s *Service) preview(ctx context.Context, in ChargeInput) (found *ChargeResult, isPart bool, err error) {
	looking, cancel := context.WithTimeout(ctx, s.dryTime)
	defer cancel()
	found, err = s.ChargeDate(looking, in)
	if err != nil && looking.Err() != nil && ctx.Err() == nil {
		return found, true, nil
	}
	return found, false, err
}

// atDate says of the job's refusals which field of the input they are about: the occurrence is the date.
func atDate(err error) error {
	list, known := fault.All(err)
	if !known || len(list) != 1 || !slices.Equal(list[0].Field, []string{"occurrence"}) {
		return err
	}
	return list[0].At("date")
}
