package hospital

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
)

// DailyRates returns what a day of today costs each of the patients who are in hospital and pay, in the ward where they lie now. For the wallets, as the system.
func (s *Service) DailyRates(ctx context.Context, patientIDs []uuid.UUID) (map[uuid.UUID]money.Amount, error) {
	ctx = access.System(ctx, "daily rates of patients")
	rows, err := s.DB.Client.Admission.Query().Where(admission.PatientIDIn(patientIDs...), admission.StatusEQ(admission.StatusADMITTED)).IDs(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	today := s.today()
	list, err := s.facts(ctx, rows, today, today.AddDays(1))
	if err != nil {
		return nil, err
	}
	now, rates := s.DB.Now(), make(map[uuid.UUID]money.Amount, len(list))
	for _, a := range list {
		if due := a.census(today, now); due.Skip == "" {
			rates[a.patient] = due.Amount
		}
	}
	return rates, nil
}

// MayReverse refuses to reverse by hand a daily charge that is owed: the next settling would post it again. For the wallets. Errors: ILLEGAL_STATUS.
func (s *Service) MayReverse(ctx context.Context, t *ent.WalletTransaction) error {
	if t.Kind != wallettransaction.KindDAILY_ADMISSION_CHARGE || t.AdmissionID == nil || t.ChargeDate == nil {
		return nil
	}
	list, err := s.facts(access.System(ctx, "whether a charge is owed"), []uuid.UUID{*t.AdmissionID}, *t.ChargeDate, *t.ChargeDate)
	if err != nil {
		return err
	}
	for _, a := range list {
		if due := Owed(s.Zone, a.Inpatient, *t.ChargeDate, *t.ChargeDate)[0]; due.Skip == "" && due.Amount.Minor == -t.AmountMinor {
			return ErrIllegalStatus.Says("The daily charge is owed: it would be posted again.").At("transactionId")
		}
	}
	return nil
}
