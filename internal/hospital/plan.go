package hospital

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
)

// chargePlan tells what is charged daily for the admission, and from when on, as things stand in the transaction of ctx; as the system.
func (s *Service) chargePlan(ctx context.Context, a *ent.Admission) (*ChargePlan, error) {
	ctx = access.System(ctx, "plan of charges")
	today := s.today()
	members, err := s.memberships(ctx, []uuid.UUID{a.PatientID}, today, today)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	fee, err := s.feeOf(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	plan := &ChargePlan{
		DailyRate: s.amount(0), AdmissionFee: fee, FirstChargeDate: firstChargeDate(s.Zone, a.AdmittedAt),
		IsExempt: isExemptOn(members[a.PatientID], today),
	}
	if !plan.IsExempt {
		if plan.DailyRate, err = s.presentRate(ctx, a.ID); err != nil {
			return nil, err
		}
	}
	plan.Summary = plan.sentence()
	return plan, nil
}

// presentRate returns what a day costs today in the ward where the patient lies now; zero when in none.
func (s *Service) presentRate(ctx context.Context, admissionID uuid.UUID) (money.Amount, error) {
	lies, err := s.DB.Client.Stay.Query().Where(stay.AdmissionID(admissionID), stay.ToAtIsNil()).Only(ctx)
	if err != nil {
		return s.amount(0), ent.MaskNotFound(err)
	}
	today := s.today()
	rates, err := s.rates(ctx, []uuid.UUID{lies.WardID}, today)
	if err != nil {
		return s.amount(0), fmt.Errorf("read rates: %w", err)
	}
	rate := rateOn(rates[lies.WardID], today)
	return s.amount(rate.Minor), nil
}

// feeOf returns the fee that was posted for the admission and stands.
func (s *Service) feeOf(ctx context.Context, admissionID uuid.UUID) (money.Amount, error) {
	fee := s.amount(0)
	rows, err := s.DB.Client.WalletTransaction.Query().
		Where(wallettransaction.AdmissionID(admissionID), wallettransaction.KindEQ(wallettransaction.KindADMISSION_FEE)).All(ctx)
	if err != nil {
		return fee, err
	}
	reversed, err := s.reversed(ctx, rows)
	for _, row := range rows {
		if err == nil && !reversed[row.ID] {
			fee, err = fee.Sub(s.amount(row.AmountMinor))
		}
	}
	return fee, err
}

// sentence says the plan to people.
func (p *ChargePlan) sentence() string {
	if p.IsExempt {
		return "The patient is a member of the national scheme and is charged nothing for the bed."
	}
	text := fmt.Sprintf("%s is charged for each night that begins in hospital, the first on %s.", p.DailyRate, p.FirstChargeDate)
	if p.DailyRate.IsZero() {
		text = "Nothing is charged daily: the ward has no rate."
	}
	if !p.AdmissionFee.IsZero() {
		text += fmt.Sprintf(" A fee of %s was charged for the admission.", p.AdmissionFee)
	}
	return text
}
