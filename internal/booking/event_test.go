package booking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestEvent_PaidBooksAndTells(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		paid := c.order(t, o.ID)
		require.Equal(t, order.StatusPAID, paid.Status)
		require.Equal(t, int64(8000-170), booking.NetMinor(paid))
		relations, err := db.Client.CareRelation.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, relations, "the patient is the doctor's now")
		notices, err := db.Client.Notification.Query().All(testkit.As(t, c.patient))
		require.NoError(t, err)
		require.Len(t, notices, 1)
		require.Equal(t, "APPOINTMENT_CONFIRMED", notices[0].Kind)
		mails, err := db.Client.Delivery.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, mails)
	})
}

func TestEvent_Delivered50TimesAtOnceHasOneEffect(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		second := newService(testkit.Another(t, db, clk), c.provider)
		for _, err := range atOnce(50, func(i int) error {
			s := c.Service
			if i%2 == 1 {
				s = second
			}
			return s.HandleEvent(t.Context(), paidEvent("evt_1", o))
		}) {
			require.NoError(t, err)
		}
		ctx := testkit.System(t)
		for what, count := range map[string]func() (int, error){
			"events":        func() (int, error) { return db.Client.PaymentEvent.Query().Count(ctx) },
			"confirmations": func() (int, error) { return db.Client.Delivery.Query().Count(ctx) },
			"relations":     func() (int, error) { return db.Client.CareRelation.Query().Count(ctx) },
			"rooms":         func() (int, error) { return db.Client.ChatRoom.Query().Count(ctx) },
		} {
			n, err := count()
			require.NoError(t, err)
			require.Equal(t, 1, n, what)
		}
		steps, err := db.Client.AppointmentStatusChange.Query().Count(ctx)
		require.NoError(t, err)
		require.Equal(t, 2, steps)
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
	})
}

func TestEvent_LatePayment(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		after    time.Duration
		job      bool
		rival    bool
		status   appointment.Status
		refunded int64
	}{
		{name: "BeforeTheJobHasRun", after: 20 * time.Minute, status: appointment.StatusBOOKED},
		{name: "AfterTheJobTheSlotStillFree", after: 20 * time.Minute, job: true, status: appointment.StatusBOOKED},
		{name: "AfterTheJobTheSlotTaken", after: 20 * time.Minute, job: true, rival: true, status: appointment.StatusPAYMENT_EXPIRED, refunded: 8000},
		{name: "AfterTheStart", after: 25 * time.Hour, status: appointment.StatusPAYMENT_EXPIRED, refunded: 8000},
		{name: "AfterTheStartAndTheJob", after: 25 * time.Hour, job: true, status: appointment.StatusPAYMENT_EXPIRED, refunded: 8000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				wanted := c.slotIn(t, 24*time.Hour)
				a, o := c.ordered(t, wanted)
				clk.Advance(tc.after)
				if tc.job {
					_, err := c.ExpireDue(t.Context())
					require.NoError(t, err)
				}
				if tc.rival {
					_, err := c.Book(testkit.As(t, testkit.Patient(t, db)), booking.BookAppointmentInput{SlotID: wanted.ID})
					require.NoError(t, err)
				}
				require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_late", o)))
				require.Equal(t, tc.status, c.appointment(t, a.ID).Status)
				require.Equal(t, tc.refunded, c.provider.refundedMinor())
				o = c.order(t, o.ID)
				require.Equal(t, tc.refunded, o.RefundedMinor)
				if tc.refunded > 0 {
					require.Equal(t, order.StatusREFUNDED, o.Status)
				} else {
					require.Equal(t, order.StatusPAID, o.Status)
				}
			})
		})
	}
}

func TestEvent_ADeclinedPaymentLetsANewOrderBeMade(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, first := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, c.HandleEvent(t.Context(), payment.Event{ID: "evt_no", Type: payment.PaymentFailed, OrderID: first.ID}))
		require.Equal(t, order.StatusFAILED, c.order(t, first.ID).Status)
		require.Equal(t, []string{*first.ProviderRef}, c.provider.closed, "the declined page takes no more money")
		second, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
		require.NoError(t, err)
		require.NotEqual(t, first.ID, second.ID)

		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_second", second)))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_first", first)), "the first page was paid all the same")
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		require.Equal(t, order.StatusPAID, c.order(t, second.ID).Status)
		require.Equal(t, order.StatusREFUNDED, c.order(t, first.ID).Status)
		require.Equal(t, int64(8000), c.provider.refundedMinor(), "paid twice, kept once")
	})
}

func TestEvent_AnotherAmountGoesBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		e := paidEvent("evt_1", o)
		e.Amount = money.Amount{Minor: 100, Currency: "AUD"}
		require.NoError(t, c.HandleEvent(t.Context(), e))
		require.Equal(t, appointment.StatusPENDING, c.appointment(t, a.ID).Status)
		require.Equal(t, int64(100), c.provider.refundedMinor())
	})
}

func TestEvent_OutOfOrderAndForeignEventsChangeNothing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		for i, kind := range []payment.EventType{payment.CheckoutExpired, payment.PaymentFailed, payment.CheckoutCompleted, "customer.created"} {
			e := paidEvent(fmt.Sprintf("evt_x%d", i), o)
			e.Type = kind
			require.NoError(t, c.HandleEvent(t.Context(), e))
		}
		require.NoError(t, c.HandleEvent(t.Context(), payment.Event{ID: "evt_foreign", Type: payment.CheckoutCompleted, IsPaid: true}))
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		require.Equal(t, order.StatusPAID, c.order(t, o.ID).Status)
		require.Zero(t, c.provider.refundedMinor())
	})
}

func TestRefund_IsRetriedWithBackoffAndGivenUpAfter8Tries(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(25 * time.Hour)
		c.provider.failure = errors.New("away")
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		row := func() (status refund.Status, attempts int) {
			r, err := db.Client.Refund.Query().Only(testkit.System(t))
			require.NoError(t, err)
			return r.Status, r.Attempts
		}
		status, attempts := row()
		require.Equal(t, refund.StatusPROCESSING, status)
		require.Equal(t, 1, attempts)
		_, err := c.RetryRefunds(t.Context())
		require.NoError(t, err)
		_, attempts = row()
		require.Equal(t, 1, attempts, "not before its time")
		for range 6 {
			clk.Advance(3 * time.Hour)
			_, err := c.RetryRefunds(t.Context())
			require.NoError(t, err)
		}
		status, attempts = row()
		require.Equal(t, refund.StatusPROCESSING, status)
		require.Equal(t, 7, attempts)
		clk.Advance(3 * time.Hour)
		_, err = c.RetryRefunds(t.Context())
		require.NoError(t, err)
		status, attempts = row()
		require.Equal(t, refund.StatusFAILED, status)
		require.Equal(t, 8, attempts)
	})
}

func TestRefund_ManyWorkersPayBackOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(25 * time.Hour)
		c.provider.failure = errors.New("away")
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		c.provider.failure = nil
		clk.Advance(time.Hour)
		total := 0
		results := make([]int, 20)
		for _, err := range atOnce(len(results), func(i int) (err error) {
			results[i], err = c.RetryRefunds(t.Context())
			return err
		}) {
			require.NoError(t, err)
		}
		for _, n := range results {
			total += n
		}
		require.Equal(t, 1, total)
		require.Equal(t, int64(8000), c.order(t, o.ID).RefundedMinor)
	})
}

func TestReconcile_AnEventThatWasLostBooksAfter5Minutes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		c.provider.known = map[string]payment.Event{*o.ProviderRef: paidEvent("evt_lost", o)}
		clk.Advance(5 * time.Minute)
		n, err := c.Reconcile(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "5 minutes are not more than 5 minutes")
		clk.Advance(time.Second)
		n, err = c.Reconcile(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_lost", o)), "the event itself, late")
		require.Zero(t, c.provider.refundedMinor())
	})
}

// A provider that does not answer about one order does not keep the others from being asked, and the run counts as failed.
func TestReconcile_GoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, broken := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(time.Second)
		b, paid := c.ordered(t, c.slotIn(t, 48*time.Hour))
		c.provider.known = map[string]payment.Event{*paid.ProviderRef: paidEvent("evt_paid", paid)}
		c.provider.mute = *broken.ProviderRef
		clk.Advance(6 * time.Minute)
		n, err := c.Reconcile(t.Context())
		require.ErrorContains(t, err, broken.ID.String())
		require.Equal(t, 1, n)
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, b.ID).Status)
	})
}

func TestEvent_ARefundThatIsToldBeforeItsPaymentBooksNothing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		back := paidEvent("evt_back", o)
		back.Type = payment.ChargeRefunded
		require.NoError(t, c.HandleEvent(t.Context(), back))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_paid", o)))
		require.Equal(t, appointment.StatusPENDING, c.appointment(t, a.ID).Status)
		require.Equal(t, order.StatusREFUNDED, c.order(t, o.ID).Status)
		require.Zero(t, c.provider.refundedMinor(), "it has gone back already")
	})
}

func TestExpire_TakesItsOrdersAlong(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(15 * time.Minute)
		_, err := c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, order.StatusEXPIRED, c.order(t, o.ID).Status)
	})
}

// Nobody sees a deleted visit, so nobody could come to it, or cancel it.
func TestEvent_LatePaymentOfADeletedVisitGoesBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(15 * time.Minute)
		require.NoError(t, c.Delete(testkit.As(t, c.patient), booking.DeleteAppointmentInput{AppointmentID: a.ID}))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_late", o)))
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, a.ID).Status)
		require.Equal(t, int64(8000), c.provider.refundedMinor())
	})
}

func TestEvent_LatePaymentForASlotThatWasMovedGoesBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		wanted := c.slotIn(t, 24*time.Hour)
		a, o := c.ordered(t, wanted)
		clk.Advance(15 * time.Minute)
		later := wanted.StartsAt.Add(3 * time.Hour)
		_, err := c.UpdateSlot(testkit.As(t, c.doctor), booking.UpdateSlotInput{ID: wanted.ID, StartsAt: &later})
		require.NoError(t, err)
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_late", o)))
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, a.ID).Status)
		require.Equal(t, int64(8000), c.provider.refundedMinor())
	})
}

func TestEvent_LatePaymentTakesTheSlotOfWhoHasNotPaidInTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		s := c.slotIn(t, 24*time.Hour)
		a, o := c.ordered(t, s)
		clk.Advance(15 * time.Minute)
		b, err := c.Book(testkit.As(t, testkit.Patient(t, db)), booking.BookAppointmentInput{SlotID: s.ID})
		require.NoError(t, err)
		clk.Advance(15 * time.Minute) // the rival's time to pay is over too
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_late", o)))
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, b.ID).Status)
		require.Zero(t, c.provider.refundedMinor())
	})
}

func TestReconcile_ClosesPagesThatCouldNotBeClosed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		b := newBank()
		c := newClinic(t, db, clk)
		c.Service = newService(db, b)
		_, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(15 * time.Minute)
		b.away = true
		_, err := c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, order.StatusEXPIRED, c.order(t, o.ID).Status)
		b.away = false
		_, err = c.Reconcile(t.Context())
		require.NoError(t, err)
		require.True(t, b.pages[*o.ProviderRef].closed, "closed though the provider did not answer at the deadline")
		_, err = c.Reconcile(t.Context())
		require.NoError(t, err)
		n, err := c.Reconcile(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "no news")
	})
}
