package hospital

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/wallet"
)

// feeNotOwed is why a fee is reversed; what the ledger then shows people, and by which it is told from a fee that was waived by hand.
const feeNotOwed = "The fee of the admission is not owed: the patient was a member of the national scheme."

// chargeFee makes the wallet, if there is none, and posts the fee of the admission; members of the national scheme, on the date of the admission, owe none.
func (s *Service) chargeFee(ctx context.Context, a *ent.Admission) error {
	if err := s.Wallets.Lock(ctx, a.PatientID); err != nil || s.AdmissionFee.IsZero() {
		return err
	}
	exempt, err := s.exemptOn(ctx, []uuid.UUID{a.PatientID}, civil.DateOf(a.AdmittedAt, s.Zone))
	if err != nil || exempt[a.PatientID] {
		return err
	}
	debit, err := s.AdmissionFee.Neg()
	if err != nil {
		return err
	}
	_, err = s.Wallets.Post(ctx, []wallet.Posting{feePosting(a, debit.Minor, 0)})
	return err
}

// feePosting is the row of the ledger of a fee: of the first one, or of one that follows a reversal.
func feePosting(a *ent.Admission, debitMinor int64, sequence int) wallet.Posting {
	reference := "FEE-" + a.ID.String()
	if sequence > 0 {
		reference += fmt.Sprintf("-%d", sequence)
	}
	return wallet.Posting{
		PatientID: a.PatientID, Kind: wallettransaction.KindADMISSION_FEE, AmountMinor: debitMinor,
		CounterAccount: wallettransaction.CounterAccountADMISSION_REVENUE, AdmissionID: &a.ID, Reference: reference, Description: "Admission fee",
	}
}

// feeOf returns the fee that was posted for the admission and stands.
func (s *Service) feeOf(ctx context.Context, admissionID uuid.UUID) (money.Amount, error) {
	fee := s.amount(0)
	fees, err := s.fees(ctx, []uuid.UUID{admissionID})
	if newest := fees[admissionID].newest; err == nil && newest != nil && fees[admissionID].reversal == nil {
		fee, err = fee.Sub(s.amount(newest.AmountMinor))
	}
	return fee, err
}

// postedFee is what the ledger holds of an admission's fee: a fee follows another only when that was reversed.
type postedFee struct {
	count    int
	newest   *ent.WalletTransaction // nil when none was posted
	reversal *ent.WalletTransaction // of the newest; nil when it stands
}

// fees reads what the ledger holds of the fees of the admissions. For the system.
func (s *Service) fees(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]postedFee, error) {
	rows, err := s.DB.Client.WalletTransaction.Query().
		Where(among(wallettransaction.FieldAdmissionID, ids), wallettransaction.KindEQ(wallettransaction.KindADMISSION_FEE)).
		Order(wallettransaction.ByPosition()).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	reversals, err := s.DB.Client.WalletTransaction.Query().Where(among(wallettransaction.FieldReversesID, idsOf(rows))).All(ctx)
	if err != nil {
		return nil, err
	}
	byReversed := make(map[uuid.UUID]*ent.WalletTransaction, len(reversals))
	for _, r := range reversals {
		byReversed[*r.ReversesID] = r
	}
	fees := make(map[uuid.UUID]postedFee, len(rows))
	for _, row := range rows {
		id := *row.AdmissionID
		fees[id] = postedFee{count: fees[id].count + 1, newest: row, reversal: byReversed[row.ID]}
	}
	return fees, nil
}

// settlingFees changes a membership of the patient. Where that changes whether it counts on the date of an admission, the fee is reversed, or posted, or posted
// again; one that was waived by hand is not. The caller holds the admissions and the wallet.
func (s *Service) settlingFees(ctx context.Context, patientID uuid.UUID, ids []uuid.UUID, change func() error) (done settled, err error) {
	list, err := s.DB.Client.Admission.Query().Where(admission.IDIn(ids...)).Order(admission.ByAdmittedAt(), admission.ByID()).All(ctx)
	if err != nil {
		return done, err
	}
	before, err := s.exemptAtAdmission(ctx, patientID, list)
	if err != nil {
		return done, err
	}
	if err := change(); err != nil || len(list) == 0 {
		return done, err
	}
	after, err := s.exemptAtAdmission(ctx, patientID, list)
	if err != nil {
		return done, err
	}
	fees, err := s.fees(ctx, ids)
	if err != nil {
		return done, err
	}
	var undo []*ent.WalletTransaction
	var missing []wallet.Posting
	for i, a := range list {
		fee := fees[a.ID]
		switch stands := fee.newest != nil && fee.reversal == nil; {
		case before[i] == after[i]:
		case after[i] && stands:
			undo = append(undo, fee.newest)
		case before[i] && fee.newest == nil && !s.AdmissionFee.IsZero():
			missing = append(missing, feePosting(a, -s.AdmissionFee.Minor, 0))
		case before[i] && fee.reversal != nil && fee.reversal.Description == feeNotOwed:
			missing = append(missing, feePosting(a, fee.newest.AmountMinor, fee.count))
		}
	}
	if done.reversed, err = s.Wallets.Reverse(ctx, feeNotOwed, undo); err != nil {
		return done, err
	}
	done.posted, err = s.Wallets.Post(ctx, missing)
	return done, err
}

// exemptAtAdmission tells of each of the patient's admissions, which are in order of their times, whether a membership counts on its date.
func (s *Service) exemptAtAdmission(ctx context.Context, patientID uuid.UUID, list []*ent.Admission) ([]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	date := func(a *ent.Admission) civil.Date { return civil.DateOf(a.AdmittedAt, s.Zone) }
	members, err := s.memberships(ctx, []uuid.UUID{patientID}, date(list[0]), date(list[len(list)-1]))
	exempt := make([]bool, len(list))
	for i, a := range list {
		exempt[i] = isExemptOn(members[patientID], date(a))
	}
	return exempt, err
}
