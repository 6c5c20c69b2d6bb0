package hospital_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/ent/stay"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestAdmitPatient(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk, withFee)
		in := h.admission(func(in *hospital.AdmitPatientInput) {
			in.AttendingID, in.Diagnosis, in.IdempotencyKey = &h.doctor.ID, ptr(" J18.9 "), ptr("key")
		})
		a, charges, err := h.AdmitPatient(testkit.As(t, h.nurse), in)
		require.NoError(t, err)
		require.Equal(t, admission.StatusADMITTED, a.Status)
		require.Equal(t, clk.Now(), a.AdmittedAt.UTC())
		require.Nil(t, a.DischargedAt)
		require.Equal(t, h.nurse.ID, *a.AdmittedBy)
		require.Equal(t, h.doctor.ID, *a.AttendingID)
		require.Equal(t, aud(dailyMinor), charges.DailyRate)
		require.Equal(t, day(t, "2025-01-16"), charges.FirstChargeDate)
		require.Equal(t, aud(25_00), charges.AdmissionFee)
		require.Equal(t, []string{"ADMISSION_FEE -25.00"}, h.ledger(t, h.patient))

		s, err := db.Client.Stay.Query().Where(stay.AdmissionID(a.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, [2]uuid.UUID{h.bed.ID, h.ward.ID}, [2]uuid.UUID{s.BedID, s.WardID})
		require.Equal(t, a.AdmittedAt.UTC(), s.FromAt.UTC())
		require.Nil(t, s.ToAt)

		record, err := a.QueryRecord().Only(testkit.As(t, h.doctor))
		require.NoError(t, err, "who attends the patient reads it")
		require.Equal(t, [3]string{"Pneumonia.", "J18.9", ""}, [3]string{record.Reason, record.Diagnosis, record.DischargeNotes})
		_, err = a.QueryRecord().Only(testkit.As(t, testkit.Practitioner(t, db)))
		require.True(t, ent.IsNotFound(err), "another doctor does not")
		_, err = a.QueryRecord().Only(testkit.As(t, h.biller))
		require.True(t, ent.IsNotFound(err), "nor who bills")
		_, err = a.QueryRecord().Only(testkit.As(t, h.admin))
		require.True(t, ent.IsNotFound(err), "nor an administrator")
		require.Equal(t, 1, count(t, db.Client.CareRelation.Query().Where(carerelation.SourceEQ(carerelation.SourceADMISSION), carerelation.SourceID(a.ID))))

		clk.Advance(time.Minute)
		again, _, err := h.AdmitPatient(testkit.As(t, h.nurse), in)
		require.NoError(t, err)
		require.Equal(t, a.ID, again.ID, "the key's first result")
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Practitioner.Update().Where(practitioner.ID(h.doctor.ID)).SetIsActive(false).Exec(ctx)
		})
		again, _, err = h.AdmitPatient(testkit.As(t, h.nurse), in)
		require.NoError(t, err, "who attends the patient has left meanwhile")
		require.Equal(t, a.ID, again.ID)
		in.Reason = "Another."
		_, _, err = h.AdmitPatient(testkit.As(t, h.nurse), in)
		refused(t, err, "IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
		require.Equal(t, 1, count(t, db.Client.Admission.Query()))
	})
}

// Where another instance's clock is ahead the bed, or the patient, is free from the instant on that it wrote.
func TestAdmitPatient_AfterAnEndStillToCome(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		ahead := clk.Now().Add(time.Second)
		testkit.Discharge(t, db, testkit.Admission(t, db, h.bed, testkit.Patient(t, db), clk.Now().Add(-time.Hour)), ahead)
		a := h.admit(t)
		require.Equal(t, ahead, a.AdmittedAt.UTC(), "the bed")
		further := ahead.Add(time.Second)
		testkit.Discharge(t, db, a, further)
		other := testkit.Bed(t, db, h.ward)
		a, _, err := h.AdmitPatient(testkit.As(t, h.nurse), h.admission(func(in *hospital.AdmitPatientInput) { in.BedID = other.ID }))
		require.NoError(t, err)
		require.Equal(t, further, a.AdmittedAt.UTC(), "the patient")
		_, _, err = h.TransferPatient(testkit.As(t, h.nurse), hospital.TransferPatientInput{AdmissionID: a.ID, BedID: h.bed.ID})
		require.NoError(t, err)
		stays := h.stays(t, a)
		require.Equal(t, further, stays[1].FromAt.UTC(), "the bed of a transfer")
		_, _, err = h.AdmitPatient(testkit.As(t, h.nurse), hospital.AdmitPatientInput{PatientID: h.fresh(t), BedID: other.ID, Reason: "x", AdmittedAt: ptr(clk.Now())})
		require.NoError(t, err, "nobody lay in it at any instant")
	})
}

// Without a fee there is a wallet, and nothing in it.
func TestAdmitPatient_WithoutAFee(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		h.admit(t)
		require.Empty(t, h.ledger(t, h.patient))
		require.Equal(t, 1, count(t, db.Client.Wallet.Query()))
	})
}

// The fee is judged by the date of the admission.
func TestAdmitPatient_FeeOfMembers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		from, to string
		fee      []string
	}{
		"Member":          {"2025-01-01", "", nil},
		"SinceToday":      {"2025-01-15", "", nil},
		"LastDateIsToday": {"2025-01-01", "2025-01-15", nil},
		"UntilYesterday":  {"2025-01-01", "2025-01-14", []string{"ADMISSION_FEE -25.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				h := newHouse(t, db, clk, withFee)
				testkit.Membership(t, db, h.patient, day(t, tc.from), func(c *ent.NhiaMembershipCreate) {
					if tc.to != "" {
						c.SetEndedOn(day(t, tc.to))
					}
				})
				h.admit(t)
				require.Equal(t, tc.fee, h.ledger(t, h.patient))
			})
		})
	}
}

// Late paperwork is charged at once: each midnight since then, at the rate of its date.
func TestAdmitPatient_SinceAPastTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk, withFee)
		testkit.WardRate(t, db, h.ward, day(t, "2025-01-14"), 200_00)
		a, charges, err := h.AdmitPatient(testkit.As(t, h.nurse), h.admission(h.since(58*time.Hour))) // Monday, 00:00
		require.NoError(t, err)
		require.Equal(t, []string{
			"ADMISSION_FEE -25.00", "DAILY_ADMISSION_CHARGE 2025-01-13 -150.00", "DAILY_ADMISSION_CHARGE 2025-01-14 -200.00",
			"DAILY_ADMISSION_CHARGE 2025-01-15 -200.00",
		}, h.ledger(t, h.patient))
		require.Equal(t, day(t, "2025-01-16"), charges.FirstChargeDate, "the next: those before are charged")
		require.Equal(t, aud(200_00), charges.DailyRate)
		require.Equal(t, clk.Now(), a.CreatedAt.UTC())
	})
}

func TestAdmitPatient_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		lies := h.admit(t)
		closed := testkit.Ward(t, db, func(c *ent.WardCreate) { c.SetIsActive(false) })
		out, inClosed := testkit.Bed(t, db, h.ward, func(c *ent.BedCreate) { c.SetIsActive(false) }), testkit.Bed(t, db, closed)
		free := testkit.Bed(t, db, h.ward)
		left := testkit.Practitioner(t, db, func(c *ent.PractitionerCreate) { c.SetIsActive(false) })
		// In this bed another patient lay, and the newcomer in a third, until an hour ago.
		used, third, newcomer := testkit.Bed(t, db, h.ward), testkit.Bed(t, db, h.ward), testkit.Patient(t, db)
		testkit.Discharge(t, db, testkit.Admission(t, db, used, testkit.Patient(t, db), clk.Now().Add(-3*time.Hour)), clk.Now().Add(-time.Hour))
		testkit.Discharge(t, db, testkit.Admission(t, db, third, newcomer, clk.Now().Add(-3*time.Hour)), clk.Now().Add(-time.Hour))
		ago := func(d time.Duration) *time.Time { return ptr(clk.Now().Add(-d)) }
		type in = hospital.AdmitPatientInput
		for name, tc := range map[string]struct {
			change      func(*in)
			code, field string
		}{
			"TheBedIsTaken":          {func(in *in) { in.BedID = h.bed.ID }, "BED_TAKEN", "bedId"},
			"TheBedIsOut":            {func(in *in) { in.BedID = out.ID }, "BED_INACTIVE", "bedId"},
			"TheWardIsClosed":        {func(in *in) { in.BedID = inClosed.ID }, "BED_INACTIVE", "bedId"},
			"NoSuchBed":              {func(in *in) { in.BedID = unknown }, "NOT_FOUND", "bedId"},
			"InHospitalAlready":      {func(in *in) { in.PatientID = lies.PatientID }, "ALREADY_ADMITTED", "patientId"},
			"NoSuchPatient":          {func(in *in) { in.PatientID = unknown }, "NOT_FOUND", "patientId"},
			"NoPatient":              {func(in *in) { in.PatientID = uuid.Nil }, "NOT_FOUND", "patientId"},
			"NoSuchPractitioner":     {func(in *in) { in.AttendingID = ptr(unknown) }, "NOT_FOUND", "attendingId"},
			"ThePractitionerHasLeft": {func(in *in) { in.AttendingID = &left.ID }, "NOT_FOUND", "attendingId"},
			"InAMicrosecond":         {func(in *in) { in.AdmittedAt = ago(-time.Microsecond) }, "DATE_IN_FUTURE", "admittedAt"},
			"3661DaysAgo":            {func(in *in) { in.AdmittedAt = ago(3661 * 24 * time.Hour) }, "INVALID_INPUT", "admittedAt"},
			"BedWasTakenThen": {func(in *in) {
				in.PatientID, in.BedID, in.AdmittedAt = h.fresh(t), used.ID, ago(time.Hour+time.Microsecond)
			}, "BED_TAKEN", "bedId"},
			"BedWasTakenAfterThat":    {func(in *in) { in.PatientID, in.BedID, in.AdmittedAt = h.fresh(t), used.ID, ago(5*time.Hour) }, "BED_TAKEN", "bedId"},
			"PatientWasElsewhereThen": {func(in *in) { in.AdmittedAt = ago(2 * time.Hour) }, "ALREADY_ADMITTED", "admittedAt"},
			"NoReason":                {func(in *in) { in.Reason = " " }, "INVALID_INPUT", "reason"},
			"ReasonOf8001Characters":  {func(in *in) { in.Reason = strings.Repeat("ä", 8001) }, "INVALID_INPUT", "reason"},
			"DiagnosisWithAZeroByte":  {func(in *in) { in.Diagnosis = ptr("a\x00b") }, "INVALID_INPUT", "diagnosis"},
		} {
			input := in{PatientID: newcomer.ID, BedID: free.ID, Reason: "Pneumonia."}
			tc.change(&input)
			_, _, err := h.AdmitPatient(testkit.As(t, h.nurse), input)
			refused(t, err, tc.code, tc.field, name)
		}
		require.Equal(t, 3, count(t, db.Client.Admission.Query()), "a refusal writes nothing")
		_, _, err := h.AdmitPatient(testkit.As(t, h.doctor), in{PatientID: newcomer.ID, BedID: used.ID, Reason: strings.Repeat("ä", 8000), AdmittedAt: ago(time.Hour)})
		require.NoError(t, err, "from the instant on at which both others ended")
	})
}

// Of 200 callers one has the bed, on as many instances as there are.
func TestAdmitPatient_200CallersOfOneBedHaveOneWinner(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk, withFee)
		services := []*hospital.Service{h.Service, h.Service}
		if db.Dialect() == testkit.Postgres {
			services[1] = newService(t, testkit.Another(t, db, clk), withFee)
		}
		patients := make([]*ent.Patient, 200)
		for i := range patients {
			patients[i] = testkit.Record(t, db)
		}
		var won atomic.Int64
		var g errgroup.Group
		for i, p := range patients {
			g.Go(func() error {
				_, _, err := services[i%2].AdmitPatient(testkit.As(t, h.nurse), hospital.AdmitPatientInput{PatientID: p.ID, BedID: h.bed.ID, Reason: "Pneumonia."})
				if err == nil {
					won.Add(1)
					return nil
				}
				refused(t, err, "BED_TAKEN", "bedId")
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.EqualValues(t, 1, won.Load())
		require.Equal(t, 1, count(t, db.Client.Admission.Query()))
		require.Equal(t, 1, count(t, db.Client.Stay.Query()))
		require.Equal(t, 1, count(t, db.Client.WalletTransaction.Query()), "one fee")
	})
}

// Of 50 callers for one patient, each with a bed of its own, one wins.
func TestAdmitPatient_OnePatientInOneBed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		var won atomic.Int64
		var g errgroup.Group
		for range 50 {
			b := testkit.Bed(t, db, h.ward)
			g.Go(func() error {
				_, _, err := h.AdmitPatient(testkit.As(t, h.nurse), hospital.AdmitPatientInput{PatientID: h.patient.ID, BedID: b.ID, Reason: "Pneumonia."})
				if err == nil {
					won.Add(1)
					return nil
				}
				refused(t, err, "ALREADY_ADMITTED", "patientId")
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.EqualValues(t, 1, won.Load())
		require.Equal(t, 1, count(t, db.Client.Stay.Query()))
	})
}

// The same key sent 20 times at once admits once.
func TestAdmitPatient_Twins(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk, withFee)
		in := h.admission(func(in *hospital.AdmitPatientInput) { in.IdempotencyKey = ptr("key") })
		var g errgroup.Group
		ids := make([]uuid.UUID, 20)
		for i := range ids {
			g.Go(func() error {
				a, _, err := h.AdmitPatient(testkit.As(t, h.nurse), in)
				if err == nil {
					ids[i] = a.ID
				}
				return err
			})
		}
		require.NoError(t, g.Wait())
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.Equal(t, []string{"ADMISSION_FEE -25.00"}, h.ledger(t, h.patient))
	})
}
