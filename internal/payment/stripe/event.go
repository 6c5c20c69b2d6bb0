package stripe

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"

	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
)

const (
	signatureHeader = "Stripe-Signature"
	tolerance       = 5 * time.Minute
	feeTimeout      = 3 * time.Second // an answer that is late is not worth a late booking
)

// ParseEvent implements payment.Provider. Events of unknown types are returned without what they are about.
func (p *Provider) ParseEvent(ctx context.Context, header http.Header, body []byte) (payment.Event, error) {
	signature := header.Get(signatureHeader)
	told, err := webhook.ConstructEventWithOptions(body, signature, p.secret,
		webhook.ConstructEventOptions{IgnoreTolerance: true, IgnoreAPIVersionMismatch: true})
	if err != nil || told.ID == "" || told.Data == nil {
		return payment.Event{}, payment.ErrSignature
	}
	if signedAt := signedAt(signature); signedAt.Sub(p.clock.Now().Truncate(time.Second)).Abs() > tolerance {
		return payment.Event{}, fmt.Errorf("%w: too old or from the future", payment.ErrSignature)
	}
	e, err := read(told)
	if err != nil {
		return payment.Event{}, fmt.Errorf("%w: the body is no event", payment.ErrSignature)
	}
	if e.Type == payment.CheckoutCompleted && e.IsPaid {
		e.FeeMinor = p.fee(ctx, e.PaymentRef, e.Amount.Currency)
	}
	return e, nil
}

// signedAt is the time in a signature that has been checked.
func signedAt(signature string) time.Time {
	for part := range strings.SplitSeq(signature, ",") {
		if seconds, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			n, _ := strconv.ParseInt(seconds, 10, 64) // what is no number is 1970, and too old
			return time.Unix(n, 0)
		}
	}
	return time.Time{}
}

// read returns what an event tells, in the words of all providers.
func read(told stripe.Event) (payment.Event, error) {
	var (
		e       payment.Event
		session stripe.CheckoutSession
		intent  stripe.PaymentIntent
		charge  stripe.Charge
		err     error
	)
	switch kind := payment.EventType(told.Type); told.Type {
	case stripe.EventTypeCheckoutSessionCompleted, stripe.EventTypeCheckoutSessionAsyncPaymentSucceeded:
		err = json.Unmarshal(told.Data.Raw, &session)
		e = sessionEvent(&session)
		e.Type = payment.CheckoutCompleted
	case stripe.EventTypeCheckoutSessionAsyncPaymentFailed:
		err = json.Unmarshal(told.Data.Raw, &session)
		e = sessionEvent(&session)
		e.Type = payment.PaymentFailed
	case stripe.EventTypeCheckoutSessionExpired:
		err = json.Unmarshal(told.Data.Raw, &session)
		e = sessionEvent(&session)
		e.Type = kind
	case stripe.EventTypePaymentIntentPaymentFailed:
		err = json.Unmarshal(told.Data.Raw, &intent)
		e = payment.Event{Type: kind, OrderID: idOf(intent.Metadata[orderKey]), PaymentRef: intent.ID}
	case stripe.EventTypeChargeRefunded:
		err = json.Unmarshal(told.Data.Raw, &charge)
		e = payment.Event{Type: kind, OrderID: idOf(charge.Metadata[orderKey]),
			Amount: money.Amount{Minor: charge.AmountRefunded, Currency: strings.ToUpper(string(charge.Currency))}}
		if charge.PaymentIntent != nil {
			e.PaymentRef = charge.PaymentIntent.ID
		}
	default:
		e.Type = kind
	}
	e.ID = told.ID
	return e, err
}

// idOf reads one of our ids; zero when it is none, as of things at Stripe that are no orders of ours.
func idOf(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// fee asks for the fee of a payment; zero when it is not known now. The payment counts without it.
func (p *Provider) fee(ctx context.Context, paymentRef, currency string) int64 {
	if paymentRef == "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, feeTimeout)
	defer cancel()
	params := &stripe.PaymentIntentRetrieveParams{}
	params.AddExpand("latest_charge.balance_transaction")
	intent, err := p.api.V1PaymentIntents.Retrieve(ctx, paymentRef, params)
	if err != nil {
		p.log.WarnContext(ctx, "the fee of a payment is not known yet", slog.Any("error", problem("look up payment", err)))
		return 0
	}
	return feeOf(intent, currency)
}
