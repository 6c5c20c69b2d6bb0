package booking_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/appointmentstatuschange"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestReschedule_EverythingGoesAlong(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, o := c.paidIn(t, 24*time.Hour)
		said := "It hurts."
		_, err := c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: &said})
		require.NoError(t, err)
		room := c.room(t, a.ID)
		to := testkit.Slot(t, db, c.doctor, a.StartsAt.Add(30*time.Minute))
		made, err := c.Reschedule(me, moving(a, to))
		require.NoError(t, err)
		require.Equal(t, appointment.StatusRESCHEDULED, c.appointment(t, a.ID).Status)
		require.Equal(t, appointment.StatusBOOKED, made.Status)
		require.Equal(t, a.ID, *made.RescheduledFromID)
		require.Equal(t, []any{to.ID, to.StartsAt.UTC(), a.PriceMinor, a.IsInitial, a.BookedBy},
			[]any{made.SlotID, made.StartsAt.UTC(), made.PriceMinor, made.IsInitial, made.BookedBy})
		require.Equal(t, made.ID, c.order(t, o.ID).AppointmentID)
		require.Equal(t, room.ID, c.room(t, made.ID).ID, "a rescheduled appointment keeps its room")
		intake, err := db.Client.AppointmentIntake.Query().Where(appointmentintake.AppointmentID(made.ID)).Only(me)
		require.NoError(t, err)
		require.Equal(t, said, intake.Note)
		var steps []string
		rows, err := db.Client.AppointmentStatusChange.Query().Where(appointmentstatuschange.AppointmentID(made.ID)).Order(ent.Asc(appointmentstatuschange.FieldID)).All(me)
		require.NoError(t, err)
		for _, row := range rows {
			steps = append(steps, row.Cause+" "+row.ToStatus)
		}
		require.Equal(t, []string{"bookAppointment PENDING", "payment_webhook BOOKED", "rescheduleAppointment BOOKED"}, steps)
		require.Contains(t, rows[2].Context, a.ID.String())
		c.legal(t, a.ID)
		c.legal(t, made.ID)
		_, err = c.Book(testkit.As(t, testkit.Patient(t, db)), booking.BookAppointmentInput{SlotID: a.SlotID})
		require.NoError(t, err, "the old slot is free")
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("again", o)), "a late repetition finds the order where it is now")
		require.Zero(t, c.provider.refundedMinor())
		_, err = c.Cancel(me, cancelling(made))
		require.NoError(t, err)
		require.Equal(t, o.AmountMinor, c.provider.refundedMinor(), "the money that went along goes back")
	})
}

func TestReschedule_PatientUntil60MinutesBeforeTheStart(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, _ := c.paidIn(t, 2*time.Hour)
		b, _ := c.paidIn(t, 3*time.Hour)
		one, two := c.slotIn(t, 24*time.Hour), c.slotIn(t, 26*time.Hour)
		clk.Advance(time.Hour) // exactly 60 minutes before
		_, err := c.Reschedule(me, moving(a, one))
		require.NoError(t, err)
		clk.Advance(time.Hour + time.Microsecond)
		_, err = c.Reschedule(me, moving(b, two))
		requireCode(t, err, "TOO_LATE_TO_CANCEL")
		_, err = c.Reschedule(testkit.As(t, c.doctor), moving(b, two))
		require.NoError(t, err, "its doctor may at any time")
	})
}

func TestReschedule_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, _ := c.paidIn(t, 24*time.Hour)
		waits, err := c.book(t, c.slotIn(t, 30*time.Hour))
		require.NoError(t, err)
		past, free := c.slotIn(t, 0), c.slotIn(t, 40*time.Hour)
		overlapping := testkit.Slot(t, db, c.doctor, waits.StartsAt.Add(-30*time.Minute), func(s *ent.SlotCreate) { s.SetEndsAt(waits.StartsAt) })
		elsewhere := testkit.Slot(t, db, testkit.Practitioner(t, db), clk.Now().Add(50*time.Hour))
		clash := testkit.Slot(t, db, testkit.Practitioner(t, db), clk.Now().Add(60*time.Hour))
		testkit.Appointment(t, db, clash, c.patient)
		meets := testkit.Slot(t, db, c.doctor, clash.StartsAt.Add(15*time.Minute))
		long := strings.Repeat("ä", 201)
		for _, tc := range []struct {
			name string
			who  context.Context
			in   booking.RescheduleAppointmentInput
			code fault.Code
		}{
			{"Pending", me, moving(waits, free), "ILLEGAL_STATUS"},
			{"SlotInPast", me, moving(a, past), "SLOT_IN_PAST"},
			{"SlotOfOneself", me, booking.RescheduleAppointmentInput{AppointmentID: a.ID, NewSlotID: a.SlotID}, "SLOT_TAKEN"},
			{"SlotTaken", me, booking.RescheduleAppointmentInput{AppointmentID: a.ID, NewSlotID: waits.SlotID}, "SLOT_TAKEN"},
			{"AnotherPractitioner", me, moving(a, elsewhere), fault.CodeInvalidInput},
			{"OverlapsAnotherVisit", me, moving(a, meets), "PATIENT_OVERLAP"},
			{"UnknownSlot", me, booking.RescheduleAppointmentInput{AppointmentID: a.ID}, fault.CodeNotFound},
			{"UnknownVisit", me, booking.RescheduleAppointmentInput{NewSlotID: free.ID}, fault.CodeNotFound},
			{"AnotherPatient", testkit.As(t, testkit.Patient(t, db)), moving(a, free), fault.CodeNotFound},
			{"Nurse", testkit.As(t, testkit.User(t, db, access.Nurse)), moving(a, free), fault.CodeNotFound},
			{"ReasonOf201Characters", me, booking.RescheduleAppointmentInput{AppointmentID: a.ID, NewSlotID: free.ID, Reason: &long}, fault.CodeInvalidInput},
		} {
			_, err := c.Reschedule(tc.who, tc.in)
			require.Error(t, err, tc.name)
			var e *fault.Error
			require.ErrorAs(t, err, &e, tc.name)
			require.Equal(t, tc.code, e.Code, tc.name)
		}
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status, "a refusal changes nothing")
		_, err = c.Reschedule(me, moving(a, overlapping))
		require.NoError(t, err, "next to another visit is not over it")
	})
}

func TestReschedule_TheSameKeyMovesOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, _ := c.paidIn(t, 24*time.Hour)
		key := "twice"
		in := moving(a, c.slotIn(t, 48*time.Hour))
		in.IdempotencyKey = &key
		first, err := c.Reschedule(testkit.As(t, c.patient), in)
		require.NoError(t, err)
		second, err := c.Reschedule(testkit.As(t, c.patient), in)
		require.NoError(t, err)
		require.Equal(t, first.ID, second.ID)
	})
}

func TestReschedule_200ToOneSlotHaveOneWinner(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		const callers = 200
		visits := make([]*ent.Appointment, callers)
		who := make([]context.Context, callers)
		for i := range visits {
			p := testkit.Patient(t, db)
			visits[i] = testkit.Appointment(t, db, c.slotIn(t, 48*time.Hour+time.Duration(i)*30*time.Minute), p)
			who[i] = testkit.As(t, p)
		}
		wanted, other := c.slotIn(t, 24*time.Hour), c.slotIn(t, 25*time.Hour)
		second := newService(testkit.Another(t, db, clk), c.provider)
		won := 0
		for _, err := range atOnce(callers, func(i int) error {
			_, err := []*booking.Service{c.Service, second}[i%2].Reschedule(who[i], moving(visits[i], wanted))
			return err
		}) {
			if err == nil {
				won++
				continue
			}
			requireCode(t, err, "SLOT_TAKEN")
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, other.ID, e.Detail.(booking.Alternatives).Slots[0].ID)
		}
		require.Equal(t, 1, won)
		n, err := db.Client.Appointment.Query().Where(appointment.StatusEQ(appointment.StatusRESCHEDULED)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, n, "the losers stay where they were")
	})
}

// The payment of a visit and its cancellation at once: whoever is first, no money is kept without a booking.
func TestCancel_AndThePaymentAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		e := paidEvent("evt", o)
		cancelled := 0
		for i, err := range atOnce(200, func(i int) error {
			if i%2 == 0 {
				return c.HandleEvent(t.Context(), e)
			}
			_, err := c.Cancel(testkit.As(t, c.patient), cancelling(a))
			return err
		}) {
			switch {
			case i%2 == 0:
				require.NoError(t, err)
			case err == nil:
				cancelled++
			default:
				requireCode(t, err, "ILLEGAL_STATUS")
			}
		}
		require.Equal(t, 1, cancelled)
		require.Equal(t, appointment.StatusCANCELLED_BY_PATIENT, c.appointment(t, a.ID).Status)
		_, err := c.RetryRefunds(t.Context())
		require.NoError(t, err)
		require.Equal(t, o.AmountMinor, c.provider.refundedMinor(), "once")
		c.legal(t, a.ID)
	})
}

// A visit is moved while its provider tells of a refund and of the payment again: the events find the order.
func TestReschedule_AndEventsAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.paidIn(t, 24*time.Hour)
		to := c.slotIn(t, 48*time.Hour)
		moves := 0
		for i, err := range atOnce(60, func(i int) error {
			if i%3 == 0 {
				_, err := c.Reschedule(testkit.As(t, c.patient), moving(a, to))
				return err
			}
			e := paidEvent("evt_"+string(rune('a'+i)), o)
			e.PaymentRef = c.order(t, o.ID).PaymentRef
			return c.HandleEvent(t.Context(), e)
		}) {
			switch {
			case err == nil && i%3 == 0:
				moves++
			case err != nil && i%3 == 0:
				var e *fault.Error
				require.True(t, errors.As(err, &e), "%v", err)
			default:
				require.NoError(t, err)
			}
		}
		require.Equal(t, 1, moves)
		now, err := db.Client.Appointment.Query().Where(appointment.StatusEQ(appointment.StatusBOOKED)).Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, now.ID, c.order(t, o.ID).AppointmentID)
		require.Equal(t, order.StatusPAID, c.order(t, o.ID).Status)
		c.legal(t, a.ID)
		c.legal(t, now.ID)
	})
}

// Both sides are told of a move and of a cancellation, once, without a medical word; what was told before and is moot is taken back.
func TestCancelAndReschedule_Tell(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, _ := c.paidIn(t, 24*time.Hour)
		secret := "A rash on the back."
		_, err := c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: &secret})
		require.NoError(t, err)
		made, err := c.Reschedule(me, moving(a, c.slotIn(t, 48*time.Hour)))
		require.NoError(t, err)
		notices := func(kind string) (list []*ent.Notification) {
			list, err := db.Client.Notification.Query().Where(notification.Kind(kind), notification.WithdrawnAtIsNil()).All(testkit.System(t))
			require.NoError(t, err)
			return list
		}
		require.Len(t, notices("APPOINTMENT_RESCHEDULED"), 2)
		require.Empty(t, notices("APPOINTMENT_CONFIRMED"), "moot")
		require.Empty(t, notices("APPOINTMENT_BOOKED"), "moot")
		_, err = c.Cancel(testkit.As(t, c.doctor), cancelling(made))
		require.NoError(t, err)
		require.Empty(t, notices("APPOINTMENT_RESCHEDULED"), "moot")
		told := notices("APPOINTMENT_CANCELLED")
		require.Len(t, told, 1, "the doctor knows")
		require.Equal(t, *c.patient.UserID, told[0].UserID)
		mails, err := db.Client.Delivery.Query().Where(delivery.Kind("APPOINTMENT_CANCELLED")).All(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, mails, 1)
		require.Equal(t, c.patient.Email, mails[0].Address)
		withdrawn, err := db.Client.Delivery.Query().Where(delivery.Kind("APPOINTMENT_RESCHEDULED")).Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, delivery.StatusWITHDRAWN, withdrawn.Status)
		require.NotContains(t, mails[0].Body+told[0].Text, secret)
	})
}
