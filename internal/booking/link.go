package booking

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	paymentLink   = "PAYMENT_LINK" // the kind of the mail; one per order
	openPageAfter = 5 * time.Minute
	openPageBatch = 100
)

// isOff tells that nothing can be paid online here.
func (s *Service) isOff() bool {
	_, off := s.Provider.(payment.Off)
	return off
}

// askByMail asks for the payment of a booking that staff have made, in its transaction: by the mailed page to pay on, or at the desk. A page that cannot be
// opened now is opened by the job reconcile-payments.
func (s *Service) askByMail(ctx context.Context, a *ent.Appointment) error {
	o, err := s.newOrder(access.System(ctx, "order of a booking by staff"), a)
	if err != nil || s.isOff() {
		return err
	}
	store.AfterCommit(ctx, func(ctx context.Context) {
		if _, err := s.openCheckout(ctx, o); err != nil {
			s.Log.WarnContext(ctx, "the page to pay on could not be opened; the next run tries again", slog.String("order", o.ID.String()), slog.Any("error", err))
		}
	})
	return nil
}

// openPages opens the pages of orders that should have one by now, and returns how many it opened.
func (s *Service) openPages(ctx context.Context) (opened int, err error) {
	if s.isOff() {
		return 0, nil
	}
	now := s.DB.Now()
	waiting, err := s.DB.Client.Order.Query().Where(order.StatusEQ(order.StatusPENDING), order.CheckoutAtIsNil(), order.ProviderRefIsNil(),
		order.Provider(s.Provider.Name()), order.ExpiresAtGT(now), order.CreatedAtLT(now.Add(-openPageAfter))).
		Order(order.ByID()).Limit(openPageBatch).All(ctx)
	if err != nil {
		return 0, err
	}
	for _, o := range waiting {
		if _, err := s.openCheckout(ctx, o); err != nil {
			return opened, fmt.Errorf("open the page of order %s: %w", o.ID, err)
		}
		opened++
	}
	return opened, nil
}

// mailLink mails the page to pay on, with the transaction that stores it, when staff have booked or asked: who booked online has the page before them.
func (s *Service) mailLink(ctx context.Context, o *ent.Order, a *ent.Appointment) error {
	p, asking := a.Edges.Patient, access.From(ctx).Person()
	if isOwn := p.UserID != nil && *p.UserID == a.BookedBy && (asking == nil || asking.UserID == *p.UserID); isOwn || p.Email == "" {
		return nil
	}
	return s.Notify.Mail(ctx, notify.Mail{
		Kind: paymentLink, UserID: p.UserID, To: p.Email, SubjectID: o.ID, Subject: "Please pay for your appointment",
		Body: fmt.Sprintf("Dear %s,\n\nYour appointment on %s is held for you until %s. Pay for it here:\n\n%s\n\nYou may also pay at the practice until then.\n\n%s\n",
			p.GivenName, whenFor(p, a.StartsAt), whenFor(p, o.ExpiresAt), o.CheckoutURL, s.PracticeName),
	})
}

// withdrawLink takes the mailed page back when the order waits for its payment no more. o is the order before the change.
func (s *Service) withdrawLink(ctx context.Context, o *ent.Order) error {
	if o.Status != order.StatusPENDING {
		return nil
	}
	return s.Notify.Withdraw(ctx, paymentLink, o.ID, "")
}

// newOrder writes an order for the appointment's price. The caller has looked at the appointment's status and holds its lock, shared or not.
func (s *Service) newOrder(ctx context.Context, a *ent.Appointment) (*ent.Order, error) {
	return s.DB.Client.Order.Create().SetAppointmentID(a.ID).SetPatientID(a.PatientID).
		SetAmountMinor(a.PriceMinor).SetCurrency(a.Currency).SetStatus(order.StatusPENDING).SetProvider(s.Provider.Name()).
		SetExpiresAt(a.ExpiresAt).Save(ctx)
}

// asPayer returns the ctx in which an appointment's payment is asked for: a patient's own rights, or for the planners, who plan anybody's visits but write no
// orders, the system's.
func asPayer(ctx context.Context, reason string) context.Context {
	if access.From(ctx).Has(access.Scheduler, access.Admin) {
		return access.System(ctx, reason)
	}
	return ctx
}

// shownOrder is the order as the viewer may see it; nil when they may not.
func (s *Service) shownOrder(ctx context.Context, id uuid.UUID) (*ent.Order, error) {
	o, err := s.DB.Client.Order.Get(ctx, id)
	return o, ent.MaskNotFound(err)
}
