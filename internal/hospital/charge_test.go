package hospital_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// office charges a hospital with a ward of 250.00 a day.
type office struct {
	*hospital.Service
	t    *testing.T
	db   *store.DB
	clk  *clock.Fake
	ward *ent.Ward
}

func newOffice(t *testing.T, db *store.DB, clk *clock.Fake, change ...func(*hospital.Config)) *office {
	t.Helper()
	h := &office{Service: newService(t, db, change...), t: t, db: db, clk: clk, ward: testkit.Ward(t, db)}
	testkit.WardRate(t, db, h.ward, day(t, "2020-01-01"), 250_00)
	return h
}

// admitted is a new patient in a bed of the ward since an instant, of whom nothing was charged.
func (h *office) admitted(at time.Time) *ent.Admission {
	h.t.Helper()
	return testkit.Admission(h.t, h.db, testkit.Bed(h.t, h.db, h.ward), testkit.Record(h.t, h.db), at)
}

// at is what the clocks of the practice show.
func (h *office) at(s string) time.Time { return wall(h.t, h.Zone, s) }

func (h *office) charge(d string, change ...func(*hospital.ChargeInput)) *hospital.ChargeResult {
	h.t.Helper()
	in := hospital.ChargeInput{Date: day(h.t, d)}
	for _, f := range change {
		f(&in)
	}
	result, err := h.ChargeDate(testkit.System(h.t), in)
	require.NoError(h.t, err)
	return result
}

func dry(in *hospital.ChargeInput) { in.IsDry = true }

func alone(a *ent.Admission) func(*hospital.ChargeInput) {
	return func(in *hospital.ChargeInput) { in.AdmissionID = &a.ID }
}

// books are the rows of the ledger as text: date, kind, amount, reference.
func (h *office) books() []string { return booksOf(h.t, h.db) }

func booksOf(t require.TestingT, db *store.DB) []string {
	rows, err := db.Client.WalletTransaction.Query().Order(wallettransaction.ByID()).All(access.System(context.Background(), "test"))
	require.NoError(t, err)
	list := make([]string, len(rows))
	for i, row := range rows {
		d := "-"
		if row.ChargeDate != nil {
			d = row.ChargeDate.String()
		}
		list[i] = fmt.Sprintf("%s %s %s %s", d, row.Kind, aud(row.AmountMinor).Decimal(), row.CounterAccount)
	}
	return list
}

// Every admission that was in hospital at the date's first instant is charged, also one that has ended since, and the books show how.
func TestChargeDate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		stays, left := h.admitted(h.at("2025-01-10 09:00")), h.admitted(h.at("2025-01-10 10:00"))
		testkit.Discharge(t, db, left, h.at("2025-01-15 07:00"))
		gone := h.admitted(h.at("2025-01-10 09:00"))
		testkit.Discharge(t, db, gone, h.at("2025-01-14 23:00"))
		h.admitted(h.at("2025-01-15 08:00"))
		result := h.charge("2025-01-15")
		assert.Equal(t, hospital.ChargeTotals{Processed: 2, Charged: 2, Amount: aud(500_00)}, result.Totals)
		assert.Empty(t, result.Skipped)
		require.Len(t, result.Entries, 2)
		assert.Equal(t, hospital.ChargeEntry{
			AdmissionID: stays.ID, PatientID: stays.PatientID, ChargeDate: day(t, "2025-01-15"), Amount: aud(250_00), WardID: h.ward.ID,
			Reference: "DAC-" + stays.ID.String() + "-2025-01-15",
		}, result.Entries[0])
		assert.Equal(t, left.ID, result.Entries[1].AdmissionID)
		row, err := db.Client.WalletTransaction.Query().Where(wallettransaction.AdmissionID(stays.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, wallettransaction.KindDAILY_ADMISSION_CHARGE, row.Kind)
		assert.Equal(t, wallettransaction.CounterAccountWARD_REVENUE, row.CounterAccount)
		assert.EqualValues(t, -250_00, row.AmountMinor)
		assert.EqualValues(t, -250_00, row.BalanceAfterMinor)
		assert.Equal(t, 0, *row.ChargeSequence)
		assert.Equal(t, result.Entries[0].Reference, row.Reference)
	})
}

// Run again, a date posts nothing, whatever else was charged.
func TestChargeDate_Again(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		h.admitted(h.at("2025-01-10 09:00"))
		h.charge("2025-01-14")
		h.charge("2025-01-15")
		before := h.books()
		again := h.charge("2025-01-14")
		assert.Equal(t, hospital.ChargeTotals{Processed: 1, Skipped: 1, Amount: aud(0)}, again.Totals)
		assert.Equal(t, hospital.AlreadyCharged, again.Skipped[0].Reason)
		assert.Equal(t, before, h.books())
		late := h.admitted(h.at("2025-01-12 09:00"))
		again = h.charge("2025-01-14")
		assert.Equal(t, hospital.ChargeTotals{Processed: 2, Charged: 1, Skipped: 1, Amount: aud(250_00)}, again.Totals)
		assert.Equal(t, late.ID, again.Entries[0].AdmissionID)
	})
}

func TestChargeDate_LeavesOut(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		since, d := h.at("2025-01-10 09:00"), day(t, "2025-01-15")
		member := h.admitted(since)
		testkit.Membership(t, db, testkitPatient(t, db, member), d)
		free := testkit.Admission(t, db, testkit.Bed(t, db, testkit.Ward(t, db)), testkit.Record(t, db), since)
		homeless := testkit.Record(t, db)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Admission.Create().SetPatientID(homeless.ID).SetAdmittedAt(since).Exec(ctx)
		})
		charged, today := h.admitted(since), h.admitted(h.at("2025-01-15 08:00"))
		h.charge("2025-01-15", alone(charged))
		result := h.charge("2025-01-15")
		reasons := map[uuid.UUID]hospital.SkipReason{}
		for _, skip := range result.Skipped {
			assert.Equal(t, d, skip.ChargeDate)
			reasons[skip.AdmissionID] = skip.Reason
		}
		assert.Equal(t, hospital.NHIAExempt, reasons[member.ID])
		assert.Equal(t, hospital.ZeroRate, reasons[free.ID])
		assert.Equal(t, hospital.AlreadyCharged, reasons[charged.ID])
		assert.Len(t, reasons, 4)
		assert.Equal(t, map[hospital.SkipReason]int{hospital.NHIAExempt: 1, hospital.ZeroRate: 1, hospital.AlreadyCharged: 1, hospital.NoBed: 1}, result.Reasons)
		assert.Equal(t, hospital.ChargeTotals{Processed: 4, Exempt: 1, Skipped: 4, Amount: aud(0)}, result.Totals)
		named := h.charge("2025-01-15", alone(today))
		require.Len(t, named.Skipped, 1)
		assert.Equal(t, hospital.NotAdmitted, named.Skipped[0].Reason)
	})
}

func testkitPatient(t *testing.T, db *store.DB, a *ent.Admission) *ent.Patient {
	t.Helper()
	p, err := db.Client.Patient.Get(testkit.System(t), a.PatientID)
	require.NoError(t, err)
	return p
}

func TestChargeDate_Refuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a, biller, doctor := h.admitted(h.at("2025-01-10 09:00")), testkit.As(t, access.Biller), testkit.As(t, access.Clinician)
		_, err := h.ChargeDate(biller, hospital.ChargeInput{Date: day(t, "2025-01-16"), IsDry: true})
		require.ErrorIs(t, err, hospital.ErrDateInFuture)
		_, err = h.ChargeDate(doctor, hospital.ChargeInput{Date: day(t, "2025-01-15"), AdmissionID: &a.ID})
		require.ErrorIs(t, err, fault.ErrNotFound)
		_, err = h.ChargeDate(biller, hospital.ChargeInput{Date: day(t, "2025-01-15"), AdmissionID: &uuid.Nil})
		require.ErrorIs(t, err, fault.ErrNotFound)
		assert.Empty(t, h.books())
	})
}

// Who was in hospital at the first instant is found once, wherever he or she has lain since, and also when the admission is over by now.
func TestChargeDate_FindsWhoWasThere(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		nurse := testkit.As(t, testkit.User(t, db, access.Nurse))
		all := h.crowd(4)
		moved, left, before, atMidnight := all[0], all[1], all[2], all[3]
		testkit.Discharge(t, db, before, h.at("2025-01-11 09:00"))
		testkit.Discharge(t, db, atMidnight, h.at("2025-01-12 00:00"))
		for range 2 {
			clk.Advance(time.Minute)
			_, _, err := h.TransferPatient(nurse, hospital.TransferPatientInput{AdmissionID: moved.ID, BedID: testkit.Bed(t, db, h.ward).ID})
			require.NoError(t, err)
		}
		testkit.Discharge(t, db, left, h.at("2025-01-12 00:01"))
		h.PerBatch(2)
		result := h.charge("2025-01-12", dry)
		assert.Equal(t, 2, result.Totals.Processed)
		require.Len(t, result.Entries, 1)
		assert.Equal(t, left.ID, result.Entries[0].AdmissionID)
		assert.Equal(t, moved.ID, result.Skipped[0].AdmissionID, "a transfer has settled it")
	})
}

// A dry run returns exactly what the run after it posts, and writes nothing.
func TestChargeDate_DryRun(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		first := h.admitted(h.at("2025-01-10 09:00"))
		h.admitted(h.at("2025-01-12 09:00"))
		testkit.Membership(t, db, testkitPatient(t, db, h.admitted(h.at("2025-01-10 09:00"))), day(t, "2025-01-01"))
		h.Spoil(func(e hospital.ChargeEntry) error { return errors.New("spoilt") })
		h.charge("2025-01-14", alone(first)) // fails: the next run tries that date too
		h.Spoil(nil)
		preview := h.charge("2025-01-15", dry)
		assert.Empty(t, h.books())
		assert.Zero(t, db.Client.Wallet.Query().CountX(testkit.System(t)), "no wallet is made either")
		real := h.charge("2025-01-15")
		assert.Equal(t, preview, real)
		assert.Len(t, real.Entries, 3)
		var posted []string
		for _, row := range db.Client.WalletTransaction.Query().Order(wallettransaction.ByID()).AllX(testkit.System(t)) {
			posted = append(posted, row.Reference)
		}
		var shown []string
		for _, e := range preview.Entries {
			shown = append(shown, e.Reference)
		}
		assert.Equal(t, shown, posted)
	})
}

// A batch takes as many statements for many admissions as for a few.
func TestChargeDate_NumberOfStatements(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		count := func(d string) int64 {
			var trips atomic.Int64
			_, err := h.ChargeDate(store.CountRoundTrips(testkit.System(t), &trips), hospital.ChargeInput{Date: day(t, d)})
			require.NoError(t, err)
			return trips.Load()
		}
		testkit.Membership(t, db, testkitPatient(t, db, h.admitted(h.at("2025-01-10 09:00"))), day(t, "2025-01-01"))
		h.admitted(h.at("2025-01-10 09:00"))
		few := count("2025-01-12")
		h.crowd(40)
		assert.LessOrEqual(t, count("2025-01-13"), few+4, "but for those of the audit, whose rows go by powers of two")
		assert.LessOrEqual(t, few, int64(22))
		assert.Less(t, count("2025-01-13"), few/2, "what is done is seen without a transaction")
	})
}
