package hospital_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

func TestRegisterNhia(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse := testkit.As(t, h.nurse)
		h.admit(t, h.since(58*time.Hour)) // Monday, 00:00
		in := hospital.RegisterNhiaInput{PatientID: h.patient.ID, RegistrationNumber: " ab-123 ", RegisteredOn: ptr(day(t, "2025-01-14")), IdempotencyKey: ptr("key")}
		for range 2 {
			m, reversed, err := h.RegisterNhia(nurse, in)
			require.NoError(t, err)
			require.Equal(t, "AB-123", m.RegistrationNumber)
			require.Equal(t, day(t, "2025-01-14"), m.RegisteredOn)
			require.Nil(t, m.EndedOn)
			require.Equal(t, h.nurse.ID, *m.RegisteredBy)
			require.Len(t, reversed, 2)
			require.Equal(t, day(t, "2025-01-14"), *reversed[0].ChargeDate)
			require.Equal(t, day(t, "2025-01-15"), *reversed[1].ChargeDate)
		}
		require.Equal(t, []string{
			"DAILY_ADMISSION_CHARGE 2025-01-13 -150.00", "DAILY_ADMISSION_CHARGE 2025-01-14 -150.00", "DAILY_ADMISSION_CHARGE 2025-01-15 -150.00",
			"REVERSAL 2025-01-14 150.00", "REVERSAL 2025-01-15 150.00",
		}, h.ledger(t, h.patient))

		ended, posted, err := h.DeactivateNhia(nurse, hospital.DeactivateNhiaInput{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-14"))})
		require.NoError(t, err)
		require.Equal(t, day(t, "2025-01-14"), *ended.EndedOn)
		require.Equal(t, h.nurse.ID, *ended.EndedBy)
		require.Len(t, posted, 1, "the last date counts")
		require.Equal(t, day(t, "2025-01-15"), *posted[0].ChargeDate)
		again, reversed, err := h.RegisterNhia(nurse, hospital.RegisterNhiaInput{PatientID: h.patient.ID, RegistrationNumber: "AB-123"})
		require.NoError(t, err, "its own number again")
		require.Equal(t, day(t, "2025-01-15"), again.RegisteredOn, "today")
		require.Len(t, reversed, 1)
	})
}

func TestRegisterNhia_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		member, was := testkit.Patient(t, db), testkit.Patient(t, db)
		active := testkit.Membership(t, db, member, day(t, "2025-01-01"))
		ended := testkit.Membership(t, db, was, day(t, "2024-01-01"), func(c *ent.NhiaMembershipCreate) { c.SetEndedOn(day(t, "2025-01-10")) })
		type in = hospital.RegisterNhiaInput
		for name, tc := range map[string]struct {
			in          in
			code, field string
		}{
			"NoSuchPatient":               {in{PatientID: unknown, RegistrationNumber: "ABC"}, "NOT_FOUND", "patientId"},
			"NoPatient":                   {in{RegistrationNumber: "ABC"}, "NOT_FOUND", "patientId"},
			"AMemberAlready":              {in{PatientID: member.ID, RegistrationNumber: "ABC"}, "CONFLICT", "patientId"},
			"AnothersNumber":              {in{PatientID: h.patient.ID, RegistrationNumber: active.RegistrationNumber}, "CONFLICT", "registrationNumber"},
			"AnothersFormerNumber":        {in{PatientID: h.patient.ID, RegistrationNumber: ended.RegistrationNumber}, "CONFLICT", "registrationNumber"},
			"Tomorrow":                    {in{PatientID: h.patient.ID, RegistrationNumber: "ABC", RegisteredOn: ptr(day(t, "2025-01-16"))}, "DATE_IN_FUTURE", "registeredOn"},
			"OnTheLastDateOfTheOneBefore": {in{PatientID: was.ID, RegistrationNumber: "ABC", RegisteredOn: ptr(day(t, "2025-01-10"))}, "INVALID_INPUT", "registeredOn"},
			"BeforeTheOneBefore":          {in{PatientID: was.ID, RegistrationNumber: "ABC", RegisteredOn: ptr(day(t, "2023-01-10"))}, "INVALID_INPUT", "registeredOn"},
			"NumberOf2Characters":         {in{PatientID: h.patient.ID, RegistrationNumber: "AB"}, "INVALID_INPUT", "registrationNumber"},
			"NumberOf31Characters":        {in{PatientID: h.patient.ID, RegistrationNumber: "ABCDEFGHIJABCDEFGHIJABCDEFGHIJA"}, "INVALID_INPUT", "registrationNumber"},
			"NumberWithABlank":            {in{PatientID: h.patient.ID, RegistrationNumber: "AB 12"}, "INVALID_INPUT", "registrationNumber"},
		} {
			_, _, err := h.RegisterNhia(testkit.As(t, h.nurse), tc.in)
			refused(t, err, tc.code, tc.field, name)
		}
		require.Equal(t, 2, count(t, db.Client.NhiaMembership.Query()))
		_, _, err := h.RegisterNhia(testkit.As(t, h.nurse), in{PatientID: was.ID, RegistrationNumber: ended.RegistrationNumber, RegisteredOn: ptr(day(t, "2025-01-11"))})
		require.NoError(t, err, "from the day after on")
	})
}

func TestDeactivateNhia_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		testkit.Membership(t, db, h.patient, day(t, "2025-01-10"))
		other := testkit.Patient(t, db)
		testkit.Membership(t, db, other, day(t, "2025-01-01"), func(c *ent.NhiaMembershipCreate) { c.SetEndedOn(day(t, "2025-01-10")) })
		type in = hospital.DeactivateNhiaInput
		for name, tc := range map[string]struct {
			in          in
			code, field string
		}{
			"NoSuchPatient":  {in{PatientID: unknown}, "NOT_FOUND", "patientId"},
			"NoMemberNow":    {in{PatientID: other.ID}, "ILLEGAL_STATUS", "patientId"},
			"Tomorrow":       {in{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-16"))}, "DATE_IN_FUTURE", "endedOn"},
			"BeforeItsFirst": {in{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-09"))}, "INVALID_INPUT", "endedOn"},
		} {
			_, _, err := h.DeactivateNhia(testkit.As(t, h.nurse), tc.in)
			refused(t, err, tc.code, tc.field, name)
		}
		ended, _, err := h.DeactivateNhia(testkit.As(t, h.nurse), in{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-10"))})
		require.NoError(t, err, "a membership of one day")
		require.Equal(t, day(t, "2025-01-10"), *ended.EndedOn)
	})
}

// Who is a member is told date by date, for many at once, also to who does not see memberships.
func TestIsExempt(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		always, once, never := testkit.Patient(t, db), testkit.Patient(t, db), testkit.Patient(t, db)
		testkit.Membership(t, db, always, day(t, "2025-01-10"))
		testkit.Membership(t, db, once, day(t, "2025-01-05"), func(c *ent.NhiaMembershipCreate) { c.SetEndedOn(day(t, "2025-01-14")) })
		ids := []uuid.UUID{always.ID, once.ID, never.ID}
		for date, want := range map[string]map[uuid.UUID]bool{
			"2025-01-04": {}, "2025-01-05": {once.ID: true}, "2025-01-10": {always.ID: true, once.ID: true},
			"2025-01-14": {always.ID: true, once.ID: true}, "2025-01-15": {always.ID: true},
		} {
			got, err := h.IsExempt(testkit.As(t, never), ids, day(t, date))
			require.NoError(t, err)
			require.Equal(t, want, got, date)
		}
		got, err := h.ExemptToday(t.Context(), ids)
		require.NoError(t, err)
		require.Equal(t, map[uuid.UUID]bool{always.ID: true}, got)
	})
}

// Of two patients who register with one number at once, and of two who register one patient, one has it.
func TestRegisterNhia_AtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		for _, tc := range []struct {
			patients []uuid.UUID
			numbers  []string
		}{
			{[]uuid.UUID{h.fresh(t), h.fresh(t)}, []string{"SAME", "SAME"}},
			{[]uuid.UUID{h.patient.ID, h.patient.ID}, []string{"ONE", "TWO"}},
		} {
			errs := make([]error, 10)
			var g errgroup.Group
			for i := range errs {
				g.Go(func() error {
					_, _, errs[i] = h.RegisterNhia(testkit.As(t, h.nurse), hospital.RegisterNhiaInput{PatientID: tc.patients[i%2], RegistrationNumber: tc.numbers[i%2]})
					return nil
				})
			}
			require.NoError(t, g.Wait())
			winner := slices.Index(errs, nil)
			for i, err := range errs {
				switch {
				case i == winner:
				case tc.patients[i%2] == tc.patients[winner%2]:
					refused(t, err, "CONFLICT", "patientId")
				default:
					refused(t, err, "CONFLICT", "registrationNumber")
				}
			}
		}
		require.Equal(t, 2, count(t, db.Client.NhiaMembership.Query()))
	})
}

// Nothing depends on when the job ran: dates before the change are charged by what held then.
func TestDeactivateNhia_DatesOfTheMembershipStayFree(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		testkit.Membership(t, db, h.patient, day(t, "2025-01-01"))
		h.admit(t)
		clk.Advance(72 * time.Hour) // to the 18th
		_, posted, err := h.DeactivateNhia(testkit.As(t, h.nurse), hospital.DeactivateNhiaInput{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-16"))})
		require.NoError(t, err)
		dates := make([]civil.Date, len(posted))
		for i, p := range posted {
			dates[i] = *p.ChargeDate
		}
		require.Equal(t, []civil.Date{day(t, "2025-01-17"), day(t, "2025-01-18")}, dates)
	})
}

// The fee follows the membership on the date of the admission, whenever that is entered; it is never there twice, and one that was waived by hand stays away.
func TestNhia_SettlesTheFee(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk, withFee)
		nurse := testkit.As(t, h.nurse)
		h.admit(t, h.since(10*time.Hour)) // from the 15th, 00:00
		register := func(number, from string) []*ent.WalletTransaction {
			_, reversed, err := h.RegisterNhia(nurse, hospital.RegisterNhiaInput{PatientID: h.patient.ID, RegistrationNumber: number, RegisteredOn: ptr(day(t, from))})
			require.NoError(t, err)
			return reversed
		}
		end := func(on string) []*ent.WalletTransaction {
			_, posted, err := h.DeactivateNhia(nurse, hospital.DeactivateNhiaInput{PatientID: h.patient.ID, EndedOn: ptr(day(t, on))})
			require.NoError(t, err)
			return posted
		}
		clk.Advance(24 * time.Hour)
		require.Len(t, register("ONE", "2025-01-16"), 1, "from the day after on: the fee stands")
		require.Len(t, end("2025-01-16"), 0)
		books := []string{
			"ADMISSION_FEE -25.00", "DAILY_ADMISSION_CHARGE 2025-01-15 -150.00", "DAILY_ADMISSION_CHARGE 2025-01-16 -150.00", "REVERSAL 2025-01-16 150.00",
		}
		require.Equal(t, books, h.ledger(t, h.patient))

		other := newHouse(t, db, clk, withFee)
		h.patient, h.bed = other.patient, other.bed
		a := h.admit(t, h.since(10*time.Hour)) // on the 16th
		reversed := register("TWO", "2025-01-14")
		books = []string{"ADMISSION_FEE -25.00", "DAILY_ADMISSION_CHARGE 2025-01-16 -150.00", "REVERSAL 25.00", "REVERSAL 2025-01-16 150.00"}
		require.Equal(t, books, h.ledger(t, h.patient))
		require.Len(t, reversed, 2)
		require.Equal(t, "REV-FEE-"+a.ID.String(), reversed[0].Reference)
		posted := end("2025-01-15")
		require.Len(t, posted, 2)
		require.Equal(t, "FEE-"+a.ID.String()+"-1", posted[0].Reference)
		require.EqualValues(t, -25_00, posted[0].AmountMinor)
		require.Len(t, register("TWO", "2025-01-16"), 2)
		posted = end("2025-01-16")
		require.Empty(t, posted, "its date is covered still")
		_, plan, err := h.TransferPatient(nurse, hospital.TransferPatientInput{AdmissionID: a.ID, BedID: testkit.Bed(t, db, h.ward).ID})
		require.NoError(t, err)
		require.True(t, plan.AdmissionFee.IsZero())
	})
}

// A member who turns out to have been none owes the fee that was not asked for; a fee that a biller has waived stays waived.
func TestNhia_FeesThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk, withFee)
		nurse := testkit.As(t, h.nurse)
		testkit.Membership(t, db, h.patient, day(t, "2025-01-01"))
		a := h.admit(t)
		require.Empty(t, h.ledger(t, h.patient))
		_, posted, err := h.DeactivateNhia(nurse, hospital.DeactivateNhiaInput{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-14"))})
		require.NoError(t, err)
		require.Len(t, posted, 1)
		require.Equal(t, "FEE-"+a.ID.String(), posted[0].Reference)

		h.patient, h.bed = testkit.Patient(t, db), testkit.Bed(t, db, h.ward)
		a = h.admit(t)
		fee, err := db.Client.WalletTransaction.Query().Where(wallettransaction.AdmissionID(a.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		_, _, err = h.Wallets.ReverseTransaction(testkit.As(t, h.biller), wallet.ReverseWalletTransactionInput{
			TransactionID: fee.ID, Reason: "Waived.", IdempotencyKey: ptr("key"),
		})
		require.NoError(t, err)
		_, reversed, err := h.RegisterNhia(nurse, hospital.RegisterNhiaInput{
			PatientID: h.patient.ID, RegistrationNumber: "ONE", RegisteredOn: ptr(day(t, "2025-01-14")),
		})
		require.NoError(t, err)
		require.Empty(t, reversed)
		_, posted, err = h.DeactivateNhia(nurse, hospital.DeactivateNhiaInput{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-14"))})
		require.NoError(t, err)
		require.Empty(t, posted)
		require.Equal(t, []string{"ADMISSION_FEE -25.00", "REVERSAL 25.00"}, h.ledger(t, h.patient))
	})
}

// Admissions that are over count too, as far as the change touches their dates.
func TestNhia_SettlesWhatIsOver(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse := testkit.As(t, h.nurse)
		a := h.admit(t, h.since(106*time.Hour)) // from Saturday the 11th, 00:00, to Tuesday the 14th, 00:00
		_, err := h.DischargePatient(nurse, hospital.DischargePatientInput{AdmissionID: a.ID, DischargedAt: ptr(clk.Now().Add(-34 * time.Hour))})
		require.NoError(t, err)
		dates := func(rows []*ent.WalletTransaction) (list []string) {
			for _, r := range rows {
				list = append(list, r.ChargeDate.String())
			}
			return list
		}
		_, reversed, err := h.RegisterNhia(nurse, hospital.RegisterNhiaInput{PatientID: h.patient.ID, RegistrationNumber: "ONE", RegisteredOn: ptr(day(t, "2025-01-12"))})
		require.NoError(t, err)
		require.Equal(t, []string{"2025-01-12", "2025-01-13"}, dates(reversed))
		_, posted, err := h.DeactivateNhia(nurse, hospital.DeactivateNhiaInput{PatientID: h.patient.ID, EndedOn: ptr(day(t, "2025-01-12"))})
		require.NoError(t, err)
		require.Equal(t, []string{"2025-01-13"}, dates(posted))
		_, reversed, err = h.RegisterNhia(nurse, hospital.RegisterNhiaInput{PatientID: h.patient.ID, RegistrationNumber: "TWO", RegisteredOn: ptr(day(t, "2025-01-14"))})
		require.NoError(t, err)
		require.Empty(t, reversed, "the discharge's date is not owed")
	})
}
