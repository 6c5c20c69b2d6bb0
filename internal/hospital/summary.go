package hospital

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/notify"
)

const chargeSummary = "CHARGE_SUMMARY"

// ChargeDue posts the daily charges of a date and tells administrators and billers, once per date, what they came to. It is the method of the job
// daily-admission-charges. Any number of instances may run it, for the same date or others, and again after a failure. Errors are the database's.
func (s *Service) ChargeDue(ctx context.Context, d civil.Date) (ChargeTotals, error) {
	report := reportOf(ctx)
	result, err := s.ChargeDate(ctx, ChargeInput{Date: d, Progress: report.Progress})
	if err != nil {
		return ChargeTotals{}, err
	}
	if err := s.tellSummary(access.System(ctx, "summary of daily charges"), result); err != nil {
		return ChargeTotals{}, err
	}
	report.result.Store(result)
	return result.Totals, nil
}

// PreviewDue tells what ChargeDue would come to, and writes nothing.
func (s *Service) PreviewDue(ctx context.Context, d civil.Date) (ChargeTotals, error) {
	result, err := s.ChargeDate(ctx, ChargeInput{Date: d, IsDry: true})
	if err != nil {
		return ChargeTotals{}, err
	}
	return result.Totals, nil
}

// tellSummary puts what a date came to before administrators and billers: what stands after the first run that came to an end, which may have begun where another
// was broken off. Later runs tell nothing.
func (s *Service) tellSummary(ctx context.Context, r *ChargeResult) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		staff, err := s.staff(ctx, access.Admin, access.Biller)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%d admissions were looked at, %d charges of %s in all were posted, %d patients were exempt, %d charges failed.",
			r.Totals.Processed, r.Stands.Charges, r.Stands.Amount, r.Totals.Exempt, r.Totals.Failed)
		notices := make([]notify.Notice, len(staff))
		for i, u := range staff {
			notices[i] = notify.Notice{
				Kind: chargeSummary, UserID: u.ID, SubjectID: uuid.Nil, Occurrence: r.Date.String(), Title: "Daily charges of " + r.Date.String(), Text: text,
			}
		}
		return s.Notify.Notices(ctx, notices...)
	})
}
