package wallet

import (
	"context"
	"slices"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
)

const reversalPrefix = "REV-"

// Reverse posts the opposite of each of the transactions, with the same counter-account, admission and date, for a reason that becomes its description.
// Like Post it is for services that act as the system in a transaction. Errors: ALREADY_REVERSED, ILLEGAL_STATUS for a reversal; then none is posted.
func (s *Service) Reverse(ctx context.Context, reason string, rows []*ent.WalletTransaction) ([]*ent.WalletTransaction, error) {
	if !store.InTx(ctx) {
		return nil, errNoTransaction
	}
	if len(rows) == 0 {
		return nil, nil
	}
	postings := make([]Posting, len(rows))
	patients, originals := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
	for i, t := range rows {
		switch {
		case t.Kind == wallettransaction.KindREVERSAL:
			return nil, ErrIllegalStatus
		case slices.Contains(originals[:i], t.ID):
			return nil, ErrAlreadyReversed
		}
		opposite, err := money.Amount{Minor: t.AmountMinor, Currency: t.Currency}.Neg()
		if err != nil {
			return nil, err
		}
		postings[i] = Posting{
			PatientID: t.PatientID, Kind: wallettransaction.KindREVERSAL, AmountMinor: opposite.Minor, CounterAccount: t.CounterAccount,
			AdmissionID: t.AdmissionID, ChargeDate: t.ChargeDate, Reference: reversalPrefix + t.Reference, Description: reason, ReversesID: &t.ID,
		}
		patients[i], originals[i] = t.PatientID, t.ID
	}
	if err := s.Lock(ctx, patients...); err != nil { // from here on nobody else reverses them
		return nil, err
	}
	if err := s.notReversed(ctx, originals); err != nil {
		return nil, err
	}
	return s.Post(ctx, postings)
}

// notReversed returns ALREADY_REVERSED when one of the transactions is.
func (s *Service) notReversed(ctx context.Context, originals []uuid.UUID) error {
	where, arg, err := s.among("reverses_id", originals)
	if err != nil {
		return err
	}
	query := statement{"SELECT id FROM wallet_transactions WHERE " + where + " LIMIT 1", []any{arg}}
	found := false
	err = s.DB.Query(ctx, "look for reversals", query, func(*entsql.Rows) error { found = true; return nil })
	if err == nil && found {
		err = ErrAlreadyReversed
	}
	return err
}
