package hospital_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// What an admission costs: owed until now, charged so far with the fee and what was reversed, and to come.
func TestCosts(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a, other := h.admitted(h.at("2025-01-12 09:00")), h.admitted(h.at("2025-01-14 09:00"))
		testkit.WardRate(t, db, h.ward, day(t, "2025-01-17"), 300_00)
		h.charge("2025-01-13")
		nurse := testkit.As(t, access.Nurse)
		estimated, err := h.EstimatedCosts(nurse, idsOf([]*ent.Admission{a, other}))
		require.NoError(t, err)
		assert.Equal(t, "750.00", estimated[a.ID].Decimal(), "posted or not")
		assert.Equal(t, "250.00", estimated[other.ID].Decimal())
		charged, err := h.ChargedToDate(nurse, idsOf([]*ent.Admission{a, other}))
		require.NoError(t, err)
		assert.Equal(t, "250.00", charged[a.ID].Decimal())
		assert.Equal(t, "0.00", charged[other.ID].Decimal())

		until := func(d string) hospital.Projection { return hospital.Projection{AdmissionID: a.ID, Until: day(t, d)} }
		asked := []hospital.Projection{until("2025-01-13"), until("2025-01-15"), until("2025-01-16"), until("2025-01-18"), until("2026-01-16")}
		projected, err := h.ProjectedCosts(nurse, asked)
		require.NoError(t, err)
		var got []string
		for _, p := range asked {
			got = append(got, projected[p].Decimal())
		}
		assert.Equal(t, []string{"250.00", "750.00", "1000.00", "1600.00", "110500.00"}, got)
		_, err = h.ProjectedCosts(nurse, []hospital.Projection{until("2026-01-17")})
		refused(t, err, "INVALID_INPUT", "until")

		testkit.Discharge(t, db, a, h.at("2025-01-14 10:00"))
		clk.Advance(48 * time.Hour)
		h.settle(a)
		estimated, err = h.EstimatedCosts(nurse, idsOf([]*ent.Admission{a}))
		require.NoError(t, err)
		assert.Equal(t, "500.00", estimated[a.ID].Decimal(), "the end is the end")
		charged, err = h.ChargedToDate(nurse, idsOf([]*ent.Admission{a}))
		require.NoError(t, err)
		assert.Equal(t, "500.00", charged[a.ID].Decimal())
	})
}

// Costs are for who may see the wallet: the patient, nurses, billers and administrators.
func TestCosts_AreNotForAll(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		p := testkit.Patient(t, db)
		a := testkit.Admission(t, db, testkit.Bed(t, db, h.ward), p, h.at("2025-01-12 09:00"))
		h.settle(a)
		for _, role := range access.Roles {
			ctx := testkit.As(t, role)
			sees := db.Client.Wallet.Query().CountX(ctx) == 1
			for name, costs := range h.costsOf(ctx, a) {
				assert.Equal(t, sees, costs, "%s of a %s", name, role)
			}
		}
		for name, isSeen := range h.costsOf(testkit.As(t, p), a) {
			assert.True(t, isSeen, name)
		}
		for name, isSeen := range h.costsOf(testkit.As(t, testkit.Patient(t, db)), a) {
			assert.False(t, isSeen, name)
		}
	})
}

// costsOf tells which of the costs the viewer is shown.
func (h *office) costsOf(ctx context.Context, a *ent.Admission) map[string]bool {
	h.t.Helper()
	estimated, err := h.EstimatedCosts(ctx, idsOf([]*ent.Admission{a}))
	require.NoError(h.t, err)
	charged, err := h.ChargedToDate(ctx, idsOf([]*ent.Admission{a}))
	require.NoError(h.t, err)
	asked := hospital.Projection{AdmissionID: a.ID, Until: day(h.t, "2025-01-20")}
	projected, err := h.ProjectedCosts(ctx, []hospital.Projection{asked})
	require.NoError(h.t, err)
	return map[string]bool{"estimated": estimated[a.ID] != nil, "charged": charged[a.ID] != nil, "projected": projected[asked] != nil}
}

// Wallets ask what a day costs those who are in hospital and pay.
func TestDailyRates(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a, member, gone := h.admitted(h.at("2025-01-12 09:00")), h.admitted(h.at("2025-01-12 09:00")), h.admitted(h.at("2025-01-12 09:00"))
		today := h.admitted(h.at("2025-01-15 08:00"))
		testkit.Membership(t, db, testkitPatient(t, db, member), day(t, "2025-01-15"))
		testkit.Discharge(t, db, gone, h.at("2025-01-15 09:00"))
		patients := append(idsOfPatients(a, member, gone, today), testkit.Record(t, db).ID)
		rates, err := h.DailyRates(t.Context(), patients)
		require.NoError(t, err)
		assert.Len(t, rates, 2)
		assert.Equal(t, aud(250_00), rates[a.PatientID])
		assert.Equal(t, aud(250_00), rates[today.PatientID])
	})
}
