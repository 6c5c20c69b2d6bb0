package booking_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/leave"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestUpdateSlot(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		doctor := testkit.As(t, c.doctor)
		free, neighbour, old := c.slotIn(t, 24*time.Hour), c.slotIn(t, 26*time.Hour), c.slotIn(t, -time.Hour)
		held, err := c.book(t, c.slotIn(t, 30*time.Hour))
		require.NoError(t, err)
		_, err = c.BlockTime(doctor, booking.BlockTimeInput{StartsAt: clk.Now().Add(40 * time.Hour), EndsAt: clk.Now().Add(41 * time.Hour)})
		require.NoError(t, err)
		later := func(d time.Duration) *time.Time { at := clk.Now().Add(d); return &at }
		short, extended, nowhere, wrong := slot.TypeSHORT, slot.TypeEXTENDED, "Nowhere/Land", 7
		for _, tc := range []struct {
			name string
			who  any
			in   booking.UpdateSlotInput
			code fault.Code
		}{
			{"Held", c.doctor, booking.UpdateSlotInput{ID: held.SlotID, StartsAt: later(31 * time.Hour)}, "SLOT_HELD"},
			{"IntoThePast", c.doctor, booking.UpdateSlotInput{ID: free.ID, StartsAt: later(0)}, "SLOT_IN_PAST"},
			{"OfThePast", c.doctor, booking.UpdateSlotInput{ID: old.ID, Type: &short}, "SLOT_IN_PAST"},
			{"Overlap", c.doctor, booking.UpdateSlotInput{ID: free.ID, StartsAt: later(26*time.Hour + 29*time.Minute)}, "SLOT_OVERLAP"},
			{"InALeave", c.doctor, booking.UpdateSlotInput{ID: free.ID, StartsAt: later(40*time.Hour + 59*time.Minute)}, "SLOT_BLOCKED"},
			{"LengthOfADoctor", c.doctor, booking.UpdateSlotInput{ID: free.ID, Type: &extended}, "SLOT_LENGTH"},
			{"Zone", c.doctor, booking.UpdateSlotInput{ID: free.ID, TimeZone: &nowhere}, "UNKNOWN_TIME_ZONE"},
			{"Version", c.doctor, booking.UpdateSlotInput{ID: free.ID, StartsAt: later(50 * time.Hour), ExpectedVersion: &wrong}, fault.CodeConflict},
			{"Unknown", c.doctor, booking.UpdateSlotInput{ID: uuid.New()}, fault.CodeNotFound},
			{"AnotherDoctor", testkit.Practitioner(t, db), booking.UpdateSlotInput{ID: free.ID, StartsAt: later(50 * time.Hour)}, fault.CodeForbidden},
			{"Patient", c.patient, booking.UpdateSlotInput{ID: free.ID, StartsAt: later(50 * time.Hour)}, fault.CodeForbidden},
		} {
			present, err := c.UpdateSlot(testkit.As(t, tc.who), tc.in)
			require.Error(t, err, tc.name)
			list, known := fault.All(err)
			require.True(t, known, "%s: %v", tc.name, err)
			require.Equal(t, tc.code, list[0].Code, tc.name)
			if tc.code == fault.CodeConflict {
				require.Equal(t, free.ID, present.ID, "the current node comes with a conflict")
			}
		}
		changed, err := c.UpdateSlot(doctor, booking.UpdateSlotInput{ID: free.ID, StartsAt: later(26*time.Hour - 15*time.Minute), Type: &short, ExpectedVersion: &free.Version})
		require.NoError(t, err, "half-open: it ends where its neighbour begins")
		require.Equal(t, []any{neighbour.StartsAt.UTC(), 15, free.Version + 1}, []any{changed.EndsAt.UTC(), changed.DurationMinutes, changed.Version})
		_, err = c.UpdateSlot(testkit.As(t, testkit.User(t, db, access.Scheduler)), booking.UpdateSlotInput{ID: free.ID, StartsAt: later(45 * time.Hour)})
		require.NoError(t, err)
		yes := true
		clk.Advance(15 * time.Minute)
		_, err = c.UpdateSlot(doctor, booking.UpdateSlotInput{ID: held.SlotID, IsBlocked: &yes})
		require.NoError(t, err, "its holder's time to pay is over")
		require.Equal(t, appointment.StatusPAYMENT_EXPIRED, c.appointment(t, held.ID).Status)
	})
}

func TestDeleteSlot(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		doctor, me := testkit.As(t, c.doctor), testkit.As(t, c.patient)
		a, _ := c.paidIn(t, 24*time.Hour)
		in := booking.DeleteSlotInput{ID: a.SlotID}
		_, err := c.DeleteSlot(doctor, in)
		requireCode(t, err, "SLOT_HELD")
		_, err = c.Cancel(me, cancelling(a))
		require.NoError(t, err)
		wrong := 99
		present, err := c.DeleteSlot(doctor, booking.DeleteSlotInput{ID: a.SlotID, ExpectedVersion: &wrong})
		requireCode(t, err, fault.CodeConflict)
		require.Equal(t, a.SlotID, present.ID)
		_, err = c.DeleteSlot(testkit.As(t, testkit.Practitioner(t, db)), in)
		requireCode(t, err, fault.CodeForbidden)
		gone, err := c.DeleteSlot(doctor, in)
		require.NoError(t, err, "a dead appointment does not hold it")
		require.Nil(t, gone)
		_, err = c.DeleteSlot(doctor, in)
		requireCode(t, err, fault.CodeNotFound)
		n, err := db.Client.Slot.Query().Count(testkit.As(t, testkit.User(t, db, access.Admin)))
		require.NoError(t, err)
		require.Zero(t, n, "it is in no calendar")
		seen, err := db.Client.Appointment.Query().Where(appointment.ID(a.ID)).WithSlot().Only(me)
		require.NoError(t, err)
		require.NotNil(t, seen.Edges.Slot, "its visits keep it")
		_, err = c.CreateSlot(doctor, booking.CreateSlotInput{StartsAt: a.StartsAt, Type: slot.TypeLONG})
		require.NoError(t, err, "its time is free")
	})
}

func TestDeleteSlot_AndBookingsAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		wanted := c.slotIn(t, 24*time.Hour)
		const callers = 200
		who := make([]context.Context, callers)
		for i := range who {
			who[i] = testkit.As(t, testkit.Patient(t, db))
		}
		booked, deleted := 0, 0
		for i, err := range atOnce(callers, func(i int) error {
			if i%4 == 0 {
				_, err := c.DeleteSlot(testkit.As(t, c.doctor), booking.DeleteSlotInput{ID: wanted.ID})
				return err
			}
			_, err := c.Book(who[i], booking.BookAppointmentInput{SlotID: wanted.ID})
			return err
		}) {
			switch {
			case err == nil && i%4 == 0:
				deleted++
			case err == nil:
				booked++
			case i%4 == 0:
				var e *fault.Error
				require.ErrorAs(t, err, &e)
				require.Contains(t, []fault.Code{"SLOT_HELD", fault.CodeNotFound}, e.Code)
			default:
				requireCode(t, err, "SLOT_TAKEN")
			}
		}
		require.Equal(t, 1, booked+deleted, "%d bookings, %d deletions", booked, deleted)
	})
}

func TestBlockTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		doctor := testkit.As(t, c.doctor)
		start, end := clk.Now().Add(24*time.Hour), clk.Now().Add(34*time.Hour)
		before, inside, after := c.slotIn(t, 23*time.Hour+30*time.Minute), c.slotIn(t, 25*time.Hour), c.slotIn(t, 34*time.Hour)
		across := c.slotIn(t, 33*time.Hour+45*time.Minute-30*time.Minute)
		held, _ := c.paidIn(t, 30*time.Hour)
		others := testkit.Slot(t, db, testkit.Practitioner(t, db), start.Add(time.Hour))
		reason, key := "A conference.", "once"
		in := booking.BlockTimeInput{StartsAt: start, EndsAt: end, Reason: &reason, IdempotencyKey: &key}
		done, err := c.BlockTime(doctor, in)
		require.NoError(t, err)
		require.Equal(t, 2, done.Removed)
		require.Len(t, done.Held, 1)
		require.Equal(t, held.SlotID, done.Held[0].ID)
		for s, want := range map[*ent.Slot]slot.Status{before: "OPEN", inside: "REMOVED", across: "REMOVED", after: "OPEN", others: "OPEN"} {
			require.Equal(t, want, c.slot(t, s.ID).Status)
		}
		again, err := c.BlockTime(doctor, in)
		require.NoError(t, err)
		require.Equal(t, done.Leave.ID, again.Leave.ID)

		_, err = c.CreateSlot(doctor, booking.CreateSlotInput{StartsAt: start, Type: slot.TypeLONG})
		requireCode(t, err, "SLOT_BLOCKED")
		created, skipped, err := c.CreateSlots(doctor, booking.CreateSlotsInput{ // 09:00 to 11:30 in Brisbane, of which the leave begins at 10:00
			StartDate: date(t, "2025-01-16"), EndDate: date(t, "2025-01-16"), StartTime: local(t, "09:00"), EndTime: local(t, "11:30"), Type: slot.TypeLONG,
		})
		require.NoError(t, err)
		require.Len(t, created, 1)
		var reasons []string
		for _, s := range skipped {
			reasons = append(reasons, s.LocalTime.String()+" "+string(s.Reason))
		}
		require.Equal(t, []string{"09:30 SLOT_OVERLAP", "10:00 SLOT_BLOCKED", "10:30 SLOT_BLOCKED", "11:00 SLOT_BLOCKED"}, reasons)

		_, err = c.Cancel(testkit.As(t, c.patient), cancelling(held))
		require.NoError(t, err)
		_, err = c.Book(testkit.As(t, testkit.Patient(t, db)), booking.BookAppointmentInput{SlotID: held.SlotID})
		requireCode(t, err, "SLOT_TAKEN") // what was held is not offered anew during the leave
		isFree, err := c.FreeOf(doctor, []uuid.UUID{held.SlotID})
		require.NoError(t, err)
		require.Empty(t, isFree)

		requireCode(t, c.UnblockTime(testkit.As(t, testkit.Practitioner(t, db)), booking.UnblockTimeInput{LeaveID: done.Leave.ID}), fault.CodeNotFound)
		require.NoError(t, c.UnblockTime(doctor, booking.UnblockTimeInput{LeaveID: done.Leave.ID}))
		requireCode(t, c.UnblockTime(doctor, booking.UnblockTimeInput{LeaveID: done.Leave.ID}), fault.CodeNotFound)
		_, err = c.CreateSlot(doctor, booking.CreateSlotInput{StartsAt: start, Type: slot.TypeLONG})
		require.NoError(t, err)
	})
}

func TestBlockTime_RefusalsAndWhoSeesIt(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		now, long := clk.Now(), strings.Repeat("ä", 201)
		other := testkit.Practitioner(t, db)
		for name, tc := range map[string]struct {
			in   booking.BlockTimeInput
			code fault.Code
		}{
			"EndsBeforeItStarts":   {booking.BlockTimeInput{StartsAt: now.Add(time.Hour), EndsAt: now.Add(time.Hour)}, fault.CodeInvalidInput},
			"IsOver":               {booking.BlockTimeInput{StartsAt: now.Add(-time.Hour), EndsAt: now}, fault.CodeInvalidInput},
			"LongerThan366Days":    {booking.BlockTimeInput{StartsAt: now, EndsAt: now.Add(366*24*time.Hour + 1)}, fault.CodeInvalidInput},
			"ReasonOf201":          {booking.BlockTimeInput{StartsAt: now, EndsAt: now.Add(time.Hour), Reason: &long}, fault.CodeInvalidInput},
			"OfAnotherDoctor":      {booking.BlockTimeInput{PractitionerID: &other.ID, StartsAt: now, EndsAt: now.Add(time.Hour)}, fault.CodeForbidden},
			"UnknownPractitioners": {booking.BlockTimeInput{PractitionerID: &c.patient.ID, StartsAt: now, EndsAt: now.Add(time.Hour)}, fault.CodeNotFound},
		} {
			_, err := c.BlockTime(testkit.As(t, c.doctor), tc.in)
			require.Error(t, err, name)
			requireCode(t, err, tc.code)
		}
		for _, role := range []access.Role{access.Scheduler, access.Admin} {
			_, err := c.BlockTime(testkit.As(t, testkit.User(t, db, role)), booking.BlockTimeInput{PractitionerID: &c.doctor.ID, StartsAt: now, EndsAt: now.Add(time.Hour)})
			require.NoError(t, err, role)
		}
		for who, want := range map[any]int{c.doctor: 2, other: 0, c.patient: 0, testkit.User(t, db, access.Nurse): 0, testkit.User(t, db, access.Scheduler): 2} {
			n, err := c.Leaves(nil).Count(testkit.As(t, who))
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
	})
}

// A leave and new slots in it at once: whichever comes first, no slot stays in the leave that can be booked.
func TestBlockTime_AndNewSlotsAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		start := clk.Now().Add(24 * time.Hour)
		second := newService(testkit.Another(t, db, clk), c.provider)
		for i, err := range atOnce(200, func(i int) error {
			s := []*booking.Service{c.Service, second}[i%2]
			if i%50 == 0 {
				_, err := s.BlockTime(testkit.As(t, c.doctor), booking.BlockTimeInput{StartsAt: start, EndsAt: start.Add(200 * time.Hour)})
				return err
			}
			_, err := s.CreateSlot(testkit.As(t, c.doctor), booking.CreateSlotInput{StartsAt: start.Add(time.Duration(i) * 30 * time.Minute), Type: slot.TypeLONG})
			return err
		}) {
			if i%50 == 0 {
				require.NoError(t, err)
			} else if err != nil {
				var e *fault.Error
				require.ErrorAs(t, err, &e)
				require.Contains(t, []fault.Code{"SLOT_BLOCKED", fault.CodeNotFound}, e.Code, "refused, or made and removed before it was read back")
			}
		}
		n, err := db.Client.Slot.Query().Where(slot.StatusEQ(slot.StatusOPEN)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// The database itself refuses what no service should have tried.
func TestStore_DecidesAboutSlots(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, _ := c.paidIn(t, 24*time.Hour)
		gone := c.slotIn(t, 26*time.Hour)
		by := testkit.User(t, db, access.Admin)
		refused := func(constraint string, fn func(ctx context.Context) error) {
			t.Helper()
			err := db.WithTx(testkit.System(t), fn)
			require.True(t, store.Violates(err, store.Constraint{Postgres: constraint, SQLite: constraint}), "%v", err)
		}
		for _, status := range []slot.Status{slot.StatusREMOVED, slot.StatusBLOCKED} {
			refused("slots_held", func(ctx context.Context) error {
				return db.Client.Slot.UpdateOneID(a.SlotID).SetStatus(status).Exec(ctx)
			})
		}
		refused("slots_held", func(ctx context.Context) error {
			return db.Client.Slot.UpdateOneID(a.SlotID).SetStartsAt(a.StartsAt.Add(time.Minute)).Exec(ctx)
		})
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Slot.UpdateOne(gone).SetStatus(slot.StatusREMOVED).Exec(ctx)
		})
		book := func(ctx context.Context, s *ent.Slot) error {
			return db.Client.Appointment.Create().SetSlotID(s.ID).SetPractitionerID(s.PractitionerID).SetPatientID(c.patient.ID).SetStartsAt(s.StartsAt).
				SetEndsAt(s.EndsAt).SetStatus(appointment.StatusPENDING).SetIsInitial(true).SetPriceMinor(1).SetCurrency("AUD").
				SetExpiresAt(s.StartsAt).SetBookedBy(by.ID).Exec(ctx)
		}
		refused("slots_open", func(ctx context.Context) error { return book(ctx, gone) })
		away := c.slotIn(t, 30*time.Hour)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Leave.Create().SetPractitionerID(c.doctor.ID).SetStartsAt(away.EndsAt.Add(-time.Microsecond)).SetEndsAt(away.EndsAt).SetCreatedBy(by.ID).Exec(ctx)
		})
		refused("slots_open", func(ctx context.Context) error { return book(ctx, away) })
		refused("slots_leave", func(ctx context.Context) error {
			return db.Client.Slot.UpdateOne(away).SetStartsAt(away.StartsAt.Add(-time.Minute)).Exec(ctx)
		})
		n, err := db.Client.Leave.Query().Where(leave.HasPractitionerWith(practitioner.ID(c.doctor.ID))).Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// Who wants a time and waits while the slot is moved to another does not get the old one.
func TestUpdateSlot_AndABookingAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			t.Skip("SQLite has one writer")
		}
		c := newClinic(t, db, clk)
		wanted := c.slotIn(t, 24*time.Hour)
		answer := make(chan error, 1)
		testkit.Write(t, db, func(ctx context.Context) error {
			require.NoError(t, db.Lock(ctx, slot.Table, wanted.ID))
			require.NoError(t, db.Client.Slot.UpdateOne(wanted).SetStartsAt(wanted.StartsAt.Add(time.Hour)).SetEndsAt(wanted.EndsAt.Add(time.Hour)).Exec(ctx))
			go func() {
				_, err := c.Book(testkit.As(t, c.patient), booking.BookAppointmentInput{SlotID: wanted.ID})
				answer <- err
			}()
			return untilSomebodyWaits(t, db)
		})
		requireCode(t, <-answer, "SLOT_TAKEN")
	})
}

func TestBlockTime_SameKeyAfterItWasTakenBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		key := "key"
		in := booking.BlockTimeInput{StartsAt: clk.Now().Add(time.Hour), EndsAt: clk.Now().Add(2 * time.Hour), IdempotencyKey: &key}
		me := testkit.As(t, c.doctor)
		l, err := c.BlockTime(me, in)
		require.NoError(t, err)
		require.NoError(t, c.UnblockTime(me, booking.UnblockTimeInput{LeaveID: l.Leave.ID}))
		_, err = c.BlockTime(me, in)
		requireCode(t, err, fault.CodeNotFound)
	})
}
