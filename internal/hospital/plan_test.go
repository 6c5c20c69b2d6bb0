package hospital_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// What is said of charges to come is what the next date costs, by its own rate and membership.
func TestChargePlan(t *testing.T) {
	t.Parallel()
	rate := func(from string, minor int64) func(*testing.T, *house) {
		return func(t *testing.T, h *house) { testkit.WardRate(t, h.db, h.ward, day(t, from), minor) }
	}
	member := func(from, to string) func(*testing.T, *house) {
		return func(t *testing.T, h *house) {
			testkit.Membership(t, h.db, h.patient, day(t, from), func(c *ent.NhiaMembershipCreate) {
				if to != "" {
					c.SetEndedOn(day(t, to))
				}
			})
		}
	}
	for name, tc := range map[string]struct {
		given   func(*testing.T, *house)
		change  []func(*hospital.Config)
		minor   int64
		exempt  bool
		summary string
	}{
		"TheRateOfToday": {nil, nil, dailyMinor, false,
			"150.00 AUD is charged for each night that begins in hospital, the first on 2025-01-16."},
		"TheFee": {nil, []func(*hospital.Config){withFee}, dailyMinor, false,
			"150.00 AUD is charged for each night that begins in hospital, the first on 2025-01-16. A fee of 25.00 AUD was charged for the admission."},
		"ARateFromTomorrow": {rate("2025-01-16", 160_00), nil, 160_00, false,
			"160.00 AUD is charged for each night that begins in hospital, the first on 2025-01-16."},
		"ARateFromTheDayAfter": {rate("2025-01-17", 170_00), nil, dailyMinor, false,
			"150.00 AUD is charged for each night that begins in hospital, the first on 2025-01-16."},
		"NothingFromTomorrow": {rate("2025-01-16", 0), nil, 0, false, "Nothing is charged on 2025-01-16: the ward has no rate on that date."},
		"MemberUntilToday": {member("2025-01-01", "2025-01-15"), nil, dailyMinor, false,
			"150.00 AUD is charged for each night that begins in hospital, the first on 2025-01-16."},
		"Member": {member("2025-01-01", ""), nil, 0, true, "Nothing is charged on 2025-01-16: the patient is a member of the national scheme."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				h := newHouse(t, db, clk, tc.change...)
				if tc.given != nil {
					tc.given(t, h)
				}
				_, plan, err := h.AdmitPatient(testkit.As(t, h.nurse), h.admission())
				require.NoError(t, err)
				require.Equal(t, aud(tc.minor), plan.DailyRate)
				require.Equal(t, tc.exempt, plan.IsExempt)
				require.Equal(t, day(t, "2025-01-16"), plan.FirstChargeDate)
				require.Equal(t, tc.summary, plan.Summary)
			})
		})
	}
}

// After a transfer the next date is named, not the admission's first; at midnight itself the date that begins is charged already. A repeated call tells what is
// true then.
func TestChargePlan_OfATransfer(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse, dear := testkit.As(t, h.nurse), testkit.Ward(t, db)
		testkit.WardRate(t, db, dear, day(t, "2025-01-18"), 900_00)
		a := h.admit(t)
		clk.Advance(24*time.Hour + 14*time.Hour) // to the 17th, 00:00
		in := hospital.TransferPatientInput{AdmissionID: a.ID, BedID: testkit.Bed(t, db, dear).ID, IdempotencyKey: ptr("key")}
		_, plan, err := h.TransferPatient(nurse, in)
		require.NoError(t, err)
		require.Equal(t, day(t, "2025-01-18"), plan.FirstChargeDate)
		require.Equal(t, "900.00 AUD is charged for each night that begins in hospital, the next on 2025-01-18.", plan.Summary)
		_, err = h.DischargePatient(nurse, hospital.DischargePatientInput{AdmissionID: a.ID})
		require.NoError(t, err)
		_, plan, err = h.TransferPatient(nurse, in)
		require.NoError(t, err)
		require.True(t, plan.DailyRate.IsZero())
		require.Equal(t, "Nothing more is charged daily: the patient is no longer in hospital.", plan.Summary)
	})
}
