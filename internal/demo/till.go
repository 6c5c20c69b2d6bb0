package demo

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/caregraph/caregraph/internal/payment"
)

// Till is a payment provider that now and then cannot pay back. The clinic's past has such a day; later on it never happens.
type Till struct {
	payment.Provider
	isShut atomic.Bool
}

var errShut = errors.New("demo: the payment provider is out of service")

// Refund implements payment.Provider.
func (t *Till) Refund(ctx context.Context, r payment.RefundRequest) (string, error) {
	if t.isShut.Load() {
		return "", errShut
	}
	return t.Provider.Refund(ctx, r)
}
