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
	if err := s.tellSummary(access.System(ctx, "summary of daily charges"), d, result.Totals); err != nil {
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

// tellSummary puts what a run came to before administrators and billers. The first run of a date has it, whatever later ones come to.
func (s *Service) tellSummary(ctx context.Context, d civil.Date, t ChargeTotals) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		staff, err := s.staff(ctx, access.Admin, access.Biller)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%d admissions were looked at, %d charges of %s in all were posted, %d patients were exempt, %d charges failed.",
			t.Processed, t.Charged, t.Amount, t.Exempt, t.Failed)
		for _, u := range staff {
			if err := s.Notify.Notice(ctx, notify.Notice{
				Kind: chargeSummary, UserID: u.ID, SubjectID: uuid.Nil, Occurrence: d.String(), Title: "Daily charges of " + d.String(), Text: text,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
