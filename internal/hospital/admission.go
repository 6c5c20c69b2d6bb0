package hospital

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/stay"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/wallet"
)

// Admissions returns the admissions that the viewer may see, all or those of patients who lie in a ward now.
func (s *Service) Admissions(wardID *uuid.UUID) *ent.AdmissionQuery {
	q := s.DB.Client.Admission.Query()
	if wardID == nil {
		return q
	}
	return q.Where(func(q *sql.Selector) {
		lying := sql.Dialect(q.Dialect()).Select(stay.FieldAdmissionID).From(sql.Table(stay.Table)).
			Where(sql.And(sql.EQ(stay.FieldWardID, *wardID), sql.IsNull(stay.FieldToAt)))
		q.Where(sql.In(q.C(admission.FieldID), lying))
	})
}

// CurrentStays returns where the patients of the admissions lie now, with bed and ward, as far as the viewer may see that.
func (s *Service) CurrentStays(ctx context.Context, admissionIDs []uuid.UUID) (map[uuid.UUID]*ent.Stay, error) {
	found, err := s.DB.Client.Stay.Query().Where(stay.AdmissionIDIn(admissionIDs...), stay.ToAtIsNil()).
		WithWard().WithBed(func(q *ent.BedQuery) { q.WithWard() }).All(ctx)
	list := make(map[uuid.UUID]*ent.Stay, len(found))
	for _, one := range found {
		list[one.AdmissionID] = one
	}
	return list, err
}

// AddAdmissionCharge charges something beside the bed, also after the admission; members of the national scheme owe it as everybody does. Billers and
// administrators may. Errors: NOT_FOUND, INVALID_INPUT, IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_REUSED.
func (s *Service) AddAdmissionCharge(ctx context.Context, in AddAdmissionChargeInput) (*ent.WalletTransaction, *ent.Wallet, error) {
	description, charge, err := in.Validate(s.Currency)
	if err != nil {
		return nil, nil, err
	}
	a, err := s.visible(ctx, in.AdmissionID)
	if err != nil {
		return nil, nil, err
	}
	result, err := idem.Do(access.System(ctx, "addAdmissionCharge"), s.DB, "addAdmissionCharge", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		debit, err := charge.Neg()
		if err != nil {
			return nil, err
		}
		posted, err := s.Wallets.Post(ctx, []wallet.Posting{{
			PatientID: a.PatientID, Kind: wallettransaction.KindADMISSION_CHARGE, AmountMinor: debit.Minor,
			CounterAccount: wallettransaction.CounterAccountADMISSION_REVENUE, AdmissionID: &a.ID, Description: description,
		}})
		return idsOf(posted), err
	})
	if err != nil {
		return nil, nil, err
	}
	posted, err := s.DB.Client.WalletTransaction.Get(ctx, result[0])
	if err != nil {
		return nil, nil, err
	}
	w, err := s.DB.Client.Wallet.Query().Where(entwallet.PatientID(a.PatientID)).Only(ctx)
	return posted, w, err
}

func idsOf(rows []*ent.WalletTransaction) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, t := range rows {
		ids[i] = t.ID
	}
	return ids
}

// transactions reads back, as the viewer, what was posted, in order.
func (s *Service) transactions(ctx context.Context, ids []uuid.UUID) ([]*ent.WalletTransaction, error) {
	return s.DB.Client.WalletTransaction.Query().Where(wallettransaction.IDIn(ids...)).
		Order(ent.Asc(wallettransaction.FieldWalletID, wallettransaction.FieldPosition)).All(ctx)
}
