package booking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/appointmentstatuschange"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func ptr[T any](v T) *T { return &v }

// newKey is an idempotency key of its own.
func newKey() *string { return ptr(uuid.NewString()) }

func atDesk(o *ent.Order) booking.RecordPaymentInput {
	return booking.RecordPaymentInput{OrderID: o.ID, Method: order.MethodCASH, Reference: ptr("R-17"), IdempotencyKey: newKey()}
}

// phoned books for the clinic's patient as a scheduler, and returns the order that comes with it.
func (c *clinic) phoned(t *testing.T, s *ent.Slot) (*ent.Appointment, *ent.Order) {
	t.Helper()
	a, err := c.Book(testkit.As(t, testkit.User(t, c.db, access.Scheduler)), booking.BookAppointmentInput{SlotID: s.ID, PatientID: &c.patient.ID})
	require.NoError(t, err)
	return a, c.onlyOrder(t, a)
}

func (c *clinic) onlyOrder(t *testing.T, a *ent.Appointment) *ent.Order {
	t.Helper()
	o, err := c.db.Client.Order.Query().Where(order.AppointmentID(a.ID)).Only(testkit.System(t))
	require.NoError(t, err)
	return o
}

// mailed returns the mails of a kind, whatever became of them.
func (c *clinic) mailed(t *testing.T, kind string) []*ent.Delivery {
	t.Helper()
	all, err := c.db.Client.Delivery.Query().Where(delivery.Kind(kind)).Order(delivery.ByID()).All(testkit.System(t))
	require.NoError(t, err)
	return all
}

func TestRecordPayment_BooksAndClosesThePage(t *testing.T) {
	t.Parallel()
	for _, role := range []access.Role{access.Biller, access.Scheduler, access.Admin} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
				clerk := testkit.User(t, db, role)
				in := atDesk(o)
				paid, _, err := c.RecordPayment(testkit.As(t, clerk), in)
				require.NoError(t, err)
				require.Equal(t, order.StatusPAID, paid.Status)
				require.Equal(t, order.MethodCASH, *paid.Method)
				require.Equal(t, "R-17", paid.PaymentRef)
				require.Equal(t, clk.Now(), paid.PaidAt.UTC())
				require.Equal(t, a.PriceMinor, booking.NetMinor(paid), "nobody takes a fee")
				require.Contains(t, c.provider.closed, *o.ProviderRef)
				require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
				require.Len(t, c.mailed(t, "APPOINTMENT_CONFIRMED"), 1)
				step, err := db.Client.AppointmentStatusChange.Query().Where(appointmentstatuschange.ToStatus("BOOKED")).Only(testkit.System(t))
				require.NoError(t, err)
				require.Equal(t, "recordPayment", step.Cause)
				require.Equal(t, clerk.ID, *step.ChangedBy)

				again, _, err := c.RecordPayment(testkit.As(t, clerk), in)
				require.NoError(t, err, "the key gives the first result")
				require.Equal(t, paid.ID, again.ID)
				_, _, err = c.RecordPayment(testkit.As(t, clerk), atDesk(o))
				requireCode(t, err, "ILLEGAL_STATUS")
			})
		})
	}
}

func TestRecordPayment_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		biller := testkit.As(t, testkit.User(t, db, access.Biller))
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))

		in := atDesk(o)
		in.IdempotencyKey = nil
		_, _, err := c.RecordPayment(biller, in)
		requireCode(t, err, "IDEMPOTENCY_KEY_REQUIRED")
		in = atDesk(o)
		in.Method = order.MethodONLINE
		_, _, err = c.RecordPayment(biller, in)
		requireCode(t, err, fault.CodeInvalidInput)
		in = atDesk(o)
		in.OrderID = uuid.New()
		_, _, err = c.RecordPayment(biller, in)
		requireCode(t, err, fault.CodeNotFound)
		_, _, err = c.RecordPayment(testkit.As(t, testkit.Patient(t, db)), atDesk(o))
		requireCode(t, err, fault.CodeNotFound)

		c.provider.failure = errors.New("away")
		_, _, err = c.RecordPayment(biller, atDesk(o))
		requireCode(t, err, fault.CodeUnavailable)
		c.provider.failure = nil
		c.provider.known = map[string]payment.Event{*o.ProviderRef: {ID: "x", Type: payment.CheckoutCompleted, OrderID: o.ID}}
		_, _, err = c.RecordPayment(biller, atDesk(o))
		requireCode(t, err, "ILLEGAL_STATUS")
		c.provider.known = nil

		clk.Advance(15 * time.Minute)
		_, _, err = c.RecordPayment(biller, atDesk(o))
		requireCode(t, err, "PAYMENT_EXPIRED")
		_, err = c.ExpireDue(t.Context())
		require.NoError(t, err)
		_, _, err = c.RecordPayment(testkit.As(t, testkit.User(t, db, access.Scheduler)), atDesk(o))
		requireCode(t, err, "PAYMENT_EXPIRED")
	})
}

// A payment that reached the provider before the desk closed its page counts, and is not taken twice.
func TestRecordPayment_PaidOnlineMeanwhile(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		c.provider.known = map[string]payment.Event{*o.ProviderRef: paidEvent("evt_1", o)}
		_, _, err := c.RecordPayment(testkit.As(t, testkit.User(t, db, access.Biller)), atDesk(o))
		requireCode(t, err, "ILLEGAL_STATUS")
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		require.Equal(t, order.MethodONLINE, *c.order(t, o.ID).Method)
	})
}

// A payment that a provider reports although the desk has taken the money is an order of its own, and goes back.
func TestEvent_PaidOnlineAfterTheDeskGoesBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		_, _, err := c.RecordPayment(testkit.As(t, testkit.User(t, db, access.Biller)), atDesk(o))
		require.NoError(t, err)
		for i := range 3 {
			require.NoError(t, c.HandleEvent(t.Context(), paidEvent(fmt.Sprint("evt_", i), o)))
		}
		require.Equal(t, int64(8000), c.provider.refundedMinor())
		back := paidEvent("evt_back", o)
		back.Type = payment.ChargeRefunded
		require.NoError(t, c.HandleEvent(t.Context(), back))
		require.Equal(t, order.StatusPAID, c.order(t, o.ID).Status)
		require.Zero(t, c.order(t, o.ID).RefundedMinor)
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		second, err := db.Client.Order.Query().Where(order.IDNEQ(o.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, order.StatusREFUNDED, second.Status)
		require.Equal(t, int64(8000), second.RefundedMinor)
	})
}

// A card that was declined, or a page that was closed, keeps nobody from paying at the desk.
func TestRecordPayment_AfterADecline(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, c.HandleEvent(t.Context(), payment.Event{ID: "evt_no", Type: payment.PaymentFailed, OrderID: o.ID}))
		scheduler := testkit.As(t, testkit.User(t, db, access.Scheduler))
		second, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
		require.NoError(t, err)
		_, _, err = c.RecordPayment(scheduler, atDesk(o))
		requireCode(t, err, "ILLEGAL_STATUS")
		paid, booked, err := c.RecordPayment(scheduler, atDesk(second))
		require.NoError(t, err)
		require.Equal(t, order.StatusPAID, paid.Status)
		require.Equal(t, appointment.StatusBOOKED, booked.Status)
	})
}

func TestRecordPayment_20AtOnceBookOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clerk, won := testkit.User(t, db, access.Biller), 0
		for _, err := range atOnce(20, func(int) error {
			_, _, err := c.RecordPayment(testkit.As(t, clerk), atDesk(o))
			return err
		}) {
			if err == nil {
				won++
			} else {
				requireCode(t, err, "ILLEGAL_STATUS")
			}
		}
		require.Equal(t, 1, won)
	})
}

func TestBook_StaffHaveThePageMailed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.phoned(t, c.slotIn(t, 48*time.Hour))
		require.Equal(t, clk.Now().Add(24*time.Hour), a.ExpiresAt.UTC())
		require.Equal(t, clk.Now(), o.CheckoutAt.UTC())
		links := c.mailed(t, "PAYMENT_LINK")
		require.Len(t, links, 1)
		require.Contains(t, links[0].Body, o.CheckoutURL)
		require.Equal(t, c.patient.Email, links[0].Address)

		again, err := c.CreateOrder(testkit.As(t, testkit.User(t, db, access.Scheduler)), booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, "ORDER_EXISTS")
		require.Equal(t, o.ID, again.ID)
		require.Len(t, c.mailed(t, "PAYMENT_LINK"), 1, "once per order")

		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		require.Equal(t, delivery.StatusWITHDRAWN, c.mailed(t, "PAYMENT_LINK")[0].Status, "moot")
		_, err = c.CreateOrder(testkit.As(t, testkit.User(t, db, access.Scheduler)), booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, "ILLEGAL_STATUS")

		c.ordered(t, c.slotIn(t, 72*time.Hour))
		require.Len(t, c.mailed(t, "PAYMENT_LINK"), 1, "who books online has the page before them")
	})
}

func TestBook_APageThatCouldNotBeOpenedIsOpenedByTheJob(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		c.provider.failure = errors.New("away")
		_, o := c.phoned(t, c.slotIn(t, 48*time.Hour))
		require.Nil(t, o.ProviderRef)
		c.provider.failure = nil
		clk.Advance(5*time.Minute + time.Second)
		n, err := c.Reconcile(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NotEmpty(t, c.order(t, o.ID).CheckoutURL)
		require.Len(t, c.mailed(t, "PAYMENT_LINK"), 1)
	})
}

// Where nothing can be paid online, staff get orders to take the money for, and patients are told that it does not go.
func TestCreateOrder_WithoutAProvider(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		c.Service = newService(db, payment.Off{})
		a, o := c.phoned(t, c.slotIn(t, 48*time.Hour))
		require.Empty(t, c.mailed(t, "PAYMENT_LINK"))
		scheduler := testkit.As(t, testkit.User(t, db, access.Scheduler))
		again, err := c.CreateOrder(scheduler, booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, "ORDER_EXISTS")
		require.Empty(t, again.CheckoutURL)
		_, booked, err := c.RecordPayment(scheduler, atDesk(o))
		require.NoError(t, err)
		require.Equal(t, appointment.StatusBOOKED, booked.Status)
		own, err := c.book(t, c.slotIn(t, 72*time.Hour))
		require.NoError(t, err)
		_, err = c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: own.ID})
		requireCode(t, err, fault.CodeUnavailable)
	})
}
