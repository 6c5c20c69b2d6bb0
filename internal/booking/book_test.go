package booking_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/appointmentstatuschange"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func date(t *testing.T, text string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(text)
	require.NoError(t, err)
	return d
}

func local(t *testing.T, text string) civil.LocalTime {
	t.Helper()
	lt, err := civil.ParseLocalTime(text)
	require.NoError(t, err)
	return lt
}

func TestBook_NewPatientPays80ReturningPatientPays50(t *testing.T) {
	t.Parallel()
	for _, past := range []struct {
		status    appointment.Status
		price     int64
		isInitial bool
	}{
		{appointment.StatusCOMPLETED, 5000, false}, {appointment.StatusNO_SHOW, 5000, false},
		{appointment.StatusCANCELLED_BY_PATIENT, 8000, true}, {appointment.StatusPAYMENT_EXPIRED, 8000, true}, {appointment.StatusBOOKED, 8000, true},
	} {
		t.Run("After"+string(past.status), func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				c := newClinic(t, db, clk)
				elsewhere := testkit.Slot(t, db, testkit.Practitioner(t, db), clk.Now().Add(-48*time.Hour))
				testkit.Appointment(t, db, elsewhere, c.patient, func(a *ent.AppointmentCreate) { a.SetStatus(past.status) })
				clk.Advance(2 * time.Hour)
				a, err := c.book(t, c.slotIn(t, time.Hour))
				require.NoError(t, err)
				require.Equal(t, past.price, a.PriceMinor)
				require.Equal(t, past.isInitial, a.IsInitial)
				require.Equal(t, appointment.StatusPENDING, a.Status)
			})
		})
	}
}

func TestBook_TimeToPay(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		scheduler := testkit.As(t, testkit.User(t, db, access.Scheduler))
		for _, tc := range []struct {
			name  string
			in    time.Duration
			staff bool
			want  time.Duration
		}{
			{"PatientHas15Minutes", 3 * time.Hour, false, 15 * time.Minute},
			{"NeverAfterTheStart", 10 * time.Minute, false, 10 * time.Minute},
			{"StaffBookingHas24Hours", 48 * time.Hour, true, 24 * time.Hour},
			{"StaffBookingNeverAfterTheStart", 5 * time.Hour, true, 5 * time.Hour},
		} {
			s := c.slotIn(t, tc.in)
			ctx, in := testkit.As(t, c.patient), booking.BookAppointmentInput{SlotID: s.ID}
			if tc.staff {
				ctx, in.PatientID = scheduler, &c.patient.ID
			}
			a, err := c.Book(ctx, in)
			require.NoError(t, err, tc.name)
			require.Equal(t, clk.Now().Add(tc.want), a.ExpiresAt.UTC(), tc.name)
		}
	})
}

func TestBook_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		free, past := c.slotIn(t, time.Hour), c.slotIn(t, 0)
		clash := testkit.Slot(t, db, testkit.Practitioner(t, db), clk.Now().Add(5*time.Hour+15*time.Minute))
		_, err := c.book(t, c.slotIn(t, 5*time.Hour))
		require.NoError(t, err)
		other := testkit.Patient(t, db)
		long := strings.Repeat("ä", 2001)
		me := testkit.As(t, c.patient)
		unknown := uuid.New()
		for _, tc := range []struct {
			name string
			in   booking.BookAppointmentInput
			code fault.Code
		}{
			{"SlotInPast", booking.BookAppointmentInput{SlotID: past.ID}, "SLOT_IN_PAST"},
			{"UnknownSlot", booking.BookAppointmentInput{SlotID: unknown}, fault.CodeNotFound},
			{"ForSomebodyElse", booking.BookAppointmentInput{SlotID: free.ID, PatientID: &other.ID}, fault.CodeForbidden},
			{"OverlapsOwnVisit", booking.BookAppointmentInput{SlotID: clash.ID}, "PATIENT_OVERLAP"},
			{"NoteOf2001Characters", booking.BookAppointmentInput{SlotID: free.ID, Note: &long}, fault.CodeInvalidInput},
		} {
			_, err := c.Book(me, tc.in)
			require.Error(t, err, tc.name)
			requireCode(t, err, tc.code)
		}
		staff := testkit.As(t, testkit.User(t, db, access.Scheduler))
		_, err = c.Book(staff, booking.BookAppointmentInput{SlotID: free.ID})
		requireCode(t, err, fault.CodeInvalidInput)
		_, err = c.Book(staff, booking.BookAppointmentInput{SlotID: free.ID, PatientID: &unknown})
		requireCode(t, err, fault.CodeNotFound)
		n, err := db.Client.Appointment.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, n, "a refusal writes nothing")
	})
}

func TestBook_200CallersOfOneSlotHaveOneWinner(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		wanted := c.slotIn(t, 24*time.Hour)
		for h := range 6 {
			c.slotIn(t, 24*time.Hour+time.Duration(h+1)*30*time.Minute)
		}
		callers := make([]*ent.Patient, 200)
		for i := range callers {
			callers[i] = testkit.Patient(t, db)
		}
		second := newService(testkit.Another(t, db, clk), c.provider) // another instance on the same database
		errs := atOnce(len(callers), func(i int) error {
			s := c.Service
			if i%2 == 1 {
				s = second
			}
			_, err := s.Book(testkit.As(t, callers[i]), booking.BookAppointmentInput{SlotID: wanted.ID})
			return err
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			requireCode(t, err, "SLOT_TAKEN")
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			others := e.Detail.(booking.Alternatives).Slots
			require.Len(t, others, 3, "up to three alternatives")
			require.Equal(t, wanted.StartsAt.Add(30*time.Minute).UTC(), others[0].StartsAt.UTC(), "the nearest first")
		}
		require.Equal(t, 1, won)
		n, err := db.Client.Appointment.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

func TestBook_OverlappingVisitsOfOnePatientAtOnceHaveOneWinner(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		staff := testkit.As(t, testkit.User(t, db, access.Scheduler))
		slots := make([]*ent.Slot, 20)
		for i := range slots {
			slots[i] = testkit.Slot(t, db, testkit.Practitioner(t, db), clk.Now().Add(24*time.Hour+time.Duration(i)*time.Minute))
		}
		won := 0
		for _, err := range atOnce(len(slots), func(i int) error {
			_, err := c.Book(staff, booking.BookAppointmentInput{SlotID: slots[i].ID, PatientID: &c.patient.ID})
			return err
		}) {
			if err == nil {
				won++
			} else {
				requireCode(t, err, "PATIENT_OVERLAP")
			}
		}
		require.Equal(t, 1, won)
	})
}

func TestBook_3PerHourAndPatient(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		slots := make([]*ent.Slot, 6)
		for i := range slots {
			slots[i] = c.slotIn(t, 24*time.Hour+time.Duration(i)*time.Hour)
		}
		for i := range 3 {
			_, err := c.book(t, slots[i])
			require.NoError(t, err)
			clk.Advance(time.Minute)
		}
		_, err := c.book(t, slots[3])
		requireCode(t, err, fault.CodeThrottled)
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, 57*time.Minute, e.RetryAfter, "when the first of the three is an hour old")
		require.IsType(t, limit.Exceeded{}, e.Detail)
		_, err = c.Book(testkit.As(t, testkit.User(t, db, access.Scheduler)), booking.BookAppointmentInput{SlotID: slots[3].ID, PatientID: &c.patient.ID})
		require.NoError(t, err, "staff book for the patient all the same")
		clk.Advance(57 * time.Minute)
		_, err = c.book(t, slots[4])
		require.NoError(t, err)
	})
}

func TestBook_AnExpiredHolderGivesWayExactlyAtItsDeadline(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		wanted := c.slotIn(t, 24*time.Hour)
		first, err := c.book(t, wanted)
		require.NoError(t, err)
		second := testkit.As(t, testkit.Patient(t, db))
		clk.Advance(15*time.Minute - time.Microsecond)
		_, err = c.Book(second, booking.BookAppointmentInput{SlotID: wanted.ID})
		requireCode(t, err, "SLOT_TAKEN")
		clk.Advance(time.Microsecond)
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, booking.StatusAt(first, clk.Now()), "read as expired before anything is written")
		_, err = c.Book(second, booking.BookAppointmentInput{SlotID: wanted.ID})
		require.NoError(t, err)
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, first.ID).Status)
	})
}

func TestBook_EveryChangeOfStatusIsARow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt_1", o)))
		rows, err := db.Client.AppointmentStatusChange.Query().Where(appointmentstatuschange.AppointmentID(a.ID)).
			Order(ent.Asc(appointmentstatuschange.FieldID)).All(testkit.As(t, c.patient))
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Nil(t, rows[0].FromStatus)
		require.Equal(t, "PENDING", rows[0].ToStatus)
		require.Equal(t, c.patient.UserID, rows[0].ChangedBy)
		require.Equal(t, "PENDING", *rows[1].FromStatus)
		require.Equal(t, "BOOKED", rows[1].ToStatus)
		require.Equal(t, "payment_webhook", rows[1].Cause)
		require.Nil(t, rows[1].ChangedBy)
	})
}

func TestBook_SameKeyGivesTheFirstAppointment(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		key := "tap-tap"
		in := booking.BookAppointmentInput{SlotID: c.slotIn(t, 24*time.Hour).ID, IdempotencyKey: &key}
		first, err := c.Book(testkit.As(t, c.patient), in)
		require.NoError(t, err)
		second, err := c.Book(testkit.As(t, c.patient), in)
		require.NoError(t, err)
		require.Equal(t, first.ID, second.ID)
		in.SlotID = c.slotIn(t, 30*time.Hour).ID
		_, err = c.Book(testkit.As(t, c.patient), in)
		requireCode(t, err, "IDEMPOTENCY_KEY_REUSED")
	})
}

func TestExpireDue_FreesTheSlotAndClosesTheCheckout(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		clk.Advance(15*time.Minute - time.Microsecond)
		n, err := c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		clk.Advance(time.Microsecond)
		n, err = c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, a.ID).Status)
		require.Equal(t, []string{*o.ProviderRef}, c.provider.closed)
		n, err = c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "once")
	})
}

func TestBook_3PerHourAlsoOfDeletedOnes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		s := c.slotIn(t, 24*time.Hour)
		for range 3 {
			a, err := c.book(t, s)
			require.NoError(t, err)
			_, err = c.Cancel(testkit.As(t, c.patient), booking.CancelAppointmentInput{AppointmentID: a.ID})
			require.NoError(t, err)
			require.NoError(t, c.Delete(testkit.As(t, c.patient), booking.DeleteAppointmentInput{AppointmentID: a.ID}))
		}
		_, err := c.book(t, s)
		requireCode(t, err, fault.CodeThrottled)
	})
}

func TestBook_SameKeyAfterTheDeletion(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		key := "key"
		in := booking.BookAppointmentInput{SlotID: c.slotIn(t, 24*time.Hour).ID, IdempotencyKey: &key}
		me := testkit.As(t, c.patient)
		a, err := c.Book(me, in)
		require.NoError(t, err)
		clk.Advance(15 * time.Minute)
		require.NoError(t, c.Delete(me, booking.DeleteAppointmentInput{AppointmentID: a.ID}))
		_, err = c.Book(me, in)
		requireCode(t, err, fault.CodeNotFound)
	})
}
