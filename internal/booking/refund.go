package booking

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	maxRefundAttempts = 8
	refundBackoff     = time.Minute // doubled with every try; also how long one try keeps others away
	refundBatch       = 50
)

// refund writes that money goes back and asks the provider once the transaction has committed.
func (s *Service) refund(ctx context.Context, o *ent.Order, amount money.Amount, reason string) error {
	err := s.DB.Client.Refund.Create().SetOrderID(o.ID).SetPatientID(o.PatientID).SetAmountMinor(amount.Minor).SetCurrency(amount.Currency).
		SetStatus(refund.StatusPROCESSING).SetReason(reason).SetNextAttemptAt(s.DB.Now()).Exec(ctx)
	if err != nil {
		return err
	}
	store.AfterCommit(ctx, func(ctx context.Context) {
		if _, err := s.RetryRefunds(ctx); err != nil {
			s.Log.ErrorContext(ctx, "refunds could not be asked for; the next run tries again", slog.Any("error", err))
		}
	})
	return nil
}

// RetryRefunds asks the provider about every refund that is due and returns how many have succeeded. A refund that failed too often is FAILED and needs a person.
func (s *Service) RetryRefunds(ctx context.Context) (succeeded int, err error) {
	ctx = access.System(ctx, "job:refunds")
	due, err := s.DB.Client.Refund.Query().Where(refund.StatusEQ(refund.StatusPROCESSING), refund.NextAttemptAtLTE(s.DB.Now())).
		Order(refund.ByCreatedAt()).Limit(refundBatch).IDs(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range due {
		ok, err := s.tryRefund(ctx, id)
		if err != nil {
			return succeeded, err
		}
		if ok {
			succeeded++
		}
	}
	return succeeded, nil
}

// tryRefund takes the refund for one try, asks the provider outside of the transaction and writes the answer.
func (s *Service) tryRefund(ctx context.Context, id uuid.UUID) (bool, error) {
	var r *ent.Refund
	err := s.DB.WithTx(ctx, func(ctx context.Context) error {
		r = nil
		if err := s.DB.Lock(ctx, refund.Table, id); err != nil {
			return err
		}
		due, err := s.DB.Client.Refund.Query().Where(refund.ID(id), refund.StatusEQ(refund.StatusPROCESSING),
			refund.NextAttemptAtLTE(s.DB.Now())).WithOrder().Only(ctx)
		if ent.IsNotFound(err) {
			return nil // another instance has it
		}
		if err != nil {
			return err
		}
		r = due
		return s.DB.Client.Refund.UpdateOne(due).AddAttempts(1).SetNextAttemptAt(s.DB.Now().Add(refundBackoff << due.Attempts)).Exec(ctx)
	})
	if err != nil || r == nil {
		return false, err
	}
	callCtx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	ref, askErr := s.Provider.Refund(callCtx, payment.RefundRequest{
		RefundID: r.ID, OrderID: r.OrderID, PaymentRef: r.Edges.Order.PaymentRef, Amount: money.Amount{Minor: r.AmountMinor, Currency: r.Currency},
	})
	if askErr != nil {
		s.Log.WarnContext(ctx, "a refund was not made", slog.String("refund", r.ID.String()), slog.Int("attempt", r.Attempts+1), slog.Any("error", askErr))
		return false, s.giveUp(ctx, r)
	}
	return true, s.settle(ctx, r, ref)
}

// giveUp ends a refund that has been tried too often.
func (s *Service) giveUp(ctx context.Context, r *ent.Refund) error {
	if r.Attempts+1 < maxRefundAttempts {
		return nil
	}
	s.Log.ErrorContext(ctx, "a refund has failed for good; somebody must pay it back", slog.String("refund", r.ID.String()), slog.String("order", r.OrderID.String()))
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		return s.DB.Client.Refund.UpdateOneID(r.ID).SetStatus(refund.StatusFAILED).ClearNextAttemptAt().Exec(ctx)
	})
}

// settle writes that the provider has paid back.
func (s *Service) settle(ctx context.Context, r *ent.Refund, ref string) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		o, _, err := s.lockedOrder(ctx, r.OrderID)
		if err != nil {
			return err
		}
		if err := s.DB.Client.Refund.UpdateOneID(r.ID).SetStatus(refund.StatusSUCCEEDED).SetProviderRef(ref).ClearNextAttemptAt().Exec(ctx); err != nil {
			return err
		}
		total, err := s.DB.Client.Refund.Query().Where(refund.OrderID(o.ID), refund.StatusEQ(refund.StatusSUCCEEDED)).
			Aggregate(ent.Sum(refund.FieldAmountMinor)).Int(ctx)
		if err != nil {
			return err
		}
		_, err = s.refunded(ctx, o, int64(total))
		return err
	})
}

// refunded raises what has been paid back of an order to total; a full refund ends it. A lower total is an older event.
func (s *Service) refunded(ctx context.Context, o *ent.Order, total int64) (string, error) {
	if total <= o.RefundedMinor {
		return "none", nil
	}
	update := s.DB.Client.Order.UpdateOne(o).SetRefundedMinor(total)
	if total >= o.AmountMinor && orderMayBecome(o.Status, order.StatusREFUNDED) {
		update.SetStatus(order.StatusREFUNDED)
	}
	return "refunded", update.Exec(ctx)
}
