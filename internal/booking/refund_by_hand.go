package booking

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
)

// RefundOrder pays back an order, in full or in part, for billers and administrators. The appointment stays: a visit may be given without money, and who
// wants it cancelled cancels it, which pays back by itself. Money that was taken at the desk is handed out there, so its refund has SUCCEEDED at once; else the
// provider is asked, and again until it answers; one that was given up can be asked for again. Errors: NOT_FOUND, ILLEGAL_STATUS for an order that is not paid, or is paid back, REFUND_TOO_LARGE for
// more than is left beside the refunds under way, INVALID_INPUT, IDEMPOTENCY_KEY_REQUIRED.
func (s *Service) RefundOrder(ctx context.Context, in RefundOrderInput) (*ent.Refund, *ent.Order, error) {
	if err := in.Validate(); err != nil {
		return nil, nil, err
	}
	result, err := idem.Do(access.System(ctx, "refundOrder"), s.DB, "refundOrder", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		o, _, err := s.lockedOrder(ctx, in.OrderID)
		if ent.IsNotFound(err) {
			err = fault.ErrNotFound.At("orderId")
		}
		if err != nil {
			return nil, err
		}
		r, err := s.refundByHand(ctx, o, in)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{r.ID, o.ID}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return s.refundOf(ctx, result)
}

// refundByHand checks what is left and writes the refund. The caller holds the order's lock.
func (s *Service) refundByHand(ctx context.Context, o *ent.Order, in RefundOrderInput) (*ent.Refund, error) {
	whole, err := s.refundable(ctx, o)
	if err != nil {
		return nil, err
	}
	back, err := s.onItsWay(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	left := whole - max(back, o.RefundedMinor)
	if whole == 0 || left <= 0 && o.Status == order.StatusREFUNDED {
		return nil, ErrIllegalStatus.Says("The order is not paid, or is paid back.").At("orderId")
	}
	amount := money.Amount{Minor: left, Currency: o.Currency}
	if in.Amount != nil {
		if amount, err = money.Parse(*in.Amount, o.Currency); err != nil || amount.Sign() <= 0 {
			return nil, fault.InvalidAt("This is not an amount above zero in the order's currency.", "amount")
		}
	}
	if amount.Minor > left || left <= 0 {
		return nil, ErrRefundTooLarge
	}
	reason := strings.TrimSpace(in.Reason)
	if !isDesk(o) {
		return s.askRefund(ctx, o, amount, reason)
	}
	r, err := s.DB.Client.Refund.Create().SetOrderID(o.ID).SetPatientID(o.PatientID).SetAmountMinor(amount.Minor).SetCurrency(o.Currency).
		SetStatus(refund.StatusPROCESSING).SetReason(reason).Save(ctx)
	if err != nil {
		return nil, err
	}
	return r, s.settled(ctx, o, r, "")
}

// refundable is what could be paid back of an order if nothing had been yet: its amount while the money is kept; of a payment that goes back anyway
// what the provider could not be brought to pay back; 0 when nothing was paid.
func (s *Service) refundable(ctx context.Context, o *ent.Order) (whole int64, err error) {
	switch o.Status {
	case order.StatusPAID, order.StatusCOMPLETED:
		return o.AmountMinor, nil
	case order.StatusREFUNDED:
		failed, err := s.failed(ctx, o.ID)
		for _, r := range failed {
			whole = max(whole, r.AmountMinor)
		}
		return whole, err
	default:
		return 0, nil
	}
}

// SettleRefund writes that a person has paid back what the provider cannot: a refund of money that was taken at the desk, or one that has FAILED. For billers
// and administrators. Errors: NOT_FOUND, ILLEGAL_STATUS for a refund that the provider makes or has made, REFUND_TOO_LARGE when it was paid back
// otherwise meanwhile, INVALID_INPUT, IDEMPOTENCY_KEY_REQUIRED.
func (s *Service) SettleRefund(ctx context.Context, in SettleRefundInput) (*ent.Refund, *ent.Order, error) {
	if err := in.Validate(); err != nil {
		return nil, nil, err
	}
	result, err := idem.Do(access.System(ctx, "settleRefund"), s.DB, "settleRefund", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		r, err := s.DB.Client.Refund.Get(ctx, in.RefundID)
		if ent.IsNotFound(err) {
			err = fault.ErrNotFound.At("refundId")
		}
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{r.ID, r.OrderID}, s.settleByHand(ctx, r, strings.TrimSpace(in.Reference))
	})
	if err != nil {
		return nil, nil, err
	}
	return s.refundOf(ctx, result)
}

// settleByHand locks the order and looks at the refund again before it writes.
func (s *Service) settleByHand(ctx context.Context, r *ent.Refund, reference string) error {
	o, _, err := s.lockedOrder(ctx, r.OrderID)
	if err != nil {
		return err
	}
	if r, err = s.DB.Client.Refund.Get(ctx, r.ID); err != nil {
		return err
	}
	switch {
	case r.Status == refund.StatusPROCESSING && isDesk(o):
	case r.Status == refund.StatusFAILED:
		back, err := s.onItsWay(ctx, o.ID)
		if err != nil {
			return err
		}
		if r.AmountMinor+max(back, o.RefundedMinor) > max(o.AmountMinor, r.AmountMinor) {
			return ErrRefundTooLarge.At("refundId")
		}
	default:
		return ErrIllegalStatus.Says("The payment provider makes this refund, or it has been made.").At("refundId")
	}
	if err := s.settled(ctx, o, r, reference); err != nil {
		return err
	}
	return s.withdrawAlerts(ctx, r)
}

// refundOf reads refund and order back as the viewer.
func (s *Service) refundOf(ctx context.Context, ids []uuid.UUID) (*ent.Refund, *ent.Order, error) {
	r, err := s.DB.Client.Refund.Get(ctx, ids[0])
	if err != nil {
		return nil, nil, err
	}
	o, err := s.shownOrder(ctx, ids[1])
	return r, o, err
}
