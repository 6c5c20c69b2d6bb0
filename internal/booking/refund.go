package booking

import (
	"context"
	"errors"
	"fmt"
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
	refundWait        = time.Hour // until the provider is asked what became of a refund that it has taken on
)

// refund writes that money goes back, at most what is left of it, and asks the provider once the transaction has committed. Money that was taken at the desk
// waits for a person, who is told. The caller holds the order's lock.
func (s *Service) refund(ctx context.Context, o *ent.Order, amount money.Amount, reason string) error {
	back, err := s.onItsWay(ctx, o.ID)
	if err != nil {
		return err
	}
	amount.Minor = min(amount.Minor, max(o.AmountMinor, amount.Minor)-max(back, o.RefundedMinor)) // another amount than asked goes back whole
	if amount.Minor <= 0 {
		return nil
	}
	_, err = s.askRefund(ctx, o, amount, reason)
	return err
}

// onItsWay is what is paid back of an order, or about to be.
func (s *Service) onItsWay(ctx context.Context, id uuid.UUID) (int64, error) {
	return sumOf(s.DB.Client.Refund.Query().Where(refund.OrderID(id), refund.StatusIn(refund.StatusPROCESSING, refund.StatusSUCCEEDED)).All(ctx))
}

// sumOf adds refunds up.
func sumOf(list []*ent.Refund, err error) (sum int64, _ error) {
	for _, r := range list {
		sum += r.AmountMinor
	}
	return sum, err
}

// askRefund writes the refund and sets it going.
func (s *Service) askRefund(ctx context.Context, o *ent.Order, amount money.Amount, reason string) (*ent.Refund, error) {
	create := s.DB.Client.Refund.Create().SetOrderID(o.ID).SetPatientID(o.PatientID).SetAmountMinor(amount.Minor).SetCurrency(amount.Currency).
		SetStatus(refund.StatusPROCESSING).SetReason(reason)
	if !isDesk(o) {
		create.SetNextAttemptAt(s.DB.Now())
	}
	r, err := create.Save(ctx)
	if err != nil {
		return nil, err
	}
	if isDesk(o) {
		return r, s.tellByHand(ctx, r)
	}
	store.AfterCommit(ctx, func(ctx context.Context) {
		if _, err := s.tryRefund(access.System(ctx, "refund"), r.ID); err != nil {
			s.Log.ErrorContext(ctx, "a refund could not be asked for; the next run tries again", slog.String("refund", r.ID.String()), slog.Any("error", err))
		}
	})
	return r, nil
}

// isDesk tells that the money was taken at the desk: no provider has it.
func isDesk(o *ent.Order) bool {
	return o.Method != nil && *o.Method != order.MethodONLINE
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
	r, err := s.takeRefund(ctx, id)
	if err != nil || r == nil {
		return false, err
	}
	callCtx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	ref, askErr := s.Provider.Refund(callCtx, payment.RefundRequest{
		RefundID: r.ID, OrderID: r.OrderID, PaymentRef: r.Edges.Order.PaymentRef, Amount: money.Amount{Minor: r.AmountMinor, Currency: r.Currency},
		Ref: r.ProviderRef,
	})
	if errors.Is(askErr, payment.ErrPending) {
		return false, s.await(ctx, r, ref)
	}
	if askErr != nil {
		s.Log.WarnContext(ctx, "a refund was not made", slog.String("refund", r.ID.String()), slog.Int("attempt", r.Attempts+1), slog.Any("error", askErr))
		if r.Attempts+1 < maxRefundAttempts {
			return false, nil
		}
		return false, s.giveUp(ctx, r)
	}
	return true, s.settle(ctx, r, ref)
}

// await writes that the provider has taken a refund on, and looks again in an hour; that is no try that counts.
func (s *Service) await(ctx context.Context, r *ent.Refund, ref string) error {
	err := s.DB.WithTx(ctx, func(ctx context.Context) error {
		return s.DB.Client.Refund.UpdateOneID(r.ID).Where(refund.StatusEQ(refund.StatusPROCESSING)).
			SetProviderRef(ref).SetAttempts(r.Attempts).SetNextAttemptAt(s.DB.Now().Add(refundWait)).Exec(ctx)
	})
	return ent.MaskNotFound(err) // it has been settled meanwhile
}

// takeRefund takes a due refund for one try; nil when another instance has it.
func (s *Service) takeRefund(ctx context.Context, id uuid.UUID) (r *ent.Refund, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		r = nil
		if err := s.DB.Lock(ctx, refund.Table, id); err != nil {
			return err
		}
		due, err := s.DB.Client.Refund.Query().Where(refund.ID(id), refund.StatusEQ(refund.StatusPROCESSING),
			refund.NextAttemptAtLTE(s.DB.Now())).WithOrder().Only(ctx)
		if ent.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		r = due
		return s.DB.Client.Refund.UpdateOne(due).AddAttempts(1).SetNextAttemptAt(s.DB.Now().Add(refundBackoff << due.Attempts)).Exec(ctx)
	})
	return r, err
}

// giveUp ends a refund that has been tried too often, and tells who can do something about it.
func (s *Service) giveUp(ctx context.Context, r *ent.Refund) error {
	s.Log.ErrorContext(ctx, "a refund has failed for good; somebody must pay it back", slog.String("refund", r.ID.String()), slog.String("order", r.OrderID.String()))
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		o, _, err := s.lockedOrder(ctx, r.OrderID)
		if err != nil {
			return err
		}
		err = s.DB.Client.Refund.UpdateOneID(r.ID).Where(refund.StatusEQ(refund.StatusPROCESSING)).
			SetStatus(refund.StatusFAILED).SetFinishedAt(s.DB.Now()).ClearNextAttemptAt().Exec(ctx)
		if ent.IsNotFound(err) {
			return nil // it has been settled meanwhile
		}
		if err != nil {
			return err
		}
		if !isPaidBack(o, r) {
			if err := s.tellFailed(ctx, r); err != nil {
				return err
			}
		}
		return s.account(ctx, o, o.RefundedMinor)
	})
}

// settle writes that a refund has been paid back. It does nothing for one that is settled.
func (s *Service) settle(ctx context.Context, r *ent.Refund, ref string) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		o, _, err := s.lockedOrder(ctx, r.OrderID)
		if err != nil {
			return err
		}
		return s.settled(ctx, o, r, ref)
	})
}

// settled is settle for who holds the order's lock.
func (s *Service) settled(ctx context.Context, o *ent.Order, r *ent.Refund, ref string) error {
	paidBack, err := s.DB.Client.Refund.UpdateOneID(r.ID).Where(refund.StatusNEQ(refund.StatusSUCCEEDED)).
		SetStatus(refund.StatusSUCCEEDED).SetProviderRef(ref).SetFinishedAt(s.DB.Now()).ClearNextAttemptAt().Save(ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.tellRefunded(ctx, o, paidBack); err != nil {
		return err
	}
	total, err := sumOf(s.DB.Client.Refund.Query().Where(refund.OrderID(o.ID), refund.StatusEQ(refund.StatusSUCCEEDED)).All(ctx))
	if err != nil {
		return err
	}
	_, err = s.raise(ctx, o, total)
	return err
}

// refunded applies what the provider tells of the sum that has gone back so far, by refunds of ours or by others.
func (s *Service) refunded(ctx context.Context, o *ent.Order, total int64) (string, error) {
	if isDesk(o) {
		return "none", nil // not the money that was taken
	}
	if err := s.account(ctx, o, total); err != nil {
		return "", err
	}
	return s.raise(ctx, o, total)
}

// raise lifts what has been paid back of an order to total; a full refund ends it. A lower total is an older event.
func (s *Service) raise(ctx context.Context, o *ent.Order, total int64) (string, error) {
	if total <= o.RefundedMinor {
		return "none", nil
	}
	update := s.DB.Client.Order.UpdateOne(o).SetRefundedMinor(total)
	if total >= o.AmountMinor && orderMayBecome(o.Status, order.StatusREFUNDED) {
		update.SetStatus(order.StatusREFUNDED)
	}
	raised, err := update.Save(ctx)
	if err != nil {
		return "", err
	}
	failed, err := s.failed(ctx, o.ID)
	if err != nil {
		return "", err
	}
	for _, r := range failed {
		if !isPaidBack(raised, r) {
			continue
		}
		if err := s.withdrawAlerts(ctx, r); err != nil {
			return "", err
		}
	}
	return "refunded", nil
}

// failed are the refunds of an order that were given up.
func (s *Service) failed(ctx context.Context, id uuid.UUID) ([]*ent.Refund, error) {
	return s.DB.Client.Refund.Query().Where(refund.OrderID(id), refund.StatusEQ(refund.StatusFAILED)).All(ctx)
}

// isPaidBack tells whether the money of a refund that was given up has gone back otherwise.
func isPaidBack(o *ent.Order, r *ent.Refund) bool {
	return o.Status == order.StatusREFUNDED && o.RefundedMinor >= r.AmountMinor
}

// account writes a refund for what has gone back by others, such as at the provider's own pages: the part of total that no refund of ours explains.
func (s *Service) account(ctx context.Context, o *ent.Order, total int64) error {
	ours, err := s.onItsWay(ctx, o.ID)
	if err != nil || total <= ours {
		return err
	}
	r, err := s.DB.Client.Refund.Create().SetOrderID(o.ID).SetPatientID(o.PatientID).SetAmountMinor(total - ours).SetCurrency(o.Currency).
		SetStatus(refund.StatusSUCCEEDED).SetReason("Paid back at the payment provider.").SetFinishedAt(s.DB.Now()).Save(ctx)
	if err != nil {
		return err
	}
	return s.tellRefunded(ctx, o, r)
}

// paidTwice takes a payment that came although its order is paid otherwise, by another payment or at the desk: it becomes an order of its own, which is paid
// back.
func (s *Service) paidTwice(ctx context.Context, first *ent.Order, e payment.Event) (string, error) {
	s.Log.ErrorContext(ctx, "an order was paid twice; the second payment goes back", slog.String("order", first.ID.String()))
	o, err := s.DB.Client.Order.Create().SetAppointmentID(first.AppointmentID).SetPatientID(first.PatientID).
		SetAmountMinor(e.Amount.Minor).SetCurrency(e.Amount.Currency).SetStatus(order.StatusREFUNDED).SetProvider(s.Provider.Name()).
		SetPaidAt(s.DB.Now()).SetMethod(order.MethodONLINE).SetPaymentRef(e.PaymentRef).SetFeeMinor(e.FeeMinor).SetExpiresAt(first.ExpiresAt).Save(ctx)
	if err != nil {
		return "", fmt.Errorf("second payment: %w", err)
	}
	return "refund: paid twice", s.refund(ctx, o, e.Amount, "The appointment was paid already.")
}
