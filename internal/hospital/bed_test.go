package hospital_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestAddBed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse := testkit.As(t, h.nurse)
		made, err := h.AddBed(nurse, hospital.AddBedInput{WardID: h.ward.ID, Number: " 12a ", IdempotencyKey: ptr("key")})
		require.NoError(t, err)
		require.Equal(t, "12a", made.Number)
		again, err := h.AddBed(nurse, hospital.AddBedInput{WardID: h.ward.ID, Number: " 12a ", IdempotencyKey: ptr("key")})
		require.NoError(t, err)
		require.Equal(t, made.ID, again.ID)
		_, err = h.AddBed(nurse, hospital.AddBedInput{WardID: h.ward.ID, Number: "12a"})
		refused(t, err, "CONFLICT", "number")
		_, err = h.AddBed(nurse, hospital.AddBedInput{WardID: testkit.Ward(t, db).ID, Number: strings.Repeat("é", 20)})
		require.NoError(t, err, "20 characters, in another ward")
		_, err = h.AddBed(nurse, hospital.AddBedInput{WardID: h.ward.ID, Number: strings.Repeat("1", 21)})
		refused(t, err, "INVALID_INPUT", "number")
		_, err = h.AddBed(nurse, hospital.AddBedInput{WardID: unknown, Number: "1"})
		refused(t, err, "NOT_FOUND", "wardId")
	})
}

func TestUpdateBed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse := testkit.As(t, h.nurse)
		other := testkit.Bed(t, db, h.ward)
		changed, err := h.UpdateBed(nurse, hospital.UpdateBedInput{ID: h.bed.ID, Number: ptr("1w"), ExpectedVersion: ptr(1)})
		require.NoError(t, err)
		require.Equal(t, "1w", changed.Number)
		present, err := h.UpdateBed(nurse, hospital.UpdateBedInput{ID: h.bed.ID, Number: ptr("2"), ExpectedVersion: ptr(1)})
		refused(t, err, "CONFLICT", "expectedVersion")
		require.Equal(t, "1w", present.Number)
		present, err = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: h.bed.ID, Number: &other.Number})
		refused(t, err, "CONFLICT", "number")
		require.Equal(t, "1w", present.Number)
		_, err = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: h.bed.ID, Number: ptr("")})
		refused(t, err, "INVALID_INPUT", "number")
		_, err = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: uuid.Nil})
		refused(t, err, "NOT_FOUND", "id")

		h.admit(t)
		_, err = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: h.bed.ID, IsActive: ptr(false)})
		refused(t, err, "BED_TAKEN", "isActive")
		out, err := h.UpdateBed(nurse, hospital.UpdateBedInput{ID: other.ID, IsActive: ptr(false)})
		require.NoError(t, err)
		require.False(t, out.IsActive)
	})
}

// Who is in a ward is counted from the stays; a bed is free when it and its ward are in use and nobody lies in it. Patients are told of none, also of beds
// in which they once lay.
func TestOccupancy(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		empty, out := testkit.Bed(t, db, h.ward), testkit.Bed(t, db, h.ward, func(c *ent.BedCreate) { c.SetIsActive(false) })
		closed := testkit.Ward(t, db, func(c *ent.WardCreate) { c.SetIsActive(false) })
		inClosed := testkit.Bed(t, db, closed)
		second := testkit.Bed(t, db, h.ward)
		h.admit(t)
		other := testkit.Admission(t, db, second, testkit.Patient(t, db), clk.Now().Add(-time.Hour))
		gone := testkit.Admission(t, db, empty, testkit.Patient(t, db), clk.Now().Add(-time.Hour))
		testkit.Discharge(t, db, gone, clk.Now())
		wards, all := []uuid.UUID{h.ward.ID, closed.ID}, []uuid.UUID{h.bed.ID, empty.ID, out.ID, inClosed.ID, second.ID}
		for _, who := range []any{h.nurse, h.doctor, h.biller, h.admin, h.patient, testkit.User(t, db, access.Scheduler)} {
			ctx := testkit.As(t, who)
			occupied, err := h.Occupied(ctx, wards)
			require.NoError(t, err)
			free, err := h.Free(ctx, wards)
			require.NoError(t, err)
			beds, err := h.FreeBeds(ctx, all)
			require.NoError(t, err)
			if !access.From(ctx).Has(access.Nurse, access.Doctor, access.Biller, access.Admin) {
				require.Empty(t, occupied)
				require.Empty(t, free)
				require.Empty(t, beds)
				continue
			}
			require.Equal(t, map[uuid.UUID]*int{h.ward.ID: ptr(2), closed.ID: ptr(0)}, occupied)
			require.Equal(t, map[uuid.UUID]*int{h.ward.ID: ptr(1), closed.ID: ptr(0)}, free)
			require.Equal(t, map[uuid.UUID]*bool{h.bed.ID: ptr(false), empty.ID: ptr(true), out.ID: ptr(false), inClosed.ID: ptr(false), second.ID: ptr(false)}, beds)
		}
		stays, err := h.CurrentStays(testkit.As(t, h.nurse), []uuid.UUID{other.ID, gone.ID})
		require.NoError(t, err)
		require.Len(t, stays, 1)
		require.Equal(t, second.ID, stays[other.ID].BedID)
		stays, err = h.CurrentStays(testkit.As(t, h.patient), []uuid.UUID{other.ID, gone.ID})
		require.NoError(t, err)
		require.Empty(t, stays, "other patients'")
	})
}

// Closing a bed or a ward and admitting to it never both succeed, and one of them does.
func TestAdmitPatient_WhileTheBedIsClosed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse := testkit.As(t, h.nurse)
		for n := range 20 {
			w := testkit.Ward(t, db)
			b, p := testkit.Bed(t, db, w), testkit.Patient(t, db)
			var g errgroup.Group
			var admitErr, closeErr error
			g.Go(func() error {
				_, _, admitErr = h.AdmitPatient(nurse, hospital.AdmitPatientInput{PatientID: p.ID, BedID: b.ID, Reason: "Pneumonia."})
				return nil
			})
			g.Go(func() error {
				if n%2 == 0 {
					_, closeErr = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: w.ID, IsActive: ptr(false)})
				} else {
					_, closeErr = h.UpdateBed(nurse, hospital.UpdateBedInput{ID: b.ID, IsActive: ptr(false)})
				}
				return nil
			})
			require.NoError(t, g.Wait())
			require.NotEqual(t, admitErr == nil, closeErr == nil, "%v, %v", admitErr, closeErr)
			if admitErr != nil {
				require.ErrorIs(t, admitErr, hospital.ErrBedInactive)
				continue
			}
			if n%2 == 0 {
				require.ErrorIs(t, closeErr, fault.ErrConflict)
			} else {
				require.ErrorIs(t, closeErr, hospital.ErrBedTaken)
			}
		}
	})
}
