package booking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Each change of status, a move and an update is one event of the visit's stream, in order, written with the change.
func TestWatch_EveryChangeIsAnEvent(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, _ := c.paidIn(t, 24*time.Hour)
		note := "It hurts."
		_, err := c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: &note})
		require.NoError(t, err)
		made, err := c.Reschedule(me, moving(a, c.slotIn(t, 48*time.Hour)))
		require.NoError(t, err)
		_, err = c.Cancel(me, cancelling(made))
		require.NoError(t, err)
		_, err = c.Cancel(me, cancelling(made))
		require.Error(t, err, "what is refused is no event")
		told := func(id uuid.UUID) (list []string) {
			events, err := c.Streams.Read(t.Context(), id, 0, 100)
			require.NoError(t, err)
			for i, e := range events {
				require.Equal(t, int64(i+1), e.Position)
				require.NotContains(t, string(e.Data), note)
				what, err := booking.Told(e)
				require.NoError(t, err)
				list = append(list, fmt.Sprint(what))
			}
			return list
		}
		require.Equal(t, []string{"{ PENDING}", "{PENDING BOOKED}", "{" + c.patient.UserID.String() + "}", "{BOOKED RESCHEDULED}", "{" + made.ID.String() + "}"}, told(a.ID))
		require.Equal(t, []string{"{ BOOKED}", "{BOOKED CANCELLED_BY_PATIENT}"}, told(made.ID))
	})
}

func TestWatch_ThePartiesOnly(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, _ := c.paidIn(t, 24*time.Hour)
		source, err := c.Watch(t.Context(), a.ID, nil)
		require.NoError(t, err)
		for _, who := range []any{c.patient, c.doctor, testkit.User(t, db, access.Scheduler), testkit.User(t, db, access.Admin)} {
			require.NoError(t, source.Check(testkit.As(t, who)))
		}
		for _, who := range []any{testkit.Patient(t, db), testkit.Practitioner(t, db), testkit.User(t, db, access.Nurse), testkit.User(t, db, access.Biller), testkit.User(t, db, access.Pharmacist)} {
			requireCode(t, source.Check(testkit.As(t, who)), fault.CodeNotFound)
		}
		requireCode(t, source.Check(t.Context()), fault.CodeNotFound)
		_, err = c.Watch(t.Context(), a.ID, &ent.Cursor{ID: c.patient.ID, Value: int64(1)})
		requireCode(t, err, fault.CodeInvalidInput)
		after := stream.CursorOf(a.ID, 1)
		source, err = c.Watch(t.Context(), a.ID, &after)
		require.NoError(t, err)
		feed, err := source.Open(t.Context(), func() {})
		require.NoError(t, err)
		defer feed.Close()
		events, err := feed.Next(t.Context())
		require.NoError(t, err)
		require.Len(t, events, 1, "behind the booking there is the payment")
		_, err = c.Cancel(testkit.As(t, c.patient), cancelling(a))
		require.NoError(t, err)
		require.NoError(t, c.Delete(testkit.As(t, c.patient), booking.DeleteAppointmentInput{AppointmentID: a.ID}))
		requireCode(t, source.Check(testkit.As(t, c.patient)), fault.CodeNotFound)
	})
}
