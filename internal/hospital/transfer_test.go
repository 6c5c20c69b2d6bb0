package hospital_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// stays lists the stays of an admission in order.
func (h *house) stays(t *testing.T, a *ent.Admission) []*ent.Stay {
	t.Helper()
	all, err := h.db.Client.Stay.Query().Where(stay.AdmissionID(a.ID)).Order(stay.ByFromAt(), stay.ByID()).All(testkit.System(t))
	require.NoError(t, err)
	return all
}

func TestTransferPatient(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		dear := testkit.Ward(t, db)
		testkit.WardRate(t, db, dear, day(t, "2025-01-01"), 900_00)
		to := testkit.Bed(t, db, dear)
		a := h.admit(t, h.since(20*time.Hour)) // over one midnight
		clk.Advance(time.Hour)
		in := hospital.TransferPatientInput{AdmissionID: a.ID, BedID: to.ID, IdempotencyKey: ptr("key")}
		moved, charges, err := h.TransferPatient(testkit.As(t, h.doctor), in)
		require.NoError(t, err)
		require.Equal(t, a.ID, moved.ID)
		require.Equal(t, aud(900_00), charges.DailyRate)
		list := h.stays(t, a)
		require.Len(t, list, 2)
		require.Equal(t, clk.Now(), list[0].ToAt.UTC())
		require.Equal(t, clk.Now(), list[1].FromAt.UTC(), "without a gap")
		require.Equal(t, to.ID, list[1].BedID)
		require.Equal(t, dear.ID, list[1].WardID)
		require.Nil(t, list[1].ToAt)
		again, _, err := h.TransferPatient(testkit.As(t, h.doctor), in)
		require.NoError(t, err)
		require.Equal(t, a.ID, again.ID)
		require.Len(t, h.stays(t, a), 2, "the key's first result")
		require.Equal(t, []string{"DAILY_ADMISSION_CHARGE 2025-01-15 -150.00"}, h.ledger(t, h.patient), "at midnight the patient lay in the first ward")
		found, err := h.CurrentStays(testkit.As(t, h.nurse), []uuid.UUID{a.ID})
		require.NoError(t, err)
		require.Equal(t, to.ID, found[a.ID].BedID)
		free, err := h.FreeBeds(testkit.As(t, h.nurse), []uuid.UUID{h.bed.ID, to.ID})
		require.NoError(t, err)
		require.Equal(t, map[uuid.UUID]*bool{h.bed.ID: ptr(true), to.ID: ptr(false)}, free)
	})
}

// A transfer at the first instant of a date is charged by where the patient lies from then on, whether the job or the transfer came first.
func TestTransferPatient_AtMidnight(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		dear := testkit.Ward(t, db)
		testkit.WardRate(t, db, dear, day(t, "2025-01-01"), 900_00)
		a := h.admit(t)
		clk.Advance(14 * time.Hour)
		_, _, err := h.TransferPatient(testkit.As(t, h.nurse), hospital.TransferPatientInput{AdmissionID: a.ID, BedID: testkit.Bed(t, db, dear).ID})
		require.NoError(t, err)
		require.Equal(t, []string{
			"DAILY_ADMISSION_CHARGE 2025-01-16 -150.00", "REVERSAL 2025-01-16 150.00", "DAILY_ADMISSION_CHARGE 2025-01-16 -900.00",
		}, h.ledger(t, h.patient))
	})
}

func TestTransferPatient_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t)
		free, out := testkit.Bed(t, db, h.ward), testkit.Bed(t, db, h.ward, func(c *ent.BedCreate) { c.SetIsActive(false) })
		inClosed := testkit.Bed(t, db, testkit.Ward(t, db, func(c *ent.WardCreate) { c.SetIsActive(false) }))
		taken := testkit.Bed(t, db, h.ward)
		testkit.Admission(t, db, taken, testkit.Patient(t, db), clk.Now())
		over := testkit.Admission(t, db, testkit.Bed(t, db, h.ward), testkit.Patient(t, db), clk.Now())
		testkit.Discharge(t, db, over, clk.Now())
		for name, tc := range map[string]struct {
			admission, bed uuid.UUID
			code, field    string
		}{
			"TheBedIsTaken":   {a.ID, taken.ID, "BED_TAKEN", "bedId"},
			"TheBedIsOut":     {a.ID, out.ID, "BED_INACTIVE", "bedId"},
			"TheWardIsClosed": {a.ID, inClosed.ID, "BED_INACTIVE", "bedId"},
			"TheSameBed":      {a.ID, h.bed.ID, "INVALID_INPUT", "bedId"},
			"NoSuchBed":       {a.ID, unknown, "NOT_FOUND", "bedId"},
			"NoSuchAdmission": {unknown, free.ID, "NOT_FOUND", "admissionId"},
			"NoAdmission":     {uuid.Nil, free.ID, "NOT_FOUND", "admissionId"},
			"Discharged":      {over.ID, free.ID, "ALREADY_DISCHARGED", "admissionId"},
		} {
			_, _, err := h.TransferPatient(testkit.As(t, h.nurse), hospital.TransferPatientInput{AdmissionID: tc.admission, BedID: tc.bed})
			refused(t, err, tc.code, tc.field, name)
		}
		require.Len(t, h.stays(t, a), 1, "a refusal writes nothing")
	})
}

// Patients who change beds with each other are both refused, since neither bed is free; those who follow each other round a free one are never in one bed, and
// nobody waits for ever.
func TestTransferPatient_Crossing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		beds := []*ent.Bed{h.bed, testkit.Bed(t, db, h.ward), testkit.Bed(t, db, testkit.Ward(t, db))}
		admissions := make([]*ent.Admission, 2)
		for i := range admissions {
			admissions[i] = testkit.Admission(t, db, beds[i], testkit.Patient(t, db), clk.Now())
		}
		move := func(i int, b *ent.Bed) error {
			_, _, err := h.TransferPatient(testkit.As(t, h.nurse), hospital.TransferPatientInput{AdmissionID: admissions[i].ID, BedID: b.ID})
			return err
		}
		errs := make([]error, 2)
		var g errgroup.Group
		for i := range admissions {
			g.Go(func() error { errs[i] = move(i, beds[1-i]); return nil })
		}
		require.NoError(t, g.Wait())
		for _, err := range errs {
			refused(t, err, "BED_TAKEN", "bedId")
		}
		clk.Advance(time.Minute)
		dice := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- a test's
		for range 30 {
			var g errgroup.Group
			for i := range admissions {
				to := beds[dice.IntN(len(beds))]
				g.Go(func() error {
					if err := move(i, to); err != nil {
						require.True(t, errors.Is(err, hospital.ErrBedTaken) || errors.Is(err, fault.ErrInvalid), "%v", err)
					}
					return nil
				})
			}
			require.NoError(t, g.Wait())
			clk.Advance(time.Minute)
		}
		for _, a := range admissions {
			require.Greater(t, len(h.stays(t, a)), 1, "they have moved")
		}
		requireTidy(t, h)
	})
}
