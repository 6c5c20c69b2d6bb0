package wallet

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	entpatient "github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

// TopUp pays money into a patient's wallet, which is made when there is none, and returns the transaction with the wallet after it. For billers and
// administrators. Errors: NOT_FOUND, INVALID_INPUT, IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_REUSED.
func (s *Service) TopUp(ctx context.Context, in TopUpWalletInput) (*ent.WalletTransaction, *ent.Wallet, error) {
	amount, err := in.Validate(s.Currency)
	if err != nil {
		return nil, nil, err
	}
	description := "Top-up"
	if in.Note != nil && strings.TrimSpace(*in.Note) != "" {
		description = strings.TrimSpace(*in.Note)
	}
	return s.byHand(ctx, "topUpWallet", in.IdempotencyKey, in, Posting{
		PatientID: in.PatientID, Kind: wallettransaction.KindTOP_UP, AmountMinor: amount.Minor, CounterAccount: accountOf(in.Method), Description: description,
	})
}

// Adjust corrects a balance for a reason, or pays money back to the patient. For billers and administrators. Errors: those of TopUp.
func (s *Service) Adjust(ctx context.Context, in AdjustWalletInput) (*ent.WalletTransaction, *ent.Wallet, error) {
	amount, err := in.Validate(s.Currency)
	if err != nil {
		return nil, nil, err
	}
	p := Posting{
		PatientID: in.PatientID, Kind: wallettransaction.KindADJUSTMENT, AmountMinor: amount.Minor,
		CounterAccount: wallettransaction.CounterAccountADJUSTMENTS, Description: strings.TrimSpace(in.Reason),
	}
	if in.RefundBy != nil {
		p.Kind, p.CounterAccount = wallettransaction.KindREFUND, accountOf(*in.RefundBy)
	}
	return s.byHand(ctx, "adjustWallet", in.IdempotencyKey, in, p)
}

func accountOf(m PaymentMethod) wallettransaction.CounterAccount {
	if m == Card {
		return wallettransaction.CounterAccountCARD
	}
	return wallettransaction.CounterAccountCASH
}

// byHand posts what a person asked for, once per key.
func (s *Service) byHand(ctx context.Context, operation string, key *string, in any, p Posting) (*ent.WalletTransaction, *ent.Wallet, error) {
	result, err := idem.Do(ctx, s.DB, operation, key, in, func(ctx context.Context) ([]uuid.UUID, error) {
		there, err := s.DB.Client.Patient.Query().Where(entpatient.ID(p.PatientID)).Exist(ctx)
		if err == nil && !there {
			err = fault.ErrNotFound.At("patientId")
		}
		if err != nil {
			return nil, err
		}
		rows, err := s.Post(access.System(ctx, operation), []Posting{p})
		var f *fault.Error
		if errors.As(err, &f) && errors.Is(f, fault.ErrInvalid) { // the balance would not fit
			err = f.At("amount")
		}
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{rows[0].ID}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return s.shown(ctx, result[0])
}

// ReverseTransaction posts the opposite of a transaction, once, for a reason. For billers and administrators. Errors: NOT_FOUND, ALREADY_REVERSED,
// ILLEGAL_STATUS for a reversal, and for a daily charge that is owed, INVALID_INPUT, IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_REUSED.
func (s *Service) ReverseTransaction(ctx context.Context, in ReverseWalletTransactionInput) (*ent.WalletTransaction, *ent.Wallet, error) {
	if err := in.Validate(); err != nil {
		return nil, nil, err
	}
	result, err := idem.Do(ctx, s.DB, "reverseWalletTransaction", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		t, err := s.DB.Client.WalletTransaction.Get(ctx, in.TransactionID)
		if ent.IsNotFound(err) {
			err = fault.ErrNotFound.At("transactionId")
		}
		if err != nil {
			return nil, err
		}
		ctx = access.System(ctx, "reverseWalletTransaction")
		if s.MayReverse != nil && t.Kind != wallettransaction.KindREVERSAL {
			if err := s.MayReverse(ctx, t); err != nil {
				return nil, err
			}
		}
		rows, err := s.Reverse(ctx, strings.TrimSpace(in.Reason), []*ent.WalletTransaction{t})
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{rows[0].ID}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return s.shown(ctx, result[0])
}

// shown reads a transaction and its wallet back as the viewer.
func (s *Service) shown(ctx context.Context, id uuid.UUID) (*ent.WalletTransaction, *ent.Wallet, error) {
	t, err := s.DB.Client.WalletTransaction.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	w, err := s.DB.Client.Wallet.Get(ctx, t.WalletID)
	return t, w, err
}
