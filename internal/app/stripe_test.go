package app_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/stripefake"
)

const recordOperation = `mutation($id: ID!, $key: String) { recordPayment(input: {orderId: $id, method: TERMINAL, reference: "T-1", idempotencyKey: $key}) {
  order { id status method } appointment { status } userErrors { code field } } }`

const refundOperation = `mutation($id: ID!, $amount: Decimal, $key: String) { refundOrder(input: {orderId: $id, amount: $amount, reason: "Goodwill.", idempotencyKey: $key}) {
  order { status refundedAmount { amount } net { amount } } refund { status amount { amount } } userErrors { code field } } }`

const auditOperation = `query($id: ID!) { orderAudit(orderId: $id) { order { id } total { amount currency } fee { amount } refunded { amount } net { amount }
  events { occurredAt kind amount { amount } net { amount } refundId reference reason } } }`

// visit is one patient's booking that is paid by Stripe, or by what stands in for it.
type visit struct {
	*instance
	stripe             *stripefake.Server
	patient            *testkit.Client
	appointment, order string
}

func stripeVisit(t *testing.T, engine string) *visit {
	t.Helper()
	fake := stripefake.New(t)
	i := serve(t, engine, map[string]string{"STRIPE_SECRET_KEY": "sk_test_key", "STRIPE_WEBHOOK_SECRET": fake.Secret, "STRIPE_API_URL": fake.URL})
	v := &visit{instance: i, stripe: fake}
	slot := testkit.Slot(t, i.DB, testkit.Practitioner(t, i.DB), i.clk.Now().Add(48*time.Hour))
	v.patient = i.client(t).SignIn(t, testkit.Patient(t, i.DB).Email, testkit.Password)
	booked := v.patient.Do(t, bookOperation, map[string]any{"slot": slot.ID}).NoErrors(t)
	v.appointment = booked.Text("bookAppointment.appointment.id")
	v.ask(t)
	return v
}

// ask asks for the payment.
func (v *visit) ask(t *testing.T) {
	t.Helper()
	ordered := v.patient.Do(t, orderOperation, map[string]any{"id": v.appointment}).NoErrors(t)
	v.order = ordered.Text("createOrder.order.id")
	require.True(t, strings.HasPrefix(ordered.Text("createOrder.checkoutUrl"), "https://checkout.stripe.test/"))
}

// states are those of the appointment and of the newest order.
func (v *visit) states(t *testing.T) []string {
	t.Helper()
	seen := v.patient.Do(t, `query($a: ID!, $o: ID!) { appointment(id: $a) { status } order(id: $o) { status } }`, map[string]any{"a": v.appointment, "o": v.order}).NoErrors(t)
	return []string{seen.Text("appointment.status"), seen.Text("order.status")}
}

func (v *visit) deliver(t *testing.T, e stripefake.Event) {
	t.Helper()
	require.Equal(t, http.StatusOK, e.Send(t, v.URL))
}

func eachEngine(t *testing.T, fn func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, engine)
		})
	}
}

func TestStripe_BookPayRefund(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		asked := v.stripe.Session(v.order).Form
		for name, want := range map[string]string{
			"mode": "payment", "line_items[0][price_data][currency]": "aud", "line_items[0][price_data][unit_amount]": "8000",
			"line_items[0][price_data][product_data][name]": "Appointment with Dr Robin Ashdown", "metadata[appointment_id]": v.appointment,
			"payment_intent_data[metadata][order_id]": v.order, "payment_intent_data[metadata][appointment_id]": v.appointment,
			"success_url": v.URL + "/stripe/paid", "cancel_url": v.URL + "/stripe/cancelled",
		} {
			require.Equal(t, want, asked[name], name)
		}
		require.Contains(t, asked["customer_email"], "@caregraph.test")

		paid := v.stripe.Pay(t, v.order, v.clk.Now())
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { paid.Send(t, v.URL) })
		}
		all.Wait()
		require.Equal(t, []string{"BOOKED", "PAID"}, v.states(t))
		v.deliver(t, v.stripe.Expired(t, v.order, v.clk.Now())) // out of order
		require.Equal(t, []string{"BOOKED", "PAID"}, v.states(t))

		biller := v.client(t).SignIn(t, testkit.User(t, v.DB, access.Biller).Email, testkit.Password)
		part := biller.Do(t, refundOperation, map[string]any{"id": v.order, "amount": "30.00", "key": "k1"}).NoErrors(t)
		require.Equal(t, "SUCCEEDED", part.Text("refundOrder.refund.status"))
		require.Equal(t, "30.00", part.Text("refundOrder.order.refundedAmount.amount"))
		v.deliver(t, v.stripe.PayBack(t, v.order, 2000, v.clk.Now()))
		require.Equal(t, []string{"BOOKED", "PAID"}, v.states(t))
		rest := biller.Do(t, refundOperation, map[string]any{"id": v.order, "key": "k2"}).NoErrors(t)
		require.Equal(t, "30.00", rest.Text("refundOrder.refund.amount.amount"))
		require.Equal(t, []string{"BOOKED", "REFUNDED"}, v.states(t))
		require.Len(t, v.stripe.Refunded(), 2)

		audit := biller.Do(t, auditOperation, map[string]any{"id": v.order}).NoErrors(t)
		require.Equal(t, []string{"80.00", "1.70", "80.00", "-1.70"}, []string{audit.Text("orderAudit.total.amount"), audit.Text("orderAudit.fee.amount"),
			audit.Text("orderAudit.refunded.amount"), audit.Text("orderAudit.net.amount")})
		for _, key := range v.stripe.Keys() {
			require.Equal(t, "Bearer sk_test_key", key)
		}
	})
}

func TestStripe_DeclinedThenPaidByAnotherOrder(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		first := v.order
		v.deliver(t, v.stripe.Decline(t, first, v.clk.Now()))
		require.Equal(t, []string{"PENDING", "FAILED"}, v.states(t))
		require.Equal(t, "expired", v.stripe.Session(first).Status, "the declined page takes no more money")
		v.ask(t)
		require.NotEqual(t, first, v.order)
		v.deliver(t, v.stripe.Pay(t, v.order, v.clk.Now()))
		require.Equal(t, []string{"BOOKED", "PAID"}, v.states(t))
		v.deliver(t, v.stripe.PayLate(t, first, v.clk.Now()))
		require.Len(t, v.stripe.Refunded(), 1, "paid twice, kept once")
	})
}

func TestStripe_ExpiredAtOurDeadlineAndPaidLate(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		v.clk.Advance(15 * time.Minute)
		_, err := v.Booking.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "expired", v.stripe.Session(v.order).Status, "through the API, at our deadline")
		require.Equal(t, []string{"PAYMENT_EXPIRED", "EXPIRED"}, v.states(t))
		v.deliver(t, v.stripe.PayLate(t, v.order, v.clk.Now()))
		require.Equal(t, []string{"BOOKED", "PAID"}, v.states(t), "the slot is still free")
	})
}

// A payment whose money comes later books when it comes; an event that is lost is found by asking.
func TestStripe_MoneyThatComesLater(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		v.deliver(t, v.stripe.Begin(t, v.order, v.clk.Now()))
		require.Equal(t, []string{"PENDING", "PENDING"}, v.states(t))
		biller := v.client(t).SignIn(t, testkit.User(t, v.DB, access.Biller).Email, testkit.Password)
		refused := biller.Do(t, recordOperation, map[string]any{"id": v.order, "key": "k"})
		require.Equal(t, "ILLEGAL_STATUS", refused.Text("recordPayment.userErrors.0.code"))
		v.stripe.Arrive(t, v.order, v.clk.Now()) // lost
		v.clk.Advance(6 * time.Minute)
		n, err := v.Booking.Reconcile(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, []string{"BOOKED", "PAID"}, v.states(t))
		v.deliver(t, v.stripe.Arrive(t, v.order, v.clk.Now()))
		require.Empty(t, v.stripe.Refunded())
	})
}

// A refund that Stripe has taken on is PROCESSING for as long as Stripe says so, and is asked for once.
func TestStripe_RefundThatTakesDays(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		v.deliver(t, v.stripe.Pay(t, v.order, v.clk.Now()))
		v.stripe.Refunds("pending")
		biller := v.client(t).SignIn(t, testkit.User(t, v.DB, access.Biller).Email, testkit.Password)
		biller.Do(t, refundOperation, map[string]any{"id": v.order, "key": "k"}).NoErrors(t)
		status := func() string { return v.DB.Client.Refund.Query().OnlyX(testkit.System(t)).Status.String() }
		for range 5 * 24 {
			v.clk.Advance(time.Hour)
			n, err := v.Booking.RetryRefunds(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
			require.Equal(t, "PROCESSING", status())
		}
		v.stripe.Refunds("succeeded")
		v.clk.Advance(time.Hour)
		n, err := v.Booking.RetryRefunds(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, "REFUNDED", v.DB.Client.Order.Query().OnlyX(testkit.System(t)).Status.String())
		require.Len(t, v.stripe.Refunded(), 1)
	})
}

// A refund that Stripe has taken on and then could not make is given up and can be asked for again.
func TestStripe_RefundThatFailsLater(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		v.deliver(t, v.stripe.Pay(t, v.order, v.clk.Now()))
		v.stripe.Refunds("pending")
		biller := v.client(t).SignIn(t, testkit.User(t, v.DB, access.Biller).Email, testkit.Password)
		biller.Do(t, refundOperation, map[string]any{"id": v.order, "key": "k"}).NoErrors(t)
		v.stripe.Refunds("failed")
		for range 8 {
			v.clk.Advance(3 * time.Hour)
			_, err := v.Booking.RetryRefunds(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, "FAILED", v.DB.Client.Refund.Query().OnlyX(testkit.System(t)).Status.String())
		require.Equal(t, "PAID", v.DB.Client.Order.Query().OnlyX(testkit.System(t)).Status.String())
	})
}

func TestStripe_RecordPaymentClosesTheSession(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		v := stripeVisit(t, engine)
		scheduler := v.client(t).SignIn(t, testkit.User(t, v.DB, access.Scheduler).Email, testkit.Password)
		require.Equal(t, "IDEMPOTENCY_KEY_REQUIRED", scheduler.Do(t, recordOperation, map[string]any{"id": v.order}).Text("recordPayment.userErrors.0.code"))
		paid := scheduler.Do(t, recordOperation, map[string]any{"id": v.order, "key": "k"}).NoErrors(t)
		require.Equal(t, []string{"PAID", "TERMINAL", "BOOKED"}, []string{paid.Text("recordPayment.order.status"), paid.Text("recordPayment.order.method"),
			paid.Text("recordPayment.appointment.status")})
		require.Equal(t, "expired", v.stripe.Session(v.order).Status)
		require.Equal(t, "FORBIDDEN", v.patient.Do(t, recordOperation, map[string]any{"id": v.order, "key": "k"}).Text("recordPayment.userErrors.0.code"))
		require.Equal(t, "FORBIDDEN", scheduler.Do(t, refundOperation, map[string]any{"id": v.order, "key": "k"}).Text("refundOrder.userErrors.0.code"))
	})
}

func TestStripe_WebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	v := stripeVisit(t, testkit.SQLite)
	event := map[string]any{"id": "evt_x", "object": "event", "type": "checkout.session.completed", "data": map[string]any{"object": map[string]any{}}}
	now := v.clk.Now()
	for name, e := range map[string]stripefake.Event{
		"another secret": stripefake.Sign(t, "whsec_other", now, event), "stale": stripefake.Sign(t, v.stripe.Secret, now.Add(-5*time.Minute-time.Second), event),
		"from the future": stripefake.Sign(t, v.stripe.Secret, now.Add(5*time.Minute+time.Second), event), "unsigned": {Body: []byte(`{"id":"evt_1"}`)},
		"no event": stripefake.Sign(t, v.stripe.Secret, now, map[string]any{"a": 1}),
	} {
		require.Equal(t, http.StatusBadRequest, e.Send(t, v.URL), name)
	}
	changed := v.stripe.Pay(t, v.order, now)
	changed.Body = bytes.Replace(changed.Body, []byte("8000"), []byte("1"), 1)
	require.Equal(t, http.StatusBadRequest, changed.Send(t, v.URL))
	for name, offset := range map[string]time.Duration{"as old as may be": -5 * time.Minute, "as early as may be": 5 * time.Minute} {
		require.Equal(t, http.StatusOK, stripefake.Sign(t, v.stripe.Secret, now.Add(offset), event).Send(t, v.URL), name)
	}
	require.Equal(t, []string{"PENDING", "PENDING"}, v.states(t))
}

// Of what Stripe says, nothing reaches clients.
func TestStripe_AwayIsUnavailable(t *testing.T) {
	t.Parallel()
	v := stripeVisit(t, testkit.SQLite)
	slot := testkit.Slot(t, v.DB, testkit.Practitioner(t, v.DB), v.clk.Now().Add(72*time.Hour))
	booked := v.patient.Do(t, bookOperation, map[string]any{"slot": slot.ID}).NoErrors(t)
	v.stripe.Away(true)
	answer := v.patient.Do(t, orderOperation, map[string]any{"id": booked.Text("bookAppointment.appointment.id")})
	require.Equal(t, "UNAVAILABLE", answer.Code())
	require.NotContains(t, string(answer.Body), "Fairweather")
	require.NotContains(t, string(answer.Body), "127.0.0.1")
}

func TestStripe_ThePagesAfterwards(t *testing.T) {
	t.Parallel()
	v := stripeVisit(t, testkit.SQLite)
	for path, text := range map[string]string{"paid": "Your payment is being confirmed", "cancelled": "Nothing was charged", "style.css": ".card"} {
		answer, err := http.Get(v.URL + "/stripe/" + path)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, string(body), text)
		require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'none'")
	}
}

// What happened to an order's money is for its patient, billers and administrators.
func TestOrderAudit(t *testing.T) {
	t.Parallel()
	v := stripeVisit(t, testkit.SQLite)
	v.deliver(t, v.stripe.Pay(t, v.order, v.clk.Now()))
	id := map[string]any{"id": v.order}
	for _, role := range access.Roles {
		c := v.patient
		if role != access.Patient {
			c = v.client(t).SignIn(t, testkit.User(t, v.DB, role).Email, testkit.Password)
		}
		answer := c.Do(t, auditOperation, id)
		if role == access.Patient || role == access.Biller || role == access.Admin {
			require.Equal(t, 3, answer.NoErrors(t).Len("orderAudit.events"), role)
			require.Equal(t, v.order, answer.Text("orderAudit.order.id"))
			require.Equal(t, "PAID", answer.Text("orderAudit.events.2.kind"))
		} else {
			require.Equal(t, "FORBIDDEN", answer.Code(), role)
		}
	}
	other := v.client(t).SignIn(t, testkit.Patient(t, v.DB).Email, testkit.Password)
	require.Nil(t, other.Do(t, auditOperation, id).NoErrors(t).Get("orderAudit"))
}
