package stripe

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v86"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/stripefake"
)

const secret = "whsec_test"

// parse lets a provider that cannot reach Stripe read a signed event.
func parse(t *testing.T, kind string, object map[string]any) payment.Event {
	t.Helper()
	clk := clock.NewFake(testkit.Start)
	p := New(Config{SecretKey: "sk_test_123", WebhookSecret: secret, APIURL: "http://127.0.0.1:1", Clock: clk, Log: slog.New(slog.DiscardHandler)})
	signed := stripefake.Sign(t, secret, clk.Now(), map[string]any{"id": "evt_1", "object": "event", "type": kind, "data": map[string]any{"object": object}})
	e, err := p.ParseEvent(t.Context(), http.Header{"Stripe-Signature": {signed.Header}}, signed.Body)
	require.NoError(t, err)
	return e
}

func TestParseEvent_WhatEachTypeTells(t *testing.T) {
	t.Parallel()
	order := uuid.New()
	metadata := map[string]any{"order_id": order.String()}
	session := func(status string) map[string]any {
		return map[string]any{"id": "cs_1", "metadata": metadata, "payment_status": status, "payment_intent": "pi_1", "amount_total": 8000, "currency": "aud"}
	}
	eighty := money.Amount{Minor: 8000, Currency: "AUD"}
	for _, tc := range []struct {
		kind   string
		object map[string]any
		want   payment.Event
	}{
		{"checkout.session.completed", session("paid"), payment.Event{Type: payment.CheckoutCompleted, OrderID: order, PaymentRef: "pi_1", IsPaid: true, Amount: eighty}},
		{"checkout.session.completed", session("unpaid"), payment.Event{Type: payment.CheckoutCompleted, OrderID: order, PaymentRef: "pi_1", Amount: eighty}},
		{"checkout.session.async_payment_succeeded", session("paid"), payment.Event{Type: payment.CheckoutCompleted, OrderID: order, PaymentRef: "pi_1", IsPaid: true, Amount: eighty}},
		{"checkout.session.async_payment_failed", session("unpaid"), payment.Event{Type: payment.PaymentFailed, OrderID: order, PaymentRef: "pi_1", Amount: eighty}},
		{"checkout.session.expired", session("unpaid"), payment.Event{Type: payment.CheckoutExpired, OrderID: order, PaymentRef: "pi_1", Amount: eighty}},
		{"payment_intent.payment_failed", map[string]any{"id": "pi_1", "metadata": metadata}, payment.Event{Type: payment.PaymentFailed, OrderID: order, PaymentRef: "pi_1"}},
		{"charge.refunded", map[string]any{"id": "ch_1", "metadata": metadata, "payment_intent": "pi_1", "amount_refunded": 8000, "currency": "aud"},
			payment.Event{Type: payment.ChargeRefunded, OrderID: order, PaymentRef: "pi_1", Amount: eighty}},
		{"charge.refunded", map[string]any{"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 1, "currency": "aud"},
			payment.Event{Type: payment.ChargeRefunded, PaymentRef: "pi_1", Amount: money.Amount{Minor: 1, Currency: "AUD"}}},
		{"customer.created", map[string]any{"id": "cus_1"}, payment.Event{Type: "customer.created"}},
	} {
		tc.want.ID = "evt_1"
		require.Equal(t, tc.want, parse(t, tc.kind, tc.object), tc.kind)
	}
}

// Stripe's texts can hold what a payer typed, and a key.
func TestProblem_PassesNothingOfThePayerOn(t *testing.T) {
	t.Parallel()
	err := problem("refund", &stripe.Error{HTTPStatusCode: 402, Type: stripe.ErrorTypeCard, Code: stripe.ErrorCodeCardDeclined, RequestID: "req_1",
		Msg: "Noor's card; sk_test_123", PaymentIntent: &stripe.PaymentIntent{ReceiptEmail: "noor@caregraph.test"}})
	require.Equal(t, "stripe: refund: status 402, card_error card_declined, request req_1", err.Error())
	require.NoError(t, errors.Unwrap(err))
}

func TestFeeOf(t *testing.T) {
	t.Parallel()
	intent := func(currency stripe.Currency) *stripe.PaymentIntent {
		return &stripe.PaymentIntent{LatestCharge: &stripe.Charge{BalanceTransaction: &stripe.BalanceTransaction{Fee: 170, Currency: currency}}}
	}
	require.Equal(t, int64(170), feeOf(intent("aud"), "AUD"))
	require.Zero(t, feeOf(intent("usd"), "AUD"), "another currency is no fee of ours")
	require.Zero(t, feeOf(&stripe.PaymentIntent{}, "AUD"))
	require.Zero(t, feeOf(nil, "AUD"))
}

func TestSignedAt(t *testing.T) {
	t.Parallel()
	require.Equal(t, time.Unix(17, 0), signedAt("t=17,v1=aa"))
	require.Equal(t, time.Unix(0, 0), signedAt("t=x,v1=aa"))
	require.True(t, signedAt("v1=aa").IsZero())
}
