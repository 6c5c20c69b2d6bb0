package booking

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

// CreateOrder asks for the payment of a PENDING appointment and returns the order with the page to pay on: patients for their own, schedulers and
// administrators for anybody's, who then gets the page by mail. Asking again returns the same live order together with ORDER_EXISTS. Without a payment
// provider staff get the order alone, for a payment at the desk. Errors: NOT_FOUND, ILLEGAL_STATUS, PAYMENT_EXPIRED, ORDER_EXISTS, UNAVAILABLE when the
// payment provider does not answer; asking again is then safe.
func (s *Service) CreateOrder(ctx context.Context, in CreateOrderInput) (*ent.Order, error) {
	var exists bool
	acting := asPayer(ctx, "createOrder")
	result, err := idem.Do(acting, s.DB, "createOrder", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		o, found, err := s.claimOrder(ctx, in.AppointmentID)
		if err != nil {
			return nil, err
		}
		exists = found
		return []uuid.UUID{o.ID}, nil
	})
	if store.Violates(err, liveOrder) { // a twin was faster
		return s.CreateOrder(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	o, err := s.withPage(ctx, result[0])
	if err != nil {
		return nil, err
	}
	if exists {
		return o, ErrOrderExists.With(ExistingOrder{o})
	}
	return o, nil
}

// withPage returns the order with the page to pay on, which is opened if it is not yet.
func (s *Service) withPage(ctx context.Context, id uuid.UUID) (*ent.Order, error) {
	o, err := s.DB.Client.Order.Get(ctx, id)
	switch {
	case ent.IsNotFound(err): // a scheduler does not see what was paid online
		return nil, ErrIllegalStatus.Says("The appointment is paid already.")
	case err != nil || o.CheckoutURL != "":
		return o, err
	case o.PaidAt != nil: // at the desk: there never was a page
		return o, nil
	case o.Status != order.StatusPENDING || !s.DB.Now().Before(o.ExpiresAt):
		return nil, ErrPaymentExpired // a repeated call that comes too late
	case s.isOff() && !access.From(ctx).Has(access.Patient):
		return o, nil
	}
	return s.openCheckout(ctx, o)
}

// claimOrder returns the live order of the appointment, or a new one. Callers do not queue for a lock one after the other: all
// share the appointment, and of a rush all but one wait for the first one's insert and then find its order.
func (s *Service) claimOrder(ctx context.Context, id uuid.UUID) (o *ent.Order, found bool, err error) {
	a, live, err := s.payable(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if live == nil {
		if err := s.DB.Share(ctx, appointment.Table, id); err != nil { // the order's own index decides between twins
			return nil, false, err
		}
		if a, live, err = s.payable(ctx, id); err != nil {
			return nil, false, err
		}
	}
	if live != nil {
		return live, true, nil
	}
	switch StatusAt(a, s.DB.Now()) {
	case appointment.StatusPENDING:
	case appointment.StatusPAYMENT_EXPIRED:
		return nil, false, ErrPaymentExpired
	default:
		return nil, false, ErrIllegalStatus
	}
	made, err := s.newOrder(ctx, a)
	return made, false, err
}

// payable returns the appointment and its live order: a paid one, or an open one while the appointment waits for it; nil when there is none.
func (s *Service) payable(ctx context.Context, id uuid.UUID) (a *ent.Appointment, live *ent.Order, err error) {
	if a, err = s.DB.Client.Appointment.Query().Where(appointment.ID(id), appointment.DeletedAtIsNil()).Only(ctx); err != nil {
		if ent.IsNotFound(err) {
			err = fault.ErrNotFound.At("appointmentId")
		}
		return nil, nil, err
	}
	live, err = s.DB.Client.Order.Query().Where(order.AppointmentID(id),
		order.StatusIn(order.StatusPENDING, order.StatusPAID, order.StatusCOMPLETED)).Only(ctx)
	if err == nil && live.Status == order.StatusPENDING && StatusAt(a, s.DB.Now()) != appointment.StatusPENDING {
		live = nil
	}
	return a, live, ent.MaskNotFound(err)
}

// openCheckout asks the provider for the page, outside of any transaction, and stores where it is. The provider knows the order, so a call that was cut
// off half-way is made good by the next one.
func (s *Service) openCheckout(ctx context.Context, o *ent.Order) (*ent.Order, error) {
	system := access.System(ctx, "createOrder")
	a, err := s.DB.Client.Appointment.Query().Where(appointment.ID(o.AppointmentID)).WithPatient().WithPractitioner().Only(system)
	if err != nil {
		return nil, err
	}
	callCtx, cancel := context.WithTimeout(system, providerTimeout)
	defer cancel()
	page, err := s.Provider.CreateCheckout(callCtx, payment.CheckoutRequest{
		OrderID: o.ID, AppointmentID: a.ID, Amount: money.Amount{Minor: o.AmountMinor, Currency: o.Currency},
		Description: "Appointment with " + a.Edges.Practitioner.Name, Email: a.Edges.Patient.Email, ExpiresAt: o.ExpiresAt,
	})
	if err != nil {
		return nil, fault.ErrUnavailable.Says("The payment provider does not answer. Try again.").Because(fmt.Errorf("create checkout: %w", err))
	}
	var opened *ent.Order
	isMoot := false
	err = s.DB.WithTx(system, func(ctx context.Context) error {
		isMoot = false
		opened, err = s.DB.Client.Order.Query().Where(order.ID(o.ID), s.DB.ForUpdate).Only(ctx)
		if err != nil || opened.CheckoutURL != "" { // a twin's page is everybody's
			return err
		}
		if opened.Status != order.StatusPENDING { // paid at the desk or expired meanwhile: nobody may pay on the page
			isMoot = true
			return nil
		}
		opened, err = opened.Update().SetProviderRef(page.Ref).SetCheckoutURL(page.URL).SetCheckoutAt(s.DB.Now()).Save(ctx)
		if err != nil {
			return err
		}
		return s.mailLink(ctx, opened, a)
	})
	if err == nil && isMoot {
		return nil, s.dropPage(system, page.Ref)
	}
	return opened, err
}

// dropPage closes a page that was opened too late.
func (s *Service) dropPage(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	if err := s.Provider.ExpireCheckout(ctx, ref); err != nil {
		s.Log.WarnContext(ctx, "a page to pay on that is not needed could not be closed", slog.Any("error", err))
	}
	return ErrIllegalStatus.Says("The order does not wait for a payment any more.")
}

// NetMinor is what stays with the practice of a paid order: its amount less the provider's fee and what was paid back.
func NetMinor(o *ent.Order) int64 {
	if o.PaidAt == nil {
		return 0
	}
	return o.AmountMinor - o.FeeMinor - o.RefundedMinor
}

// TakenMinor is what was taken for an order: its amount once it is paid.
func TakenMinor(o *ent.Order) int64 {
	if o.PaidAt == nil {
		return 0
	}
	return o.AmountMinor
}
