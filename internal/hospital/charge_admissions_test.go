package hospital_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Administrators and billers are told what a date came to, once, whatever is run again.
func TestChargeDue_Summary(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		admin, biller := testkit.User(t, db, access.Admin), testkit.User(t, db, access.Biller)
		testkit.User(t, db, access.Nurse)
		h.admitted(h.at("2025-01-10 09:00"))
		testkit.Membership(t, db, testkitPatient(t, db, h.admitted(h.at("2025-01-10 09:00"))), day(t, "2025-01-01"))
		for range 2 {
			_, err := h.ChargeDue(testkit.System(t), day(t, "2025-01-15"))
			require.NoError(t, err)
		}
		told := db.Client.Notification.Query().Where(notification.Kind("CHARGE_SUMMARY")).AllX(testkit.System(t))
		require.Len(t, told, 2)
		assert.ElementsMatch(t, []uuid.UUID{admin.ID, biller.ID}, []uuid.UUID{told[0].UserID, told[1].UserID})
		assert.Equal(t, "Daily charges of 2025-01-15", told[0].Title)
		assert.Equal(t, "2 admissions were looked at, 1 charges of 250.00 AUD in all were posted, 1 patients were exempt, 0 charges failed.", told[0].Text)
		_, err := h.ChargeDue(testkit.System(t), day(t, "2025-01-14"))
		require.NoError(t, err)
		assert.Equal(t, 4, db.Client.Notification.Query().CountX(testkit.System(t)))
	})
}

// A date whose first run was broken off is told as it stands, not as what the second had left to do.
func TestChargeDue_SummaryAfterARunWasBrokenOff(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		testkit.User(t, db, access.Biller)
		h.crowd(9)
		h.PerBatch(2)
		ctx, cancel := context.WithCancel(testkit.System(t))
		h.Spoil(onThe(6, cancel))
		_, err := h.ChargeDue(ctx, day(t, "2025-01-15"))
		require.Error(t, err)
		require.NotEmpty(t, h.books())
		h.Spoil(nil)
		_, err = h.ChargeDue(testkit.System(t), day(t, "2025-01-15"))
		require.NoError(t, err)
		told := db.Client.Notification.Query().Where(notification.Kind("CHARGE_SUMMARY")).OnlyX(testkit.System(t))
		assert.Equal(t, "9 admissions were looked at, 9 charges of 2250.00 AUD in all were posted, 0 patients were exempt, 0 charges failed.", told.Text)
	})
}

// A dry run of all admissions ends in time, with what it has found until then.
func TestChargeAdmissions_DryRunInTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		h.crowd(3)
		in := hospital.ChargeAdmissionsInput{DryRun: ptr(true)}
		done, err := h.ChargeAdmissions(testkit.As(t, access.Biller), in)
		require.NoError(t, err)
		assert.False(t, done.IsPart)
		assert.Equal(t, 3, done.Result.Totals.Charged)
		h.DryTime(0)
		done, err = h.ChargeAdmissions(testkit.As(t, access.Biller), in)
		require.NoError(t, err)
		assert.True(t, done.IsPart)
		assert.Empty(t, done.Result.Entries)
		ctx, cancel := context.WithCancel(testkit.As(t, access.Biller))
		cancel()
		_, err = h.ChargeAdmissions(ctx, in)
		require.Error(t, err, "who asked has left")
	})
}

// What the job refuses because of its occurrence is about the date here.
func TestChargeAdmissions_ConflictAtTheDate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		refusal := fault.ErrConflict.Says("An earlier occurrence has to be run first.").At("occurrence")
		h := newOffice(t, db, clk, func(c *hospital.Config) {
			c.RunCharges = func(context.Context, civil.Date) (*ent.JobRun, error) { return nil, refusal }
		})
		_, err := h.ChargeAdmissions(testkit.As(t, access.Biller), hospital.ChargeAdmissionsInput{})
		refused(t, err, "CONFLICT", "date")
		refusal = fault.ErrConflict
		_, err = h.ChargeAdmissions(testkit.As(t, access.Biller), hospital.ChargeAdmissionsInput{})
		refused(t, err, "CONFLICT", "")
	})
}
