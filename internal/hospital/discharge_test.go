package hospital_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestDischargePatient(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t, func(in *hospital.AdmitPatientInput) { in.AttendingID = &h.doctor.ID })
		clk.Advance(24 * time.Hour)
		in := hospital.DischargePatientInput{AdmissionID: a.ID, Notes: ptr(" Rest. "), IdempotencyKey: ptr("key")}
		out, err := h.DischargePatient(testkit.As(t, h.nurse), in)
		require.NoError(t, err)
		require.Equal(t, admission.StatusDISCHARGED, out.Admission.Status)
		require.Equal(t, clk.Now(), out.Admission.DischargedAt.UTC())
		require.Equal(t, h.nurse.ID, *out.Admission.DischargedBy)
		require.True(t, *out.IsWalletOverdrawn)
		require.Equal(t, []string{"The wallet is overdrawn by 150.00 AUD."}, out.Warnings)
		require.Equal(t, []string{"DAILY_ADMISSION_CHARGE 2025-01-16 -150.00"}, h.ledger(t, h.patient), "owed whether or not the job came by")
		list := h.stays(t, a)
		require.Len(t, list, 1)
		require.Equal(t, clk.Now(), list[0].ToAt.UTC())
		record, err := a.QueryRecord().Only(testkit.As(t, h.doctor))
		require.NoError(t, err)
		require.Equal(t, [2]string{"Pneumonia.", "Rest."}, [2]string{record.Reason, record.DischargeNotes})

		again, err := h.DischargePatient(testkit.As(t, h.nurse), in)
		require.NoError(t, err, "the key's first result")
		require.Equal(t, a.ID, again.Admission.ID)
		_, err = h.DischargePatient(testkit.As(t, h.nurse), hospital.DischargePatientInput{AdmissionID: a.ID})
		refused(t, err, "ALREADY_DISCHARGED", "admissionId")
		_, err = h.RecordDeath(testkit.As(t, h.doctor), hospital.RecordDeathInput{AdmissionID: a.ID})
		refused(t, err, "ALREADY_DISCHARGED", "admissionId")
		h.admit(t) // again, to the same bed
	})
}

// Doctors are told nothing of wallets; and there is nothing to warn of while there is money.
func TestDischargePatient_Warnings(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t, h.since(24*time.Hour))
		out, err := h.DischargePatient(testkit.As(t, h.doctor), hospital.DischargePatientInput{AdmissionID: a.ID})
		require.NoError(t, err)
		require.Nil(t, out.IsWalletOverdrawn)
		require.Equal(t, []string{}, out.Warnings)

		h.patient = testkit.Patient(t, db)
		out, err = h.DischargePatient(testkit.As(t, h.admin), hospital.DischargePatientInput{AdmissionID: h.admit(t).ID})
		require.NoError(t, err)
		require.False(t, *out.IsWalletOverdrawn, "of 0.00")
		require.Equal(t, []string{}, out.Warnings)
	})
}

// Late paperwork: what is not owed for dates after the discharge goes back.
func TestDischargePatient_AtAPastTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t, h.since(58*time.Hour)) // Monday, 00:00
		require.Len(t, h.ledger(t, h.patient), 3)
		at := clk.Now().Add(-34 * time.Hour) // Tuesday, 00:00: the first instant that is not owed
		out, err := h.DischargePatient(testkit.As(t, h.nurse), hospital.DischargePatientInput{AdmissionID: a.ID, DischargedAt: &at})
		require.NoError(t, err)
		require.Equal(t, at, out.Admission.DischargedAt.UTC())
		require.Equal(t, []string{
			"DAILY_ADMISSION_CHARGE 2025-01-13 -150.00", "DAILY_ADMISSION_CHARGE 2025-01-14 -150.00", "DAILY_ADMISSION_CHARGE 2025-01-15 -150.00",
			"REVERSAL 2025-01-14 150.00", "REVERSAL 2025-01-15 150.00",
		}, h.ledger(t, h.patient))
		require.Equal(t, []string{"The wallet is overdrawn by 150.00 AUD."}, out.Warnings)
	})
}

func TestDischargePatient_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t, h.since(5*time.Hour))
		clk.Advance(time.Hour)
		_, _, err := h.TransferPatient(testkit.As(t, h.nurse), hospital.TransferPatientInput{AdmissionID: a.ID, BedID: testkit.Bed(t, db, h.ward).ID})
		require.NoError(t, err)
		moved := clk.Now()
		clk.Advance(time.Hour)
		type in = hospital.DischargePatientInput
		for name, tc := range map[string]struct {
			in          in
			code, field string
		}{
			"NoSuchAdmission":        {in{AdmissionID: unknown}, "NOT_FOUND", "admissionId"},
			"NoAdmission":            {in{AdmissionID: uuid.Nil}, "NOT_FOUND", "admissionId"},
			"InAMicrosecond":         {in{AdmissionID: a.ID, DischargedAt: ptr(clk.Now().Add(time.Microsecond))}, "DATE_IN_FUTURE", "dischargedAt"},
			"BeforeTheLastTransfer":  {in{AdmissionID: a.ID, DischargedAt: ptr(moved.Add(-time.Microsecond))}, "INVALID_INPUT", "dischargedAt"},
			"BeforeTheAdmission":     {in{AdmissionID: a.ID, DischargedAt: ptr(moved.Add(-24 * time.Hour))}, "INVALID_INPUT", "dischargedAt"},
			"NotesOf8001Characters":  {in{AdmissionID: a.ID, Notes: ptr(strings.Repeat("ä", 8001))}, "INVALID_INPUT", "notes"},
			"NotesWithABrokenLetter": {in{AdmissionID: a.ID, Notes: ptr("a\xff")}, "INVALID_INPUT", "notes"},
		} {
			_, err := h.DischargePatient(testkit.As(t, h.nurse), tc.in)
			refused(t, err, tc.code, tc.field, name)
		}
		_, err = h.DischargePatient(testkit.As(t, h.nurse), in{AdmissionID: a.ID, DischargedAt: &moved})
		require.NoError(t, err, "at the instant of the last transfer")
	})
}

func TestRecordDeath(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t, h.since(24*time.Hour))
		doctor := testkit.As(t, h.doctor)
		_, err := h.RecordDeath(doctor, hospital.RecordDeathInput{AdmissionID: a.ID, DiedAt: ptr(clk.Now().Add(time.Second))})
		refused(t, err, "DATE_IN_FUTURE", "diedAt")
		_, err = h.RecordDeath(doctor, hospital.RecordDeathInput{AdmissionID: a.ID, DiedAt: ptr(clk.Now().Add(-25 * time.Hour))})
		refused(t, err, "INVALID_INPUT", "diedAt")
		_, err = h.RecordDeath(doctor, hospital.RecordDeathInput{AdmissionID: unknown})
		refused(t, err, "NOT_FOUND", "admissionId")
		at := clk.Now().Add(-11 * time.Hour) // before midnight
		dead, err := h.RecordDeath(doctor, hospital.RecordDeathInput{AdmissionID: a.ID, DiedAt: &at, Notes: ptr("At peace.")})
		require.NoError(t, err)
		require.Equal(t, admission.StatusDECEASED, dead.Status)
		require.Equal(t, at, dead.DischargedAt.UTC())
		require.Equal(t, at, h.stays(t, a)[0].ToAt.UTC())
		require.Equal(t, []string{"DAILY_ADMISSION_CHARGE 2025-01-15 -150.00", "REVERSAL 2025-01-15 150.00"}, h.ledger(t, h.patient))
		_, err = h.DischargePatient(testkit.As(t, h.nurse), hospital.DischargePatientInput{AdmissionID: a.ID})
		refused(t, err, "ALREADY_DISCHARGED", "admissionId")
	})
}

// Of 20 who discharge at once one does.
func TestDischargePatient_Twice(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t)
		var done atomic.Int64
		var g errgroup.Group
		for range 20 {
			g.Go(func() error {
				_, err := h.DischargePatient(testkit.As(t, h.nurse), hospital.DischargePatientInput{AdmissionID: a.ID})
				if err == nil {
					done.Add(1)
					return nil
				}
				refused(t, err, "ALREADY_DISCHARGED", "admissionId")
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.EqualValues(t, 1, done.Load())
	})
}

func TestAddAdmissionCharge(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		a := h.admit(t)
		testkit.Membership(t, db, h.patient, day(t, "2025-01-01"))
		_, err := h.DischargePatient(testkit.As(t, h.nurse), hospital.DischargePatientInput{AdmissionID: a.ID})
		require.NoError(t, err)
		biller := testkit.As(t, h.biller)
		type in = hospital.AddAdmissionChargeInput
		charge := in{AdmissionID: a.ID, Description: " X-ray ", Amount: "80.50", IdempotencyKey: ptr("key")}
		for range 2 {
			posted, after, err := h.AddAdmissionCharge(biller, charge)
			require.NoError(t, err, "after the discharge too, and of members")
			require.EqualValues(t, -8050, posted.AmountMinor)
			require.Equal(t, "X-ray", posted.Description)
			require.Equal(t, a.ID, *posted.AdmissionID)
			require.Equal(t, h.biller.ID, *posted.ActorID)
			require.EqualValues(t, -8050, after.BalanceMinor)
		}
		require.Equal(t, []string{"ADMISSION_CHARGE -80.50"}, h.ledger(t, h.patient))
		charge.Description, charge.IdempotencyKey = strings.Repeat("ä", 500), ptr("another")
		_, _, err = h.AddAdmissionCharge(biller, charge)
		require.NoError(t, err, "500 characters")
		for name, tc := range map[string]struct {
			change      func(*in)
			code, field string
		}{
			"NoKey":                       {func(in *in) { in.IdempotencyKey = nil }, "IDEMPOTENCY_KEY_REQUIRED", "idempotencyKey"},
			"KeyOfAnotherCharge":          {func(in *in) { in.IdempotencyKey = ptr("key") }, "IDEMPOTENCY_KEY_REUSED", "idempotencyKey"},
			"NoSuchAdmission":             {func(in *in) { in.AdmissionID = unknown }, "NOT_FOUND", "admissionId"},
			"Nothing":                     {func(in *in) { in.Amount = "0.00" }, "INVALID_INPUT", "amount"},
			"BelowZero":                   {func(in *in) { in.Amount = "-1.00" }, "INVALID_INPUT", "amount"},
			"AboveAMillion":               {func(in *in) { in.Amount = "1000000.01" }, "INVALID_INPUT", "amount"},
			"NoDescription":               {func(in *in) { in.Description = " " }, "INVALID_INPUT", "description"},
			"DescriptionOf501Characters":  {func(in *in) { in.Description = strings.Repeat("x", 501) }, "INVALID_INPUT", "description"},
			"DescriptionWithALineBreak":   {func(in *in) { in.Description = "a\nb" }, "INVALID_INPUT", "description"},
			"DescriptionWithABrokenOne":   {func(in *in) { in.Description = "a\xff" }, "INVALID_INPUT", "description"},
			"DescriptionWithAZeroByte":    {func(in *in) { in.Description = "a\x00" }, "INVALID_INPUT", "description"},
			"AmountWithTooManyDecimals":   {func(in *in) { in.Amount = "1.001" }, "INVALID_INPUT", "amount"},
			"AmountThatIsNone":            {func(in *in) { in.Amount = "one" }, "INVALID_INPUT", "amount"},
			"AmountLargerThan64BitsTake":  {func(in *in) { in.Amount = "99999999999999999999" }, "INVALID_INPUT", "amount"},
			"AmountWithAnExponentLikeOne": {func(in *in) { in.Amount = "1e2" }, "INVALID_INPUT", "amount"},
		} {
			wrong := in{AdmissionID: a.ID, Description: "Crutches", Amount: "1.00", IdempotencyKey: ptr("third")}
			tc.change(&wrong)
			_, _, err := h.AddAdmissionCharge(biller, wrong)
			refused(t, err, tc.code, tc.field, name)
		}
		require.Len(t, h.ledger(t, h.patient), 2)
	})
}
