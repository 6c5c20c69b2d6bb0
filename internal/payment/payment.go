// Package payment is the way to payment providers: Stripe and the built-in sandbox behind one interface. It holds no rules about
// orders; those are booking's, which is told of what happened by webhook events alone.
package payment

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/money"
)

// Provider takes payments. Its calls go over the network: never inside a transaction.
type Provider interface {
	// Name is the provider's name in webhook addresses and orders.
	Name() string
	// CreateCheckout opens a page on which the order can be paid. Asking again for the same order returns the same page.
	CreateCheckout(ctx context.Context, r CheckoutRequest) (Checkout, error)
	// ExpireCheckout closes the page of an unpaid checkout: it takes no money any more. Closing one that is closed or paid is no error.
	ExpireCheckout(ctx context.Context, ref string) error
	// Lookup tells what became of a checkout, as the event that told or should have told of it; ok is false while nothing has. A payment that is under
	// way, whose money may still come, is told as CheckoutCompleted that is not paid.
	Lookup(ctx context.Context, ref string) (e Event, ok bool, err error)
	// Refund pays back. Asking again with the same RefundID pays once and returns the same ref. ErrPending comes with the ref of a refund that the
	// provider has taken on and not made yet: what became of it is told to who asks again with that ref.
	Refund(ctx context.Context, r RefundRequest) (ref string, err error)
	// ParseEvent checks the signature and the age of a webhook's raw body and reads the event, for which it may ask the provider. Errors: ErrSignature.
	ParseEvent(ctx context.Context, header http.Header, body []byte) (Event, error)
}

// ErrSignature is the answer to a webhook that is not the provider's, or is too old.
var ErrSignature = errors.New("payment: the webhook's signature or time is wrong")

// ErrPending tells that the provider has taken a refund on and has not made it yet, which may take days.
var ErrPending = errors.New("payment: the provider has not made the refund yet")

// CheckoutRequest says what is to be paid.
type CheckoutRequest struct {
	OrderID       uuid.UUID
	AppointmentID uuid.UUID
	Amount        money.Amount
	Description   string // shown to the payer; no medical content
	Email         string // of the payer; may be empty
	ExpiresAt     time.Time
}

// Checkout is a page on which an order can be paid.
type Checkout struct {
	Ref string // the provider's id
	URL string
}

// RefundRequest says what is to be paid back.
type RefundRequest struct {
	RefundID   uuid.UUID
	OrderID    uuid.UUID
	PaymentRef string
	Amount     money.Amount
	Ref        string // of the same refund when it was taken on before and not made yet, else empty
}

// EventType is what an event tells.
type EventType string

// The events that have an effect; others are recorded without one.
const (
	CheckoutCompleted EventType = "checkout.session.completed"
	CheckoutExpired   EventType = "checkout.session.expired"
	PaymentFailed     EventType = "payment_intent.payment_failed"
	ChargeRefunded    EventType = "charge.refunded"
)

// Event is a webhook event, after its signature was checked.
type Event struct {
	ID         string // unique at the provider
	Type       EventType
	OrderID    uuid.UUID // from the metadata; zero when it is about no order of ours
	PaymentRef string
	IsPaid     bool         // for CheckoutCompleted: the money is there
	Amount     money.Amount // paid, or refunded so far
	FeeMinor   int64        // zero while it is not known
}
