package booking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const deskCause = "recordPayment"

// errPageOpened tells that the order got a page while its payment at the desk was about to be written.
var errPageOpened = errors.New("booking: the order has a page to pay on that is not closed")

// RecordPayment writes that an order was paid in full at the desk and books its appointment, for billers, schedulers and administrators. The provider's page is
// closed first, so that no visit is paid twice. It returns the order and the appointment as far as the viewer may see them. Errors: NOT_FOUND, also for
// schedulers and what was paid online, ILLEGAL_STATUS for an order that is paid, or whose payment is under way, PAYMENT_EXPIRED, INVALID_INPUT, IDEMPOTENCY_KEY_REQUIRED, UNAVAILABLE when the provider does
// not answer; asking again is then safe.
func (s *Service) RecordPayment(ctx context.Context, in RecordPaymentInput) (*ent.Order, *ent.Appointment, error) {
	if err := in.Validate(); err != nil {
		return nil, nil, err
	}
	if seen, err := s.DB.Client.Order.Query().Where(order.ID(in.OrderID)).Exist(ctx); err != nil || !seen {
		return nil, nil, cmp.Or(err, error(fault.ErrNotFound.At("orderId")))
	}
	system := access.System(ctx, deskCause)
	var result []uuid.UUID
	err := errPageOpened
	for range maxMoves {
		var closed string
		if closed, err = s.endPage(system, in.OrderID); err != nil {
			return nil, nil, err
		}
		result, err = idem.Do(system, s.DB, "recordPayment", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
			return s.payAtDesk(ctx, in, closed)
		})
		if !errors.Is(err, errPageOpened) {
			break
		}
	}
	if store.Violates(err, liveOrder) {
		err = ErrIllegalStatus.Says("Another order of the appointment waits for its payment, or is paid.").At("orderId")
	}
	if err != nil {
		return nil, nil, err
	}
	o, err := s.shownOrder(ctx, result[0])
	if err != nil {
		return nil, nil, err
	}
	a, err := s.DB.Client.Appointment.Get(ctx, result[1])
	return o, a, ent.MaskNotFound(err)
}

// endPage closes the page of an unpaid order at the provider, which then takes no more money for it, and returns its id. What the provider tells instead of
// closing, a payment that was faster, is applied.
func (s *Service) endPage(ctx context.Context, id uuid.UUID) (closed string, err error) {
	o, err := s.DB.Client.Order.Query().Where(order.ID(id)).WithAppointment().Only(ctx)
	if ent.IsNotFound(err) {
		return "", fault.ErrNotFound.At("orderId")
	}
	if err != nil || o.ProviderRef == nil {
		return "", err
	}
	if orderMayBecome(o.Status, order.StatusPAID) && o.Provider == s.Provider.Name() &&
		StatusAt(o.Edges.Appointment, s.DB.Now()) == appointment.StatusPENDING {
		err = s.endPayment(ctx, *o.ProviderRef)
	}
	return *o.ProviderRef, err
}

// endPayment closes a page and makes sure that nothing has been paid on it.
func (s *Service) endPayment(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	err := s.Provider.ExpireCheckout(ctx, ref)
	if err != nil {
		return fault.ErrUnavailable.Says("The payment provider does not answer. Try again.").Because(fmt.Errorf("close checkout: %w", err))
	}
	e, found, err := s.Provider.Lookup(ctx, ref)
	switch {
	case err != nil:
		return fault.ErrUnavailable.Says("The payment provider does not answer. Try again.").Because(fmt.Errorf("look up checkout: %w", err))
	case !found || e.Type != payment.CheckoutCompleted:
		return nil
	case !e.IsPaid:
		return ErrIllegalStatus.Says("An online payment of this order is under way.").At("orderId")
	default:
		return s.HandleEvent(ctx, e)
	}
}

// payAtDesk writes the payment and books. closed is the page that was closed before.
func (s *Service) payAtDesk(ctx context.Context, in RecordPaymentInput, closed string) ([]uuid.UUID, error) {
	o, a, err := s.lockedOrder(ctx, in.OrderID)
	if err != nil {
		return nil, err
	}
	switch {
	case !orderMayBecome(o.Status, order.StatusPAID):
		return nil, ErrIllegalStatus.Says("The order is paid already.").At("orderId")
	case StatusAt(a, s.DB.Now()) == appointment.StatusPAYMENT_EXPIRED:
		return nil, ErrPaymentExpired.At("orderId")
	case a.Status != appointment.StatusPENDING:
		return nil, ErrIllegalStatus.At("orderId")
	case o.ProviderRef != nil && *o.ProviderRef != closed:
		return nil, errPageOpened
	}
	if err := s.withdrawLink(ctx, o); err != nil {
		return nil, err
	}
	update := s.DB.Client.Order.UpdateOne(o).SetStatus(order.StatusPAID).SetPaidAt(s.DB.Now()).SetMethod(in.Method)
	if in.Reference != nil {
		update.SetPaymentRef(strings.TrimSpace(*in.Reference))
	}
	if err := update.Exec(ctx); err != nil {
		return nil, err
	}
	return []uuid.UUID{o.ID, a.ID}, s.confirm(ctx, a, deskCause)
}
