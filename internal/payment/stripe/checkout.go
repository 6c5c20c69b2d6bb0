package stripe

import (
	"context"
	"net/http"
	"strings"

	"github.com/stripe/stripe-go/v86"

	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
)

// Names of the metadata.
const (
	orderKey       = "order_id"
	appointmentKey = "appointment_id"
)

// CreateCheckout implements payment.Provider.
func (p *Provider) CreateCheckout(ctx context.Context, r payment.CheckoutRequest) (payment.Checkout, error) {
	if err := mayCall(ctx); err != nil {
		return payment.Checkout{}, err
	}
	session, err := p.api.V1CheckoutSessions.Create(ctx, p.sessionParams(r, r.Email))
	if refused := refusal(err); refused != nil && refused.Param == "customer_email" { // an address that we take and Stripe does not must not keep anybody from paying
		session, err = p.api.V1CheckoutSessions.Create(ctx, p.sessionParams(r, ""))
	}
	if err != nil {
		return payment.Checkout{}, problem("create session", err)
	}
	return payment.Checkout{Ref: session.ID, URL: session.URL}, nil
}

// sessionParams follow from the order alone: the same order must ask for the same.
func (p *Provider) sessionParams(r payment.CheckoutRequest, email string) *stripe.CheckoutSessionCreateParams {
	metadata := map[string]string{orderKey: r.OrderID.String(), appointmentKey: r.AppointmentID.String()}
	params := &stripe.CheckoutSessionCreateParams{
		Mode:              stripe.String(string(stripe.CheckoutSessionModePayment)),
		ClientReferenceID: stripe.String(r.OrderID.String()),
		SuccessURL:        stripe.String(p.publicURL + paidPath), CancelURL: stripe.String(p.publicURL + cancelledPath),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(r.Amount.Currency)), UnitAmount: stripe.Int64(r.Amount.Minor),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String(r.Description)},
			},
		}},
		Metadata: metadata,
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{
			Metadata: metadata, Description: stripe.String(r.Description),
			CaptureMethod: stripe.String(string(stripe.PaymentIntentCaptureMethodAutomatic)), // the fee is known with the payment
		},
	}
	key := "checkout-" + r.OrderID.String()
	if email != "" {
		params.CustomerEmail = stripe.String(email)
	} else {
		key += "-without-email"
	}
	params.SetIdempotencyKey(key)
	return params
}

// ExpireCheckout implements payment.Provider.
func (p *Provider) ExpireCheckout(ctx context.Context, ref string) error {
	if err := mayCall(ctx); err != nil {
		return err
	}
	_, err := p.api.V1CheckoutSessions.Expire(ctx, ref, nil)
	if refused := refusal(err); refused != nil && refused.HTTPStatusCode == http.StatusBadRequest {
		session, lookErr := p.api.V1CheckoutSessions.Retrieve(ctx, ref, nil)
		if lookErr == nil && session.Status != stripe.CheckoutSessionStatusOpen {
			return nil // closed or paid
		}
	}
	if err != nil {
		return problem("expire session", err)
	}
	return nil
}

// Lookup implements payment.Provider. Ids of these events are made from what they tell; Stripe's own event of the same thing has another, and no second effect.
func (p *Provider) Lookup(ctx context.Context, ref string) (payment.Event, bool, error) {
	if err := mayCall(ctx); err != nil {
		return payment.Event{}, false, err
	}
	params := &stripe.CheckoutSessionRetrieveParams{}
	params.AddExpand("payment_intent.latest_charge.balance_transaction")
	session, err := p.api.V1CheckoutSessions.Retrieve(ctx, ref, params)
	if err != nil {
		return payment.Event{}, false, problem("look up session", err)
	}
	e := sessionEvent(session)
	switch {
	case session.Status == stripe.CheckoutSessionStatusExpired:
		e.Type = payment.CheckoutExpired
	case session.Status != stripe.CheckoutSessionStatusComplete:
		return payment.Event{}, false, nil
	case e.IsPaid:
		e.Type, e.FeeMinor = payment.CheckoutCompleted, feeOf(session.PaymentIntent, e.Amount.Currency)
	case isUnderWay(session.PaymentIntent):
		e.Type = payment.CheckoutCompleted
	default:
		e.Type = payment.PaymentFailed
	}
	e.ID = "lookup " + session.ID + " " + string(e.Type) + " " + string(session.PaymentStatus)
	return e, true, nil
}

// sessionEvent reads what every event of a session tells.
func sessionEvent(session *stripe.CheckoutSession) payment.Event {
	e := payment.Event{
		OrderID: idOf(session.Metadata[orderKey]), IsPaid: session.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid,
		Amount: money.Amount{Minor: session.AmountTotal, Currency: strings.ToUpper(string(session.Currency))},
	}
	if session.PaymentIntent != nil {
		e.PaymentRef = session.PaymentIntent.ID
	}
	return e
}

// isUnderWay tells whether the money of a completed session may still come.
func isUnderWay(intent *stripe.PaymentIntent) bool {
	return intent == nil || intent.Status != stripe.PaymentIntentStatusCanceled && intent.Status != stripe.PaymentIntentStatusRequiresPaymentMethod
}

// feeOf is Stripe's fee in the currency; zero while it is not known.
func feeOf(intent *stripe.PaymentIntent, currency string) int64 {
	if intent == nil || intent.LatestCharge == nil || intent.LatestCharge.BalanceTransaction == nil {
		return 0
	}
	t := intent.LatestCharge.BalanceTransaction
	if !strings.EqualFold(string(t.Currency), currency) {
		return 0
	}
	return t.Fee
}
