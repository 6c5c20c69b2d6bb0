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
	if r.Ref != "" {
		made, err := p.api.V1Refunds.Retrieve(ctx, r.Ref, nil)
		if err != nil {
			return "", problem("look up a refund", err)
		}
		return outcome(made)
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
	return outcome(made)
}

// outcome is what has become of a refund so far.
func outcome(made *stripe.Refund) (string, error) {
	switch made.Status {
	case stripe.RefundStatusSucceeded:
		return made.ID, nil
	case stripe.RefundStatusPending, stripe.RefundStatusRequiresAction:
		return made.ID, payment.ErrPending
	default:
		return "", fmt.Errorf("%w: %s", errRefundFailed, made.FailureReason)
	}
}
