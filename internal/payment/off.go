package payment

import (
	"context"
	"errors"
	"net/http"
)

// Off is no provider: nothing can be paid online. It stands in where the operator has set up none.
type Off struct{}

var errOff = errors.New("payment: no provider is set up")

// Name implements Provider.
func (Off) Name() string { return "off" }

// CreateCheckout implements Provider.
func (Off) CreateCheckout(context.Context, CheckoutRequest) (Checkout, error) {
	return Checkout{}, errOff
}

// ExpireCheckout implements Provider.
func (Off) ExpireCheckout(context.Context, string) error { return errOff }

// Lookup implements Provider.
func (Off) Lookup(context.Context, string) (Event, bool, error) { return Event{}, false, errOff }

// Refund implements Provider.
func (Off) Refund(context.Context, RefundRequest) (string, error) { return "", errOff }

// ParseEvent implements Provider.
func (Off) ParseEvent(context.Context, http.Header, []byte) (Event, error) {
	return Event{}, ErrSignature
}
