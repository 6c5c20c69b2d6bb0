package booking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/appointmentstatuschange"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// paidIn books a slot that starts after d, and pays.
func (c *clinic) paidIn(t *testing.T, d time.Duration) (*ent.Appointment, *ent.Order) {
	t.Helper()
	a, o := c.ordered(t, c.slotIn(t, d))
	require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_"+a.ID.String(), o)))
	a = c.appointment(t, a.ID)
	require.Equal(t, appointment.StatusBOOKED, a.Status)
	return a, c.order(t, o.ID)
}

func (c *clinic) room(t *testing.T, appointmentID uuid.UUID) *ent.ChatRoom {
	t.Helper()
	r, err := c.db.Client.ChatRoom.Query().Where(chatroom.AppointmentID(appointmentID)).Only(testkit.System(t))
	require.NoError(t, err)
	return r
}

func (c *clinic) slot(t *testing.T, id uuid.UUID) *ent.Slot {
	t.Helper()
	s, err := c.db.Client.Slot.Get(testkit.System(t), id)
	require.NoError(t, err)
	return s
}

// legal checks a visit against the invariants of visits and money.
func (c *clinic) legal(t *testing.T, id uuid.UUID) {
	t.Helper()
	a := c.appointment(t, id)
	orders, err := c.db.Client.Order.Query().Where(order.AppointmentID(id)).All(testkit.System(t))
	require.NoError(t, err)
	var kept []booking.Kept
	for _, o := range orders {
		refunds, err := c.db.Client.Refund.Query().All(testkit.System(t))
		require.NoError(t, err)
		left := booking.TakenMinor(o)
		for _, r := range refunds {
			if r.OrderID == o.ID && r.Status != "FAILED" {
				left -= r.AmountMinor
			}
		}
		kept = append(kept, booking.Kept{Status: o.Status, KeptMinor: left})
	}
	require.Empty(t, booking.Illegal(a.Status, kept), "%s %v", a.Status, kept)
}

func cancelling(a *ent.Appointment) booking.CancelAppointmentInput {
	return booking.CancelAppointmentInput{AppointmentID: a.ID}
}

func moving(a *ent.Appointment, to *ent.Slot) booking.RescheduleAppointmentInput {
	return booking.RescheduleAppointmentInput{AppointmentID: a.ID, NewSlotID: to.ID}
}

func TestCancel_PatientUntil60MinutesBeforeTheStart(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.paidIn(t, 3*time.Hour)
		late, _ := c.paidIn(t, 5*time.Hour)
		me := testkit.As(t, c.patient)
		clk.Advance(2 * time.Hour) // exactly 60 minutes before
		require.True(t, c.May(me, c.appointment(t, a.ID), booking.ActCancel))
		reason := " I am away. "
		in := cancelling(a)
		in.Reason = &reason
		cancelled, err := c.Cancel(me, in)
		require.NoError(t, err)
		require.Equal(t, appointment.StatusCANCELLED_BY_PATIENT, cancelled.Status)
		require.Equal(t, order.StatusREFUNDED, c.order(t, o.ID).Status, "paid ones are refunded in full")
		require.Equal(t, o.AmountMinor, c.provider.refundedMinor())
		require.Equal(t, chatroom.StatusINACTIVE, c.room(t, a.ID).Status)
		require.Equal(t, slot.StatusOPEN, c.slot(t, a.SlotID).Status)
		c.legal(t, a.ID)
		last, err := db.Client.AppointmentStatusChange.Query().Where(appointmentstatuschange.AppointmentID(a.ID)).Order(ent.Desc(appointmentstatuschange.FieldID)).First(me)
		require.NoError(t, err)
		require.Equal(t, []string{"BOOKED", "CANCELLED_BY_PATIENT", "cancelAppointment", "I am away.", `{"isSlotReleased":"true"}`},
			[]string{*last.FromStatus, last.ToStatus, last.Cause, last.Reason, last.Context})
		require.Equal(t, c.patient.UserID, last.ChangedBy)
		_, err = c.Cancel(me, cancelling(a))
		requireCode(t, err, "ILLEGAL_STATUS")

		clk.Advance(2*time.Hour + time.Microsecond)
		require.False(t, c.May(me, c.appointment(t, late.ID), booking.ActCancel))
		_, err = c.Cancel(me, cancelling(late))
		requireCode(t, err, "TOO_LATE_TO_CANCEL")
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, late.ID).Status)
	})
}

func TestCancel_WhoMayAndWhatBecomesOfTheSlot(t *testing.T) {
	t.Parallel()
	yes := true
	for _, tc := range []struct {
		name    string
		who     func(t *testing.T, c *clinic) any
		release *bool
		want    appointment.Status
		slot    slot.Status
		code    fault.Code
	}{
		{"ItsDoctor", func(_ *testing.T, c *clinic) any { return c.doctor }, nil, appointment.StatusCANCELLED_BY_DOCTOR, slot.StatusBLOCKED, ""},
		{"ItsDoctorReleasesTheSlot", func(_ *testing.T, c *clinic) any { return c.doctor }, &yes, appointment.StatusCANCELLED_BY_DOCTOR, slot.StatusOPEN, ""},
		{"Administrator", func(t *testing.T, c *clinic) any { return testkit.User(t, c.db, access.Admin) }, nil, appointment.StatusCANCELLED_BY_ADMIN, slot.StatusOPEN, ""},
		{"Scheduler", func(t *testing.T, c *clinic) any { return testkit.User(t, c.db, access.Scheduler) }, nil, appointment.StatusCANCELLED_BY_ADMIN, slot.StatusOPEN, ""},
		{"AnotherDoctor", func(t *testing.T, c *clinic) any { return testkit.Practitioner(t, c.db) }, nil, "", "", fault.CodeNotFound},
		{"AnotherPatient", func(t *testing.T, c *clinic) any { return testkit.Patient(t, c.db) }, nil, "", "", fault.CodeNotFound},
		{"Nurse", func(t *testing.T, c *clinic) any { return testkit.User(t, c.db, access.Nurse) }, nil, "", "", fault.CodeNotFound},
		{"Biller", func(t *testing.T, c *clinic) any { return testkit.User(t, c.db, access.Biller) }, nil, "", "", fault.CodeNotFound},
		{"Pharmacist", func(t *testing.T, c *clinic) any { return testkit.User(t, c.db, access.Pharmacist) }, nil, "", "", fault.CodeNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				a, _ := c.paidIn(t, time.Hour)
				clk.Advance(2 * time.Hour) // at any time: even after the start
				who := testkit.As(t, tc.who(t, c))
				in := cancelling(a)
				in.ReleaseSlot = tc.release
				cancelled, err := c.Cancel(who, in)
				if tc.code != "" {
					requireCode(t, err, tc.code)
					require.Equal(t, appointment.StatusBOOKED, c.appointment(t, a.ID).Status)
					return
				}
				require.NoError(t, err)
				require.Equal(t, tc.want, cancelled.Status)
				require.Equal(t, tc.slot, c.slot(t, a.SlotID).Status)
				c.legal(t, a.ID)
			})
		})
	}
}

func TestCancel_ABlockedSlotCannotBeBookedUntilItIsGivenBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, _ := c.paidIn(t, 24*time.Hour)
		other := c.slotIn(t, 25*time.Hour)
		_, err := c.Cancel(testkit.As(t, c.doctor), cancelling(a))
		require.NoError(t, err)
		_, err = c.Book(testkit.As(t, testkit.Patient(t, db)), booking.BookAppointmentInput{SlotID: a.SlotID})
		requireCode(t, err, "SLOT_TAKEN")
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, other.ID, e.Detail.(booking.Alternatives).Slots[0].ID)
		isFree, err := c.FreeOf(testkit.As(t, c.doctor), []uuid.UUID{a.SlotID, other.ID})
		require.NoError(t, err)
		require.Equal(t, map[uuid.UUID]bool{other.ID: true}, isFree)
		no := false
		_, err = c.UpdateSlot(testkit.As(t, c.doctor), booking.UpdateSlotInput{ID: a.SlotID, IsBlocked: &no})
		require.NoError(t, err)
		_, err = c.Book(testkit.As(t, testkit.Patient(t, db)), booking.BookAppointmentInput{SlotID: a.SlotID})
		require.NoError(t, err)
	})
}

func TestCancel_PendingUntilItExpires(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, o := c.ordered(t, c.slotIn(t, 30*time.Minute)) // less than 60 minutes ahead: a PENDING one may be dropped all the same
		b, _ := c.ordered(t, c.slotIn(t, 5*time.Hour))
		clk.Advance(15*time.Minute - time.Microsecond)
		dropped, err := c.Cancel(me, cancelling(a))
		require.NoError(t, err)
		require.Equal(t, appointment.StatusCANCELLED_BY_PATIENT, dropped.Status)
		require.Equal(t, order.StatusEXPIRED, c.order(t, o.ID).Status)
		require.Equal(t, []string{*o.ProviderRef}, c.provider.closed, "its page is closed")
		clk.Advance(time.Microsecond)
		_, err = c.Cancel(me, cancelling(b))
		requireCode(t, err, "ILLEGAL_STATUS")
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("late", o)))
		require.Equal(t, o.AmountMinor, c.provider.refundedMinor(), "a payment after the cancellation goes back")
		require.Equal(t, appointment.StatusCANCELLED_BY_PATIENT, c.appointment(t, a.ID).Status)
		c.legal(t, a.ID)
	})
}

func TestFinish_FromTheStartOn(t *testing.T) {
	t.Parallel()
	type finish = func(c *clinic, t *testing.T, who any, id uuid.UUID) (*ent.Appointment, error)
	for name, tc := range map[string]struct {
		do   finish
		want appointment.Status
	}{
		"Complete": {func(c *clinic, t *testing.T, who any, id uuid.UUID) (*ent.Appointment, error) {
			return c.Complete(testkit.As(t, who), booking.CompleteAppointmentInput{AppointmentID: id})
		}, appointment.StatusCOMPLETED},
		"MarkNoShow": {func(c *clinic, t *testing.T, who any, id uuid.UUID) (*ent.Appointment, error) {
			return c.MarkNoShow(testkit.As(t, who), booking.MarkNoShowInput{AppointmentID: id})
		}, appointment.StatusNO_SHOW},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				a, o := c.paidIn(t, time.Hour)
				admin := testkit.User(t, db, access.Admin)
				second, _ := c.paidIn(t, 2*time.Hour)
				waits, err := c.book(t, c.slotIn(t, 26*time.Hour))
				require.NoError(t, err)
				clk.Advance(time.Hour - time.Microsecond)
				_, err = tc.do(c, t, c.doctor, a.ID)
				requireCode(t, err, "TOO_EARLY")
				clk.Advance(time.Microsecond) // exactly the start
				for code, who := range map[fault.Code]any{fault.CodeForbidden: c.patient, fault.CodeNotFound: testkit.Practitioner(t, db)} {
					_, err = tc.do(c, t, who, a.ID)
					requireCode(t, err, code)
				}
				_, err = tc.do(c, t, testkit.User(t, db, access.Scheduler), a.ID)
				requireCode(t, err, fault.CodeForbidden)
				_, err = tc.do(c, t, c.doctor, waits.ID)
				requireCode(t, err, "ILLEGAL_STATUS")
				done, err := tc.do(c, t, c.doctor, a.ID)
				require.NoError(t, err)
				require.Equal(t, tc.want, done.Status)
				ended := c.order(t, o.ID)
				require.Equal(t, order.StatusCOMPLETED, ended.Status)
				require.Equal(t, clk.Now(), ended.CompletedAt.UTC())
				require.Equal(t, chatroom.StatusINACTIVE, c.room(t, a.ID).Status)
				c.legal(t, a.ID)
				_, err = c.Cancel(testkit.As(t, c.doctor), cancelling(a))
				requireCode(t, err, "ILLEGAL_STATUS")
				clk.Advance(time.Hour)
				_, err = tc.do(c, t, admin, second.ID)
				require.NoError(t, err)
			})
		})
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me, admin := testkit.As(t, c.patient), testkit.As(t, testkit.User(t, db, access.Admin))
		remove := func(who any, a *ent.Appointment) error {
			return c.Delete(testkit.As(t, who), booking.DeleteAppointmentInput{AppointmentID: a.ID})
		}
		dead, _ := c.paidIn(t, 24*time.Hour)
		live, _ := c.paidIn(t, time.Hour)
		waits, err := c.book(t, c.slotIn(t, 48*time.Hour))
		require.NoError(t, err)
		for _, a := range []*ent.Appointment{live, waits} { // PENDING and BOOKED must be cancelled first
			requireCode(t, remove(c.patient, a), "ILLEGAL_STATUS")
			requireCode(t, remove(testkit.User(t, db, access.Admin), a), "ILLEGAL_STATUS")
		}
		_, err = c.Cancel(me, cancelling(dead))
		require.NoError(t, err)
		requireCode(t, remove(c.doctor, dead), fault.CodeForbidden)
		requireCode(t, remove(testkit.Patient(t, db), dead), fault.CodeNotFound)
		require.NoError(t, remove(c.patient, dead))
		clk.Advance(time.Hour)
		_, err = c.Complete(testkit.As(t, c.doctor), booking.CompleteAppointmentInput{AppointmentID: live.ID})
		require.NoError(t, err)
		requireCode(t, remove(c.patient, live), fault.CodeForbidden)
		require.NoError(t, remove(testkit.User(t, db, access.Admin), live))
		require.NoError(t, remove(c.patient, waits), "its time to pay is over, though the job has not run")
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, waits.ID).Status)

		for _, who := range []any{c.patient, c.doctor, testkit.User(t, db, access.Scheduler), testkit.User(t, db, access.Admin)} {
			n, err := db.Client.Appointment.Query().Count(testkit.As(t, who))
			require.NoError(t, err)
			require.Zero(t, n)
		}
		all, q := c.Deleted(admin)
		list, err := q.Order(ent.Asc(appointment.FieldDeletedAt)).All(all)
		require.NoError(t, err)
		require.Len(t, list, 3, "administrators find them")
		require.Equal(t, dead.ID, list[0].ID)
		require.Equal(t, c.patient.UserID, list[0].DeletedBy)
		all, q = c.Deleted(me)
		n, err := q.Count(all)
		require.NoError(t, err)
		require.Zero(t, n, "nobody else does")
		requireCode(t, remove(c.patient, dead), fault.CodeNotFound)
	})
}

func TestDelete_HidesWhatHangsOnIt(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		note := "private"
		me := testkit.As(t, c.patient)
		a, err := c.Book(me, booking.BookAppointmentInput{SlotID: c.slotIn(t, time.Hour).ID, Note: &note})
		require.NoError(t, err)
		clk.Advance(15 * time.Minute)
		require.NoError(t, c.Delete(me, booking.DeleteAppointmentInput{AppointmentID: a.ID}))
		for _, who := range []any{c.patient, c.doctor} {
			n, err := db.Client.AppointmentIntake.Query().Count(testkit.As(t, who))
			require.NoError(t, err)
			require.Zero(t, n)
			n, err = db.Client.AppointmentStatusChange.Query().Count(testkit.As(t, who))
			require.NoError(t, err)
			require.Zero(t, n)
		}
	})
}
