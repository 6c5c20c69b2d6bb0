package stripe

import (
	"context"
	"fmt"

	"github.com/stripe/stripe-go/v86"

	"github.com/caregraph/caregraph/internal/payment"
)

// Refund implements payment.Provider.
func (p *Provider) Refund(ctx context.Context, r payment.RefundRequest) (string, error) {
	if err := mayCall(ctx); err != nil {
		return "", err
	}
	params := &stripe.RefundCreateParams{
		PaymentIntent: stripe.String(r.PaymentRef), Amount: stripe.Int64(r.Amount.Minor),
		Metadata: map[string]string{orderKey: r.OrderID.String(), "refund_id": r.RefundID.String()},
	}
	params.SetIdempotencyKey(r.RefundID.String())
	made, err := p.api.V1Refunds.Create(ctx, params)
	if refused := refusal(err); refused != nil && refused.Code == stripe.ErrorCodeChargeAlreadyRefunded {
		return r.PaymentRef, nil // everything has gone back, by somebody at Stripe's own pages
	}
	if err != nil {
		return "", problem("refund", err)
	}
	if made.Status == stripe.RefundStatusFailed || made.Status == stripe.RefundStatusCanceled {
		return "", fmt.Errorf("%w: %s", errRefundFailed, made.FailureReason)
	}
	return made.ID, nil
}
