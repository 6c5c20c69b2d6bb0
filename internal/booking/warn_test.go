package booking_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

const warning = "PAYMENT_WARNING"

func (c *clinic) warned(t *testing.T) int {
	t.Helper()
	n, err := c.WarnDue(t.Context())
	require.NoError(t, err)
	return n
}

// warnings counts notices that stand and mails that are on their way.
func (c *clinic) warnings(t *testing.T, id uuid.UUID) (notices, mails int) {
	t.Helper()
	ctx := testkit.System(t)
	notices, err := c.db.Client.Notification.Query().Where(notification.Kind(warning), notification.SubjectID(id), notification.WithdrawnAtIsNil()).Count(ctx)
	require.NoError(t, err)
	mails, err = c.db.Client.Delivery.Query().Where(delivery.Kind(warning), delivery.SubjectID(id), delivery.StatusEQ(delivery.StatusQUEUED)).Count(ctx)
	require.NoError(t, err)
	return notices, mails
}

func TestWarnDue_FiveMinutesBeforeOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		clk.Set(a.ExpiresAt.Add(-5*time.Minute - time.Microsecond))
		require.Zero(t, c.warned(t), "too early")
		clk.Set(a.ExpiresAt.Add(-5 * time.Minute))
		require.Equal(t, 1, c.warned(t))
		for range 4 {
			clk.Advance(time.Minute)
			require.Zero(t, c.warned(t), "once")
		}
		notices, mails := c.warnings(t, a.ID)
		require.Equal(t, []int{1, 1}, []int{notices, mails})
	})
}

func TestWarnDue_NotWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		clk.Set(a.ExpiresAt)
		require.Zero(t, c.warned(t))
	})
}

func TestWarnDue_NotOfWhatIsPaid(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt", o)))
		clk.Set(a.ExpiresAt.Add(-time.Minute))
		require.Zero(t, c.warned(t))
	})
}

// Paid or expired, the warning is moot.
func TestWarnDue_IsWithdrawn(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		paid, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
		left, err := c.book(t, c.slotIn(t, 48*time.Hour))
		require.NoError(t, err)
		clk.Set(paid.ExpiresAt.Add(-5 * time.Minute))
		require.Equal(t, 2, c.warned(t))
		require.NoError(t, c.HandleEvent(t.Context(), paidEvent("evt", o)))
		require.Equal(t, appointment.StatusBOOKED, c.appointment(t, paid.ID).Status)
		for id, want := range map[uuid.UUID]int{paid.ID: 0, left.ID: 1} {
			notices, mails := c.warnings(t, id)
			require.Equal(t, []int{want, want}, []int{notices, mails})
		}
		clk.Set(left.ExpiresAt)
		_, err = c.ExpireDue(t.Context())
		require.NoError(t, err)
		notices, mails := c.warnings(t, left.ID)
		require.Equal(t, []int{0, 0}, []int{notices, mails})
	})
}

// A patient without an account has a mail; one without an address too has nothing, and is asked for again in vain.
func TestWarnDue_WithoutAnAccount(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		desk := testkit.As(t, testkit.User(t, db, access.Scheduler))
		byPhone := func(hours time.Duration, email string) *ent.Appointment {
			p := testkit.Record(t, db, func(r *ent.PatientCreate) { r.SetEmail(email) })
			a, err := c.Book(desk, booking.BookAppointmentInput{SlotID: c.slotIn(t, hours*time.Hour).ID, PatientID: &p.ID})
			require.NoError(t, err)
			return a
		}
		mailed, mute := byPhone(30, "ada@caregraph.test"), byPhone(31, "")
		clk.Set(mailed.ExpiresAt.Add(-5 * time.Minute))
		require.Equal(t, 1, c.warned(t))
		require.Zero(t, c.warned(t))
		notices, mails := c.warnings(t, mailed.ID)
		require.Equal(t, []int{0, 1}, []int{notices, mails})
		notices, mails = c.warnings(t, mute.ID)
		require.Equal(t, []int{0, 0}, []int{notices, mails})
	})
}

func TestWarnDue_WithoutAnAddress(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		c.patient = testkit.Patient(t, db, func(r *ent.PatientCreate) { r.SetEmail("") })
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		clk.Set(a.ExpiresAt.Add(-5 * time.Minute))
		require.Equal(t, 1, c.warned(t))
		require.Zero(t, c.warned(t))
		notices, mails := c.warnings(t, a.ID)
		require.Equal(t, []int{1, 0}, []int{notices, mails})
	})
}

// Several runs of two instances at the same time tell once.
func TestWarnDue_AtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		clk.Set(a.ExpiresAt.Add(-5 * time.Minute))
		second := newService(testkit.Another(t, db, clk), c.provider)
		var told atomic.Int64
		for _, err := range atOnce(8, func(i int) error {
			s := c.Service
			if i%2 == 1 {
				s = second
			}
			n, err := s.WarnDue(context.Background())
			told.Add(int64(n))
			return err
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, int64(1), told.Load())
		notices, mails := c.warnings(t, a.ID)
		require.Equal(t, []int{1, 1}, []int{notices, mails})
	})
}

// The address may change between two runs, and the outbox tells mails to two addresses apart.
func TestWarnDue_OnceAlsoToANewAddress(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		clk.Set(a.ExpiresAt.Add(-5 * time.Minute))
		require.Equal(t, 1, c.warned(t))
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Patient.UpdateOne(c.patient).SetEmail("new@caregraph.test").Exec(ctx)
		})
		require.Zero(t, c.warned(t))
		_, mails := c.warnings(t, a.ID)
		require.Equal(t, 1, mails)
	})
}

func TestWarnDue_Text(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) { // Start is midnight UTC
		c := newClinic(t, db, clk)
		for i, tc := range []struct{ name, zone, text string }{
			{"InThePatientsZone", "Australia/Perth", "Your appointment on Thursday 16 January 2025, 08:00 (AWST) has not been paid yet. Pay by 08:15 (AWST); after that the time is free for others."},
			{"InUTCWhenTheZoneIsUnknown", "Nowhere/Land", "Your appointment on Thursday 16 January 2025, 01:00 (UTC) has not been paid yet. Pay by 00:15 (UTC); after that the time is free for others."},
		} {
			p := testkit.Patient(t, db, func(r *ent.PatientCreate) { r.SetTimeZone(tc.zone) })
			a, err := c.Book(testkit.As(t, p), booking.BookAppointmentInput{SlotID: c.slotIn(t, time.Duration(24+i)*time.Hour).ID})
			require.NoError(t, err, tc.name)
			clk.Set(a.ExpiresAt.Add(-5 * time.Minute))
			require.Equal(t, 1, c.warned(t), tc.name)
			notice, err := db.Client.Notification.Query().Where(notification.SubjectID(a.ID)).Only(testkit.System(t))
			require.NoError(t, err, tc.name)
			require.Equal(t, []string{"Payment due soon", tc.text}, []string{notice.Title, notice.Text}, tc.name)
			mail, err := db.Client.Delivery.Query().Where(delivery.SubjectID(a.ID)).Only(testkit.System(t))
			require.NoError(t, err, tc.name)
			require.Equal(t, []string{p.Email, "Payment due soon", "Dear Noor,\n\n" + tc.text + "\n\nTest Clinic\n"}, []string{mail.Address, mail.Subject, mail.Body}, tc.name)
			clk.Set(testkit.Start)
		}
	})
}

// A first batch of patients who cannot be told does not keep the others from it.
func TestWarnDue_GoesOnAfterABatch(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		mute := testkit.Record(t, db)
		pending := func(i int, p *ent.Patient) *ent.Appointment {
			return testkit.Appointment(t, db, c.slotIn(t, 24*time.Hour+time.Duration(i)*30*time.Minute), p, func(a *ent.AppointmentCreate) {
				a.SetStatus(appointment.StatusPENDING).SetBookedBy(*c.patient.UserID)
			})
		}
		for i := range 100 {
			pending(i, mute)
		}
		pending(100, c.patient)
		last := pending(101, c.patient)
		clk.Set(last.ExpiresAt.Add(-5 * time.Minute))
		require.Equal(t, 2, c.warned(t))
	})
}

// What happens while a run waits for the row, it sees.
func TestWarnDue_LooksAgainUnderTheLock(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		meanwhile func(ctx context.Context, c *clinic, a *ent.Appointment, o *ent.Order) error
		told      int // of the one who was faster
	}{
		{name: "Paid", meanwhile: func(ctx context.Context, c *clinic, _ *ent.Appointment, o *ent.Order) error {
			return c.HandleEvent(ctx, paidEvent("evt", o))
		}},
		{name: "TheTimeRanOut", meanwhile: func(_ context.Context, c *clinic, a *ent.Appointment, _ *ent.Order) error {
			c.clk.Set(a.ExpiresAt)
			return nil
		}},
		{name: "AnotherInstanceWarned", told: 1, meanwhile: func(ctx context.Context, c *clinic, _ *ent.Appointment, _ *ent.Order) error {
			_, err := c.WarnDue(ctx)
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				if db.Dialect() != testkit.Postgres {
					t.Skip("SQLite has one writer")
				}
				c := newClinic(t, db, clk)
				a, o := c.ordered(t, c.slotIn(t, 24*time.Hour))
				clk.Set(a.ExpiresAt.Add(-5 * time.Minute))
				second := newService(testkit.Another(t, db, clk), c.provider)
				type outcome struct {
					warned int
					err    error
				}
				answer := make(chan outcome, 1)
				waiting := func() (n int) {
					_ = db.Query(testkit.System(t), "test", waitingForLocks{}, func(row *entsql.Rows) error { return row.Scan(&n) })
					return n
				}
				testkit.Write(t, db, func(ctx context.Context) error {
					require.NoError(t, db.Lock(ctx, appointment.Table, a.ID))
					go func() {
						n, err := second.WarnDue(context.Background())
						answer <- outcome{n, err}
					}()
					for deadline := time.After(20 * time.Second); waiting() == 0; {
						select {
						case <-deadline:
							return errors.New("nobody waits")
						default:
						}
					}
					return tc.meanwhile(ctx, c, a, o)
				})
				require.Equal(t, outcome{}, <-answer)
				notices, mails := c.warnings(t, a.ID)
				require.Equal(t, []int{tc.told, tc.told}, []int{notices, mails})
			})
		})
	}
}
