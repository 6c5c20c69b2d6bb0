package booking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func (c *clinic) reminded(t *testing.T) int {
	t.Helper()
	n, err := c.RemindDue(t.Context())
	require.NoError(t, err)
	return n
}

func TestRemindDue_24HoursBeforeOnceByMailAndText(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		withPhone := testkit.Patient(t, db, func(p *ent.PatientCreate) { p.SetPhone("+61412345678") })
		start := clk.Now().Add(30 * time.Hour)
		testkit.Appointment(t, db, testkit.Slot(t, db, c.doctor, start), withPhone)
		testkit.Appointment(t, db, testkit.Slot(t, db, c.doctor, start.Add(time.Hour)), testkit.Record(t, db)) // neither address nor telephone
		testkit.Appointment(t, db, testkit.Slot(t, db, c.doctor, start.Add(-time.Hour)), c.patient,
			func(a *ent.AppointmentCreate) { a.SetStatus(appointment.StatusPENDING) })

		clk.Set(start.Add(-24*time.Hour - time.Microsecond))
		require.Zero(t, c.reminded(t), "too early")
		clk.Set(start.Add(-24 * time.Hour))
		require.Equal(t, 1, c.reminded(t))
		for range 25 {
			clk.Advance(time.Hour)
			require.Zero(t, c.reminded(t), "once")
		}
		all := c.mailed(t, "APPOINTMENT_REMINDER")
		require.Len(t, all, 2)
		channels := map[delivery.Channel]*ent.Delivery{}
		for _, d := range all {
			channels[d.Channel] = d
		}
		require.Equal(t, withPhone.Email, channels[delivery.ChannelEMAIL].Address)
		require.Equal(t, "+61412345678", channels[delivery.ChannelSMS].Address)
		require.Contains(t, channels[delivery.ChannelSMS].Body, "Thursday 16 January 2025, 16:00 (AEST)")
	})
}

// A visit at another time is reminded of again.
func TestRemindDue_AgainForAnotherStart(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		for _, in := range []time.Duration{2 * time.Hour, 3 * time.Hour} {
			testkit.Appointment(t, db, c.slotIn(t, in), c.patient)
			require.Equal(t, 1, c.reminded(t))
		}
		require.Len(t, c.mailed(t, "APPOINTMENT_REMINDER"), 2)
	})
}

func TestRemindDue_ManyInstancesAtOnceTellOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		for n := range 5 {
			testkit.Appointment(t, db, c.slotIn(t, time.Duration(n+1)*time.Hour), testkit.Patient(t, db))
		}
		second := newService(testkit.OpenURL(t, store.Config{URL: db.URL(), StatementTimeout: time.Minute, ProbeTimeout: 20 * time.Second}, clk), c.provider)
		for _, err := range atOnce(8, func(i int) error {
			s := c.Service
			if i%2 == 1 {
				s = second
			}
			_, err := s.RemindDue(t.Context())
			return err
		}) {
			require.NoError(t, err)
		}
		require.Len(t, c.mailed(t, "APPOINTMENT_REMINDER"), 5)
	})
}
