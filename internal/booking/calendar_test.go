package booking_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Every change of slots and appointments wakes who looks, by itself: no poll runs here. A rollback wakes nobody.
func TestCalendarHearsOfChanges(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		calendar := booking.NewCalendar(db, stream.New(db, nil, slog.New(slog.NewTextHandler(io.Discard, nil))))
		source, err := calendar.Free(c.doctor.ID, clk.Now(), clk.Now().Add(31*24*time.Hour))
		require.NoError(t, err)
		require.NoError(t, source.Check(testkit.As(t, c.patient)))
		woken := false
		feed, err := source.Open(t.Context(), func() { woken = true })
		require.NoError(t, err)
		defer feed.Close()
		free := func() int {
			t.Helper()
			n := -1
			for {
				events, err := feed.Next(t.Context())
				require.NoError(t, err)
				if len(events) == 0 {
					return n
				}
				n = len(events[0].Value.(*booking.SlotsChanged).Slots)
			}
		}
		require.Zero(t, free())
		step := func(what string, want int, do func(ctx context.Context) error) {
			t.Helper()
			woken = false
			require.NoError(t, db.WithTx(testkit.System(t), do), what)
			require.True(t, woken, what)
			require.Equal(t, want, free(), what)
		}
		woken = false
		one, two := c.slotIn(t, time.Hour), c.slotIn(t, 2*time.Hour)
		require.True(t, woken, "slots are created")
		require.Equal(t, 2, free())

		failed := errors.New("no")
		woken = false
		require.ErrorIs(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
			return errors.Join(db.Client.Slot.DeleteOneID(two.ID).Exec(ctx), failed)
		}), failed)
		require.False(t, woken, "nothing was committed")

		_, err = c.book(t, one)
		require.NoError(t, err)
		require.True(t, woken, "a slot is booked")
		require.Equal(t, 1, free())
		step("a slot is moved", 1, func(ctx context.Context) error {
			return db.Client.Slot.UpdateOneID(two.ID).SetStartsAt(two.StartsAt.Add(time.Hour)).SetEndsAt(two.EndsAt.Add(time.Hour)).Exec(ctx)
		})
		step("a slot is deleted", 0, func(ctx context.Context) error { return db.Client.Slot.DeleteOneID(two.ID).Exec(ctx) })

		clk.Advance(15 * time.Minute)
		woken = false
		expired, err := c.ExpireDue(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, expired)
		require.True(t, woken, "the time to pay is over")
		require.Equal(t, 1, free())
		woken = false
		require.NoError(t, db.WithTx(testkit.System(t), func(ctx context.Context) error { return calendar.Changed(ctx, c.doctor.ID) }))
		require.True(t, woken, "said by who writes past the client")
	})
}

func TestCalendarHearsOfALeaveThatIsTakenBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		calendar := booking.NewCalendar(db, stream.New(db, nil, slog.New(slog.NewTextHandler(io.Discard, nil))))
		s := c.slotIn(t, 24*time.Hour)
		a, err := c.book(t, s)
		require.NoError(t, err)
		doctor := testkit.As(t, c.doctor)
		blocked, err := c.BlockTime(doctor, booking.BlockTimeInput{StartsAt: s.StartsAt, EndsAt: s.EndsAt})
		require.NoError(t, err)
		require.Len(t, blocked.Held, 1)
		_, err = c.Cancel(testkit.As(t, c.patient), booking.CancelAppointmentInput{AppointmentID: a.ID})
		require.NoError(t, err)
		source, err := calendar.Free(c.doctor.ID, clk.Now(), clk.Now().Add(31*24*time.Hour))
		require.NoError(t, err)
		woken := false
		feed, err := source.Open(t.Context(), func() { woken = true })
		require.NoError(t, err)
		defer feed.Close()
		_, err = feed.Next(t.Context())
		require.NoError(t, err)
		_, err = feed.Next(t.Context())
		require.NoError(t, err)
		woken = false
		require.NoError(t, c.UnblockTime(doctor, booking.UnblockTimeInput{LeaveID: blocked.Leave.ID}))
		free, err := c.FreeOf(doctor, []uuid.UUID{s.ID})
		require.NoError(t, err)
		require.True(t, free[s.ID])
		require.True(t, woken)
	})
}
