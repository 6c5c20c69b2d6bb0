package hospital_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/admission"
	"github.com/caregraph/caregraph/ent/chargefailure"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

const simJob = "daily-admission-charges"

// instance is the program on a database.
type instance struct {
	db     *store.DB
	svc    *hospital.Service
	jobs   *scheduler.Scheduler
	faults *testkit.Faults
}

// world is a hospital with wards, beds and patients, whose rows have numbers.
type world struct {
	t        *testing.T
	zone     *time.Location
	clk      *clock.Fake
	url      string
	desk     instance // without faults, for looking at
	patients []*ent.Patient
	beds     []*ent.Bed
	wards    []*ent.Ward
	staff    *ent.User
	outcomes []string
}

func newWorld(t *testing.T, engine string, zone *time.Location, first civil.Date) *world {
	t.Helper()
	w := &world{t: t, zone: zone, clk: clock.NewFake(civil.StartOfDay(first, zone).Add(8 * time.Hour)), url: testkit.URL(t, engine)}
	w.desk = w.start()
	db := w.desk.db
	w.staff = testkit.User(t, db, access.Admin)
	for range simWards {
		ward := testkit.Ward(t, db)
		testkit.WardRate(t, db, ward, first.AddDays(-30), int64(100_00*(1+len(w.wards))))
		w.wards = append(w.wards, ward)
	}
	for i := range simBeds {
		w.beds = append(w.beds, testkit.Bed(t, db, w.wards[i%simWards]))
	}
	for range simPatients {
		w.patients = append(w.patients, testkit.Record(t, db))
	}
	require.NoError(t, w.look(w.desk))
	return w
}

// start starts the program on the world's database.
func (w *world) start() instance {
	w.t.Helper()
	i := instance{faults: &testkit.Faults{}}
	i.db = testkit.OpenURL(w.t, store.Config{URL: w.url, StatementTimeout: time.Minute, ProbeTimeout: 20 * time.Second, Wrap: i.faults.Wrap, IsScratch: true, MaxConns: 4}, w.clk)
	i.svc = newService(w.t, i.db, func(c *hospital.Config) { c.Zone, c.AdmissionFee = w.zone, money.Amount{Minor: 50_00, Currency: "AUD"} })
	var err error
	i.jobs, err = scheduler.New(scheduler.Config{DB: i.db, Zone: w.zone, Log: quiet, Jobs: []scheduler.Job{{
		Name: simJob, Schedule: scheduler.Daily(civil.LocalTime{}), CatchUp: scheduler.RunEvery,
		Run: func(ctx context.Context, o scheduler.Occurrence) (scheduler.Counts, error) {
			_, err := i.svc.ChargeDue(ctx, o.Date)
			return nil, err
		},
	}}})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = i.jobs.Stop() })
	return i
}

// look lets an instance look at its job once.
func (w *world) look(i instance) error {
	_, err := i.jobs.RunDue(w.t.Context(), simJob)
	return err
}

// does has an instance do what people do, and notes how it came out; ok is false when that is not known.
func (w *world) does(i instance, a act) (ok bool) {
	w.t.Helper()
	err := w.do(testkit.As(w.t, w.staff, access.Nurse, access.Biller), i.svc, a)
	outcome := "done"
	if err != nil {
		list, known := fault.All(err)
		if !known || len(list) == 0 || slices.Contains([]fault.Kind{fault.Internal, fault.Unavailable, fault.Timeout}, list[0].Kind) {
			return false
		}
		outcome = string(list[0].Code)
	}
	w.outcomes = append(w.outcomes, fmt.Sprintf("%d %s %s", a.n, a.kind, outcome))
	return true
}

func (w *world) do(ctx context.Context, s *hospital.Service, a act) (err error) {
	patient, price := w.patients[a.patient].ID, money.Amount{Minor: a.amount, Currency: "AUD"}.Decimal()
	var in uuid.UUID
	if slices.Contains([]string{"transfer", "discharge", "death", "extra"}, a.kind) {
		if in, err = w.newest(patient); err != nil {
			return err
		}
	}
	switch a.kind {
	case "admit":
		_, _, err = s.AdmitPatient(ctx, hospital.AdmitPatientInput{
			PatientID: patient, BedID: w.beds[a.bed].ID, Reason: "x", AdmittedAt: a.when, IdempotencyKey: a.key(),
		})
	case "transfer":
		_, _, err = s.TransferPatient(ctx, hospital.TransferPatientInput{AdmissionID: in, BedID: w.beds[a.bed].ID, IdempotencyKey: a.key()})
	case "discharge":
		_, err = s.DischargePatient(ctx, hospital.DischargePatientInput{AdmissionID: in, DischargedAt: a.when, IdempotencyKey: a.key()})
	case "death":
		_, err = s.RecordDeath(ctx, hospital.RecordDeathInput{AdmissionID: in, DiedAt: a.when, IdempotencyKey: a.key()})
	case "extra":
		_, _, err = s.AddAdmissionCharge(ctx, hospital.AddAdmissionChargeInput{AdmissionID: in, Description: "x", Amount: price, IdempotencyKey: a.key()})
	case "register":
		_, _, err = s.RegisterNhia(ctx, hospital.RegisterNhiaInput{
			PatientID: patient, RegistrationNumber: fmt.Sprintf("SIM-%d", a.n), RegisteredOn: a.on, IdempotencyKey: a.key(),
		})
	case "deactivate":
		_, _, err = s.DeactivateNhia(ctx, hospital.DeactivateNhiaInput{PatientID: patient, EndedOn: a.on, IdempotencyKey: a.key()})
	case "rate":
		_, _, err = s.SetWardRate(ctx, hospital.SetWardRateInput{WardID: w.wards[a.ward].ID, Rate: price, From: a.on, IdempotencyKey: a.key()})
	case "pay":
		_, _, err = s.Wallets.TopUp(ctx, wallet.TopUpWalletInput{PatientID: patient, Amount: price, Method: wallet.Cash, IdempotencyKey: a.key()})
	}
	return err
}

// newest is the patient's newest admission; an id of none when there is none.
func (w *world) newest(patient uuid.UUID) (uuid.UUID, error) {
	id, err := w.desk.db.Client.Admission.Query().Where(admission.PatientID(patient)).Order(ent.Desc(admission.FieldID)).FirstID(testkit.System(w.t))
	if ent.IsNotFound(err) {
		return unknown, nil
	}
	return id, err
}

// books are the rows of the ledger, and the balances, with the world's numbers in place of ids.
func (w *world) books() []string {
	w.t.Helper()
	ctx := testkit.System(w.t)
	names := map[uuid.UUID]string{}
	for i, p := range w.patients {
		names[p.ID] = fmt.Sprintf("patient %d", i)
		for k, a := range w.desk.db.Client.Admission.Query().Where(admission.PatientID(p.ID)).Order(admission.ByID()).AllX(ctx) {
			names[a.ID] = fmt.Sprintf("admission %d of patient %d", k, i)
		}
	}
	var list []string
	for _, row := range w.desk.db.Client.WalletTransaction.Query().AllX(ctx) {
		of, date, sequence, reference := "-", "-", 0, row.Reference
		if row.AdmissionID != nil {
			of = names[*row.AdmissionID]
			reference = strings.ReplaceAll(reference, row.AdmissionID.String(), of)
		}
		if row.ChargeDate != nil {
			date = row.ChargeDate.String()
		}
		if row.ChargeSequence != nil {
			sequence = *row.ChargeSequence
		}
		if strings.Contains(reference, "TX-") { // made from the row's id
			reference = "TX"
		}
		list = append(list, fmt.Sprintf("%s, %s: %s %s-%d %d %s %s", names[row.PatientID], of, row.Kind, date, sequence, row.AmountMinor, row.CounterAccount, reference))
	}
	for _, one := range w.desk.db.Client.Wallet.Query().AllX(ctx) {
		list = append(list, fmt.Sprintf("%s: balance %d after %d", names[one.PatientID], one.BalanceMinor, one.Position))
	}
	slices.Sort(list)
	return list
}

// check holds the books against the rule: what stands is what is owed, nothing is open, and the chains are whole.
func (w *world) check() {
	w.t.Helper()
	ctx := testkit.System(w.t)
	verifyBooks(w.t, w.desk.db)
	require.Zero(w.t, w.desk.db.Client.ChargeFailure.Query().Where(chargefailure.ResolvedAtIsNil()).CountX(ctx))
	wrong, err := w.desk.svc.Unsettled(ctx, w.desk.db.Client.Admission.Query().IDsX(ctx)...)
	require.NoError(w.t, err)
	require.Empty(w.t, wrong)
}

var errTrouble = errors.New("a fault of the simulation")
