package hospital_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var quiet = slog.New(slog.DiscardHandler)

// house is a hospital with one ward, at 150.00 a day since the first of the year, and its people.
type house struct {
	*hospital.Service
	db      *store.DB
	clk     *clock.Fake
	ward    *ent.Ward
	bed     *ent.Bed
	patient *ent.Patient
	nurse   *ent.User
	biller  *ent.User
	admin   *ent.User
	doctor  *ent.Practitioner
}

const dailyMinor = 150_00

func newHouse(tb testing.TB, db *store.DB, clk *clock.Fake, change ...func(*hospital.Config)) *house {
	tb.Helper()
	h := &house{Service: newService(tb, db, change...), db: db, clk: clk}
	h.ward = testkit.Ward(tb, db)
	testkit.WardRate(tb, db, h.ward, day(tb, "2025-01-01"), dailyMinor)
	h.bed = testkit.Bed(tb, db, h.ward)
	h.patient = testkit.Patient(tb, db)
	h.nurse, h.biller, h.admin = testkit.User(tb, db, access.Nurse), testkit.User(tb, db, access.Biller), testkit.User(tb, db, access.Admin)
	h.doctor = testkit.Practitioner(tb, db)
	return h
}

func newService(tb testing.TB, db *store.DB, change ...func(*hospital.Config)) *hospital.Service {
	tb.Helper()
	zone, err := civil.LoadZone(testkit.Zone)
	require.NoError(tb, err)
	c := hospital.Config{
		DB: db, Streams: stream.New(db, nil, quiet), Notify: notify.New(notify.Config{DB: db, Log: quiet}), Audit: audit.New(db, quiet, audit.Options{}), Log: quiet,
		Zone: zone, Currency: "AUD", AdmissionFee: money.Amount{Currency: "AUD"},
	}
	c.Wallets = wallet.New(wallet.Config{DB: db, Streams: c.Streams, Notify: c.Notify, Audit: c.Audit, Log: quiet, Zone: zone, Currency: "AUD"})
	for _, f := range change {
		f(&c)
	}
	return hospital.New(c)
}

// withFee makes admissions cost 25.00.
func withFee(c *hospital.Config) { c.AdmissionFee = money.Amount{Minor: 25_00, Currency: "AUD"} }

// admission is what a nurse enters to admit the house's patient to its bed.
func (h *house) admission(change ...func(*hospital.AdmitPatientInput)) hospital.AdmitPatientInput {
	in := hospital.AdmitPatientInput{PatientID: h.patient.ID, BedID: h.bed.ID, Reason: "Pneumonia."}
	for _, f := range change {
		f(&in)
	}
	return in
}

// admit admits the house's patient to its bed.
func (h *house) admit(t *testing.T, change ...func(*hospital.AdmitPatientInput)) *ent.Admission {
	t.Helper()
	a, _, err := h.AdmitPatient(testkit.As(t, h.nurse), h.admission(change...))
	require.NoError(t, err)
	return a
}

// since lets the admission begin some time ago.
func (h *house) since(d time.Duration) func(*hospital.AdmitPatientInput) {
	return func(in *hospital.AdmitPatientInput) { at := h.clk.Now().Add(-d); in.AdmittedAt = &at }
}

// fresh is the id of a patient who was never here.
func (h *house) fresh(t *testing.T) uuid.UUID {
	t.Helper()
	return testkit.Record(t, h.db).ID
}

// ledger lists what was posted in the patient's wallet, in order, with kind, date and amount.
func (h *house) ledger(t *testing.T, p *ent.Patient) (rows []string) {
	t.Helper()
	all, err := h.db.Client.WalletTransaction.Query().Where(wallettransaction.PatientID(p.ID)).Order(wallettransaction.ByPosition()).All(testkit.System(t))
	require.NoError(t, err)
	for _, r := range all {
		text := string(r.Kind)
		if r.ChargeDate != nil {
			text += " " + r.ChargeDate.String()
		}
		rows = append(rows, text+" "+money.Amount{Minor: r.AmountMinor, Currency: r.Currency}.Decimal())
	}
	return rows
}

// refused checks the outcome's code and field; the field is empty where none is at fault.
func refused(t *testing.T, err error, code, field string, about ...any) {
	t.Helper()
	require.Error(t, err, about...)
	list, known := fault.All(err)
	require.True(t, known, "%v %v", err, about)
	require.Equal(t, fault.Code(code), list[0].Code, about...)
	if field == "" {
		require.Empty(t, list[0].Field, about...)
		return
	}
	require.Equal(t, []string{field}, list[0].Field, about...)
}

func ptr[T any](v T) *T { return &v }

// count counts the rows of a query, as the system.
func count(t *testing.T, q interface {
	Count(ctx context.Context) (int, error)
}) int {
	t.Helper()
	n, err := q.Count(testkit.System(t))
	require.NoError(t, err)
	return n
}

var unknown = uuid.MustParse("01946000-0000-7000-8000-0000000000ff")
