package booking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// paid books and pays online.
func (c *clinic) paid(t *testing.T) (*ent.Appointment, *ent.Order) {
	t.Helper()
	a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
	require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_"+o.ID.String(), o)))
	return a, c.order(t, o.ID)
}

func back(o *ent.Order, amount string) booking.RefundOrderInput {
	in := booking.RefundOrderInput{OrderID: o.ID, Reason: "Goodwill.", IdempotencyKey: newKey()}
	if amount != "" {
		in.Amount = &amount
	}
	return in
}

func TestRefundOrder_InPartAndInFull(t *testing.T) {
	t.Parallel()
	for _, role := range []access.Role{access.Biller, access.Admin} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				a, o := c.paid(t)
				clerk := testkit.As(t, testkit.User(t, db, role))
				in := back(o, "30.00")
				r, after, err := c.RefundOrder(clerk, in)
				require.NoError(t, err)
				require.Equal(t, refund.StatusSUCCEEDED, r.Status)
				require.Equal(t, []any{order.StatusPAID, int64(3000)}, []any{after.Status, after.RefundedMinor}, "a part keeps the status")
				again, _, err := c.RefundOrder(clerk, in)
				require.NoError(t, err)
				require.Equal(t, r.ID, again.ID, "the key gives the first result")
				_, _, err = c.RefundOrder(clerk, back(o, "50.01"))
				requireCode(t, err, "REFUND_TOO_LARGE")
				_, after, err = c.RefundOrder(clerk, back(o, ""))
				require.NoError(t, err)
				require.Equal(t, []any{order.StatusREFUNDED, int64(8000), int64(-170)}, []any{after.Status, after.RefundedMinor, booking.NetMinor(after)})
				require.Equal(t, int64(8000), c.provider.refundedMinor())
				require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status, "a visit may be given without money")
				require.Len(t, c.mailed(t, "REFUND_MADE"), 2)
				_, _, err = c.RefundOrder(clerk, back(o, "0.01"))
				requireCode(t, err, "ILLEGAL_STATUS")
			})
		})
	}
}

func TestRefundOrder_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		biller := testkit.As(t, testkit.User(t, db, access.Biller))
		_, unpaid := c.ordered(t, c.slotIn(t, 48*time.Hour))
		_, o := c.paid(t)
		cases := map[fault.Code][]booking.RefundOrderInput{
			"ILLEGAL_STATUS":           {back(unpaid, "")},
			"NOT_FOUND":                {{OrderID: c.doctor.ID, Reason: "x", IdempotencyKey: newKey()}},
			"IDEMPOTENCY_KEY_REQUIRED": {{OrderID: o.ID, Reason: "x"}},
			"INVALID_INPUT":            {back(o, "0.00"), back(o, "-1.00"), back(o, "1.001"), back(o, "much"), {OrderID: o.ID, Reason: " ", IdempotencyKey: newKey()}},
			"REFUND_TOO_LARGE":         {back(o, "80.01")},
		}
		for code, inputs := range cases {
			for _, in := range inputs {
				_, _, err := c.RefundOrder(biller, in)
				requireCode(t, err, code)
			}
		}
		require.Zero(t, c.provider.refundedMinor())
	})
}

// Refunds that are under way count: of many at once no more goes back than was paid.
func TestRefundOrder_20AtOncePayBackAtMostTheAmount(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.paid(t)
		c.provider.failure = errors.New("away") // all stay PROCESSING
		biller, won := testkit.User(t, db, access.Biller), 0
		for _, err := range atOnce(20, func(int) error {
			_, _, err := c.RefundOrder(testkit.As(t, biller), back(o, "15.00"))
			return err
		}) {
			if err == nil {
				won++
			} else {
				requireCode(t, err, "REFUND_TOO_LARGE")
			}
		}
		require.Equal(t, 5, won, "5 times 15.00 fit into 80.00")
		c.provider.failure = nil
		clk.Advance(time.Hour)
		n, err := c.RetryRefunds(t.Context())
		require.NoError(t, err)
		require.Equal(t, 5, n)
		require.Equal(t, []any{order.StatusPAID, int64(7500)}, []any{c.order(t, o.ID).Status, c.order(t, o.ID).RefundedMinor})
	})
}

func TestRefundOrder_MoneyOfTheDeskIsHandedOutThere(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		biller := testkit.As(t, testkit.User(t, db, access.Biller))
		_, _, err := c.RecordPayment(biller, atDesk(o))
		require.NoError(t, err)
		c.provider.failure = errors.New("nobody asks the provider")
		r, after, err := c.RefundOrder(biller, back(o, ""))
		require.NoError(t, err)
		require.Equal(t, []any{refund.StatusSUCCEEDED, order.StatusREFUNDED, 0}, []any{r.Status, after.Status, r.Attempts})
	})
}

// alerts counts the standing notices of a kind.
func (c *clinic) alerts(t *testing.T, kind string) int {
	t.Helper()
	n, err := c.db.Client.Notification.Query().Where(notification.Kind(kind), notification.WithdrawnAtIsNil()).Count(testkit.System(t))
	require.NoError(t, err)
	return n
}

// Given up after eight tries, a refund alerts billers and administrators, and they have two ways out.
func TestRefund_FailedAlertsAndIsSettledByHand(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.paid(t)
		biller := testkit.User(t, db, access.Biller)
		testkit.User(t, db, access.Admin)
		testkit.User(t, db, access.Scheduler)
		c.provider.failure = errors.New("away")
		r, _, err := c.RefundOrder(testkit.As(t, biller), back(o, ""))
		require.NoError(t, err)
		settle := booking.SettleRefundInput{RefundID: r.ID, Reference: "transfer 9", IdempotencyKey: newKey()}
		_, _, err = c.SettleRefund(testkit.As(t, biller), settle)
		requireCode(t, err, "ILLEGAL_STATUS")
		for range 8 {
			clk.Advance(3 * time.Hour)
			_, err := c.RetryRefunds(t.Context())
			require.NoError(t, err)
		}
		r, err = db.Client.Refund.Get(testkit.System(t), r.ID)
		require.NoError(t, err)
		require.Equal(t, []any{refund.StatusFAILED, 8}, []any{r.Status, r.Attempts})
		require.Equal(t, 2, c.alerts(t, "REFUND_FAILED"), "a biller and an administrator")

		settled, after, err := c.SettleRefund(testkit.As(t, biller), settle)
		require.NoError(t, err)
		require.Equal(t, []any{refund.StatusSUCCEEDED, "transfer 9", order.StatusREFUNDED}, []any{settled.Status, settled.ProviderRef, after.Status})
		require.Zero(t, c.alerts(t, "REFUND_FAILED"))
		_, _, err = c.SettleRefund(testkit.As(t, biller), booking.SettleRefundInput{RefundID: r.ID, Reference: "again", IdempotencyKey: newKey()})
		requireCode(t, err, "ILLEGAL_STATUS")
	})
}

// Or they ask again, also for a payment that was never to be kept, once the provider answers. Nobody is then told any more to do something about it.
func TestRefund_WhatFailedIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ asked, taken int64 }{"OfAVisit": {8000, 8000}, "OfAnotherAmount": {8000, 100}, "OfMoreThanWasAsked": {8000, 9000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
				e := paidEvent("evt_1", o)
				e.Amount.Minor = tc.taken
				biller := testkit.As(t, testkit.User(t, db, access.Biller))
				c.provider.failure = errors.New("away")
				require.NoError(t, c.HandleEvent(t.Context(), e))
				if tc.taken == tc.asked {
					_, err := c.Cancel(testkit.As(t, c.patient), booking.CancelAppointmentInput{AppointmentID: a.ID})
					require.NoError(t, err)
				}
				_, _, err := c.RefundOrder(biller, back(o, ""))
				require.Error(t, err, "all of it is on its way")
				for range 8 {
					clk.Advance(3 * time.Hour)
					_, err := c.RetryRefunds(t.Context())
					require.NoError(t, err)
				}
				require.Equal(t, 1, c.alerts(t, "REFUND_FAILED"))
				c.provider.failure = nil
				_, after, err := c.RefundOrder(biller, back(o, ""))
				require.NoError(t, err)
				require.Equal(t, []any{order.StatusREFUNDED, tc.taken}, []any{after.Status, after.RefundedMinor})
				require.Equal(t, tc.taken, c.provider.refundedMinor())
				require.Zero(t, c.alerts(t, "REFUND_FAILED"))
				_, _, err = c.RefundOrder(biller, back(o, ""))
				requireCode(t, err, "ILLEGAL_STATUS")
			})
		})
	}
}

// A refund that the provider has made without answering needs nobody.
func TestRefund_GivenUpThoughItWasMade(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.paid(t)
		biller := testkit.User(t, db, access.Biller)
		c.provider.failure = errors.New("away")
		_, _, err := c.RefundOrder(testkit.As(t, biller), back(o, ""))
		require.NoError(t, err)
		e := paidEvent("evt_back", o)
		e.Type = payment.ChargeRefunded
		require.NoError(t, c.HandleEvent(t.Context(), e))
		for range 8 {
			clk.Advance(3 * time.Hour)
			_, err := c.RetryRefunds(t.Context())
			require.NoError(t, err)
		}
		require.Zero(t, c.alerts(t, "REFUND_FAILED"))
	})
}

// What others pay back at the provider's own pages is a refund too, and told once.
func TestEvent_ARefundByOthersIsAccountedFor(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.paid(t)
		told := func(id string, total int64) {
			e := paidEvent(id, o)
			e.Type, e.Amount.Minor = payment.ChargeRefunded, total
			require.NoError(t, c.HandleEvent(t.Context(), e))
		}
		told("evt_a", 2000)
		told("evt_a", 2000)
		told("evt_b", 1000) // older
		require.Equal(t, []any{order.StatusPAID, int64(2000)}, []any{c.order(t, o.ID).Status, c.order(t, o.ID).RefundedMinor})
		biller := testkit.As(t, testkit.User(t, db, access.Biller))
		_, _, err := c.RefundOrder(biller, back(o, "60.01"))
		requireCode(t, err, "REFUND_TOO_LARGE")
		_, after, err := c.RefundOrder(biller, back(o, "10.00"))
		require.NoError(t, err)
		require.Equal(t, int64(3000), after.RefundedMinor)
		told("evt_c", 8000)
		require.Equal(t, []any{order.StatusREFUNDED, int64(8000)}, []any{c.order(t, o.ID).Status, c.order(t, o.ID).RefundedMinor})
		refunds, err := db.Client.Refund.Query().Where(refund.StatusEQ(refund.StatusSUCCEEDED)).All(testkit.System(t))
		require.NoError(t, err)
		sum := int64(0)
		for _, r := range refunds {
			sum += r.AmountMinor
		}
		require.Equal(t, int64(8000), sum)
		require.Len(t, c.mailed(t, "REFUND_MADE"), 3)
	})
}

// Whatever is asked, in whatever order, and whatever the provider does: never more goes back than was paid, and the net is what the rows say.
func TestRefund_MoneyAddsUp(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() == testkit.Postgres {
			testkit.Long(t) // a hundred histories take a minute there
		}
		c := newClinic(t, db, clk)
		biller := testkit.As(t, testkit.User(t, db, access.Biller))
		hours := 24
		rapid.Check(t, func(rt *rapid.T) {
			hours++
			c.provider.failure = nil
			c.patient = testkit.Patient(t, db)
			_, o := c.ordered(t, c.slotIn(t, time.Duration(hours)*time.Hour))
			require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_"+o.ID.String(), o)))
			for range rapid.IntRange(1, 6).Draw(rt, "steps") {
				c.provider.failure = nil
				if rapid.Bool().Draw(rt, "away") {
					c.provider.failure = errors.New("away")
				}
				amount := rapid.SampledFrom([]string{"", "0.01", "10.00", "39.99", "40.00", "80.00", "81.00"}).Draw(rt, "amount")
				_, _, _ = c.RefundOrder(biller, back(o, amount))
			}
			o = c.order(t, o.ID)
			refunds, err := db.Client.Refund.Query().Where(refund.OrderID(o.ID), refund.StatusNEQ(refund.StatusFAILED)).All(testkit.System(t))
			require.NoError(t, err)
			var asked, made int64
			for _, r := range refunds {
				if asked += r.AmountMinor; r.Status == refund.StatusSUCCEEDED {
					made += r.AmountMinor
				}
			}
			require.LessOrEqual(t, asked, o.AmountMinor)
			require.Equal(t, made, o.RefundedMinor)
			require.Equal(t, o.AmountMinor-o.FeeMinor-made, booking.NetMinor(o))
			require.Equal(t, made == o.AmountMinor, o.Status == order.StatusREFUNDED)
			ledger, err := c.Audit(biller, o.ID)
			require.NoError(t, err)
			require.Equal(t, booking.NetMinor(o), ledger.Movements[len(ledger.Movements)-1].NetMinor)
		})
	})
}
