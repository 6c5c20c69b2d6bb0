package booking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func kinds(l *booking.Ledger) (list []booking.MovementKind) {
	for _, m := range l.Movements {
		list = append(list, m.Kind)
	}
	return list
}

func TestAudit_TellsEveryStepOfTheMoney(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		biller := testkit.As(t, testkit.User(t, db, access.Biller))
		audit := func(o *ent.Order) *booking.Ledger {
			l, err := c.Audit(biller, o.ID)
			require.NoError(t, err)
			return l
		}
		a, declined := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(time.Minute)
		require.NoError(t, c.HandleEvent(t.Context(), payment.Event{ID: "evt_no", Type: payment.PaymentFailed, OrderID: declined.ID}))
		require.Equal(t, []booking.MovementKind{"CREATED", "CHECKOUT_OPENED", "FAILED"}, kinds(audit(declined)))

		clk.Advance(time.Minute)
		o, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
		require.NoError(t, err)
		clk.Advance(time.Minute)
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		clk.Advance(time.Minute)
		_, _, err = c.RefundOrder(biller, back(o, "20.00"))
		require.NoError(t, err)
		clk.Advance(time.Minute)
		c.provider.failure = errors.New("away")
		_, _, err = c.RefundOrder(biller, back(o, "10.00"))
		require.NoError(t, err)
		l := audit(o)
		require.Equal(t, []booking.MovementKind{"CREATED", "CHECKOUT_OPENED", "PAID", "REFUND_ASKED", "REFUND_SUCCEEDED", "REFUND_ASKED"}, kinds(l))
		var nets []int64
		for _, m := range l.Movements {
			nets = append(nets, m.NetMinor)
		}
		require.Equal(t, []int64{0, 0, 7830, 7830, 5830, 5830}, nets)

		other, err := c.Audit(testkit.As(t, testkit.Patient(t, db)), o.ID)
		require.NoError(t, err)
		require.Nil(t, other, "somebody else's")
		own, err := c.Audit(testkit.As(t, c.patient), o.ID)
		require.NoError(t, err)
		require.Equal(t, kinds(l), kinds(own))

		c.provider.failure = nil
		clk.Advance(20 * time.Hour)
		_, lapsed := c.ordered(t, c.slotIn(t, 48*time.Hour))
		clk.Advance(15 * time.Minute)
		_, err = c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, []booking.MovementKind{"CREATED", "CHECKOUT_OPENED", "EXPIRED"}, kinds(audit(lapsed)))
	})
}
