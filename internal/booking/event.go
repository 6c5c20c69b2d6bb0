package booking

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/paymentevent"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const webhookCause = "payment_webhook"

// eventClaim decides that an event has its effect once.
var eventClaim = store.Constraint{Postgres: "paymentevent_provider_event_id", SQLite: "payment_events.provider, payment_events.event_id"}

// HandleEvent applies a webhook event whose signature has been checked. The event's id and its effect are one transaction, so that an event delivered
// many times at once, or out of order, has one effect.
func (s *Service) HandleEvent(ctx context.Context, e payment.Event) error {
	ctx = access.System(ctx, webhookCause)
	err := s.handle(ctx, e)
	if store.Violates(err, liveSlot) || store.Violates(err, slotsOpen) || store.Violates(err, patientOverlap) {
		err = s.handle(ctx, e) // the time was taken between the look and the claim; the second look sees it
	}
	if store.Violates(err, eventClaim) {
		return nil
	}
	return err
}

// handle is one try of HandleEvent.
func (s *Service) handle(ctx context.Context, e payment.Event) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		name := s.Provider.Name()
		if err := s.DB.LockName(ctx, "payment event "+name+" "+e.ID); err != nil {
			return err
		}
		known, err := s.DB.Client.PaymentEvent.Query().Where(paymentevent.Provider(name), paymentevent.EventID(e.ID)).Exist(ctx)
		if err != nil || known {
			return err
		}
		orderID, outcome, err := s.apply(ctx, e)
		if err != nil {
			return err
		}
		return s.DB.Client.PaymentEvent.Create().SetProvider(name).SetEventID(e.ID).SetType(string(e.Type)).
			SetNillableOrderID(orderID).SetOutcome(outcome).Exec(ctx)
	})
}

// apply has the event's effect and returns the order it was about, if it is one of ours, and what it changed.
func (s *Service) apply(ctx context.Context, e payment.Event) (*uuid.UUID, string, error) {
	id, err := s.orderOf(ctx, e)
	if err != nil {
		return nil, "", err
	}
	o, a, err := s.lockedOrder(ctx, id)
	if ent.IsNotFound(err) {
		return nil, "none: not an order of ours", nil
	}
	if err != nil {
		return nil, "", err
	}
	outcome := "none"
	switch e.Type {
	case payment.CheckoutCompleted:
		if e.IsPaid {
			outcome, err = s.paid(ctx, o, a, e)
		}
	case payment.CheckoutExpired:
		outcome, err = s.orderStep(ctx, o, order.StatusEXPIRED)
	case payment.PaymentFailed:
		if outcome, err = s.orderStep(ctx, o, order.StatusFAILED); err == nil && outcome != "none" {
			s.closePage(ctx, o) // a new order may be made: this one's page must not take money too
		}
	case payment.ChargeRefunded:
		outcome, err = s.refunded(ctx, o, e.Amount.Minor)
	}
	return &o.ID, outcome, err
}

// paid takes a payment: it books the appointment if that is still possible, else everything goes back.
func (s *Service) paid(ctx context.Context, o *ent.Order, a *ent.Appointment, e payment.Event) (string, error) {
	if !orderMayBecome(o.Status, order.StatusPAID) {
		if e.PaymentRef == "" || e.PaymentRef == o.PaymentRef {
			return "none", nil
		}
		return s.paidTwice(ctx, o, e)
	}
	other, err := s.DB.Client.Order.Query().Where(order.AppointmentID(a.ID), order.IDNEQ(o.ID),
		order.StatusIn(order.StatusPENDING, order.StatusPAID, order.StatusCOMPLETED)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return "", err
	}
	if other != nil && other.Status == order.StatusPENDING { // a newer order waits: this payment came first, the newer page is closed
		if _, err := s.orderStep(ctx, other, order.StatusEXPIRED); err != nil {
			return "", err
		}
		s.closePage(ctx, other)
		other = nil
	}
	if err := s.withdrawLink(ctx, o); err != nil {
		return "", err
	}
	update := s.DB.Client.Order.UpdateOne(o).SetPaidAt(s.DB.Now()).SetMethod(order.MethodONLINE).SetPaymentRef(e.PaymentRef).SetFeeMinor(e.FeeMinor)
	if other != nil { // the visit is paid by another order: this one never becomes live
		if !orderMayBecome(o.Status, order.StatusREFUNDED) {
			return "none", nil
		}
		if o, err = update.SetStatus(order.StatusREFUNDED).Save(ctx); err != nil {
			return "", err
		}
		return "refund: paid twice", s.refund(ctx, o, e.Amount, "The appointment was paid by another order.")
	}
	if o, err = update.SetStatus(order.StatusPAID).Save(ctx); err != nil {
		return "", err
	}
	if asked := (money.Amount{Minor: o.AmountMinor, Currency: o.Currency}); e.Amount != asked {
		s.Log.ErrorContext(ctx, "a payment of another amount came in and goes back", slog.String("order", o.ID.String()))
		if _, err := s.orderStep(ctx, o, order.StatusREFUNDED); err != nil { // it will never pay the visit: a new one may
			return "", err
		}
		return "refund: another amount", s.refund(ctx, o, e.Amount, "The amount paid is not the amount asked.")
	}
	if o.RefundedMinor >= o.AmountMinor { // the event of the refund came first
		return s.orderStep(ctx, o, order.StatusREFUNDED)
	}
	reason, err := s.cannotBook(ctx, a)
	if err != nil {
		return "", err
	}
	if reason != "" {
		return "refund: " + reason, s.refund(ctx, o, e.Amount, reason)
	}
	return "booked", s.confirm(ctx, a, webhookCause)
}

// cannotBook tells why a paid appointment cannot be booked any more; "" when it can.
func (s *Service) cannotBook(ctx context.Context, a *ent.Appointment) (string, error) {
	if a.DeletedAt != nil || !mayBecome(a.Status, appointment.StatusBOOKED) {
		return "The appointment had ended before the payment came.", nil
	}
	if !a.StartsAt.After(s.DB.Now()) {
		if a.Status == appointment.StatusPENDING {
			if _, err := s.expire(ctx, a.ID, webhookCause); err != nil {
				return "", err
			}
		}
		return "The payment came after the start of the appointment.", nil
	}
	if a.Status == appointment.StatusPENDING {
		return "", nil // it holds its slot
	}
	for reason, where := range map[string]predicate.Appointment{
		"The time was taken before the payment came.": appointment.SlotID(a.SlotID),
		"The patient has another appointment at that time now.": appointment.And(
			appointment.PatientID(a.PatientID), appointment.StartsAtLT(a.EndsAt), appointment.EndsAtGT(a.StartsAt)),
	} {
		others, err := s.DB.Client.Appointment.Query().Where(where, appointment.IDNEQ(a.ID), appointment.StatusIn(liveStatuses...)).All(ctx)
		if err != nil {
			return "", err
		}
		for _, other := range others {
			if gone, err := s.givesWay(ctx, other, webhookCause); err != nil || !gone {
				return reason, err
			}
		}
	}
	isOffered, err := s.DB.Client.Slot.Query().
		Where(slot.ID(a.SlotID), slot.StartsAt(a.StartsAt), slot.EndsAt(a.EndsAt), free(s.DB.Now())).Exist(ctx)
	if err != nil || isOffered {
		return "", err
	}
	return "The time was taken from the calendar before the payment came.", nil
}

// Webhook checks and applies a webhook of the provider, given its raw body. Errors: NOT_FOUND for another provider, payment.ErrSignature.
func (s *Service) Webhook(ctx context.Context, provider string, header http.Header, body []byte) error {
	if provider != s.Provider.Name() {
		return fault.ErrNotFound
	}
	e, err := s.Provider.ParseEvent(ctx, header, body)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return s.HandleEvent(ctx, e)
}
