package app_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

const chargeOperation = `mutation($date: Date, $id: ID, $dry: Boolean) { chargeAdmissions(input: {date: $date, admissionId: $id, dryRun: $dry}) {
	run { id status ... on JobRun { job cause counts { name count } } } date
	entries { admissionId patientId chargeDate amount { amount currency } wardId reference } skipped { admissionId reason } failed { admissionId }
	totals { processed charged exempt skipped failed amount { amount } } userErrors { code field } } }`

// inpatients are three in a ward of 250.00 a day since five days, of whom one is exempt.
func inpatients(t *testing.T, db *store.DB) (list []*ent.Admission) {
	t.Helper()
	ward := testkit.Ward(t, db)
	testkit.WardRate(t, db, ward, civil.Date{Year: 2024, Month: time.January, Day: 1}, 250_00)
	for i := range 3 {
		p := testkit.Record(t, db)
		list = append(list, testkit.Admission(t, db, testkit.Bed(t, db, ward), p, testkit.Start.Add(-5*24*time.Hour)))
		if i == 2 {
			testkit.Membership(t, db, p, civil.Date{Year: 2024, Month: time.January, Day: 1})
		}
	}
	return list
}

// A biller sees what would be charged, has one admission charged and then the date, by the job's own run, and again, which posts nothing.
func TestChargeAdmissions(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := serve(t, engine, nil)
		list := inpatients(t, i.DB)
		biller := i.client(t).SignIn(t, testkit.User(t, i.DB, access.Biller).Email, testkit.Password)
		date := map[string]any{"date": "2025-01-15", "dry": true}
		preview := biller.Do(t, chargeOperation, date).NoErrors(t)
		require.Equal(t, 2, preview.Len("chargeAdmissions.entries"))
		require.Equal(t, "500.00", preview.Text("chargeAdmissions.totals.amount.amount"))
		require.Equal(t, "NHIA_EXEMPT", preview.Text("chargeAdmissions.skipped.0.reason"))
		require.Equal(t, list[2].ID.String(), preview.Text("chargeAdmissions.skipped.0.admissionId"))
		require.Zero(t, i.DB.Client.WalletTransaction.Query().CountX(testkit.System(t)))

		one := biller.Do(t, chargeOperation, map[string]any{"id": list[0].ID.String()}).NoErrors(t)
		require.Equal(t, "2025-01-15", one.Text("chargeAdmissions.date"), "today when left out")
		require.Equal(t, preview.Text("chargeAdmissions.entries.0.reference"), one.Text("chargeAdmissions.entries.0.reference"))
		require.Equal(t, 1, one.Int("chargeAdmissions.totals.processed"))

		for _, want := range []struct{ charged, skipped int }{{1, 2}, {0, 3}} {
			whole := biller.Do(t, chargeOperation, map[string]any{"date": "2025-01-15"}).NoErrors(t)
			require.Zero(t, whole.Len("chargeAdmissions.userErrors"))
			require.Equal(t, "SUCCEEDED", whole.Text("chargeAdmissions.run.status"))
			require.Equal(t, "daily-admission-charges", whole.Text("chargeAdmissions.run.job"))
			followed := biller.Do(t, `query($id: ID!) { run(id: $id) { id status } }`, map[string]any{"id": whole.Text("chargeAdmissions.run.id")}).NoErrors(t)
			require.Equal(t, "SUCCEEDED", followed.Text("run.status"))
			require.Equal(t, want.charged, whole.Len("chargeAdmissions.entries"))
			require.Equal(t, want.charged, whole.Int("chargeAdmissions.totals.charged"))
			require.Equal(t, want.skipped, whole.Int("chargeAdmissions.totals.skipped"))
			require.Equal(t, 1, whole.Int("chargeAdmissions.totals.exempt"))
		}
		require.Equal(t, 2, i.DB.Client.WalletTransaction.Query().CountX(testkit.System(t)))

		future := biller.Do(t, chargeOperation, map[string]any{"date": "2025-01-16"})
		require.Equal(t, "DATE_IN_FUTURE", future.Text("chargeAdmissions.userErrors.0.code"))
		require.Equal(t, "date", future.Text("chargeAdmissions.userErrors.0.field.0"))
		none := biller.Do(t, chargeOperation, map[string]any{"id": uuid.NewString()})
		require.Equal(t, "NOT_FOUND", none.Text("chargeAdmissions.userErrors.0.code"))
		nurse := i.client(t).SignIn(t, testkit.User(t, i.DB, access.Nurse).Email, testkit.Password)
		require.Equal(t, "FORBIDDEN", nurse.Do(t, chargeOperation, date).Code())
	})
}

// What an admission costs is read for a list by a few statements, however long it is.
func TestAdmissionCosts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := serve(t, engine, nil)
		list := inpatients(t, i.DB)
		url, trips := counted(t, i)
		nurse := testkit.NewClient(t, url).SignIn(t, testkit.User(t, i.DB, access.Nurse).Email, testkit.Password)
		const document = `query($until: Date!) { admissions(first: 100, orderBy: [{field: ADMITTED_AT, direction: ASC}]) { edges { node { id
			estimatedCost { amount } chargedToDate { amount } projectedCost(until: $until) { amount } } } } }`
		got := nurse.Do(t, document, map[string]any{"until": "2025-01-17"}).NoErrors(t)
		costs := map[string][3]string{}
		for n := range got.Len("admissions.edges") {
			at := func(field string) string {
				return got.Text("admissions.edges." + string(rune('0'+n)) + ".node." + field)
			}
			costs[at("id")] = [3]string{at("estimatedCost.amount"), at("chargedToDate.amount"), at("projectedCost.amount")}
		}
		require.Equal(t, [3]string{"1250.00", "0.00", "1750.00"}, costs[list[0].ID.String()])
		require.Equal(t, [3]string{"0.00", "0.00", "0.00"}, costs[list[2].ID.String()], "of a member")
		for range 20 {
			inpatients(t, i.DB)
		}
		least := int64(math.MaxInt64)
		for try := 0; try < 3 || try < 20 && least > 15; try++ {
			trips.Store(0)
			require.Equal(t, 63, nurse.Do(t, document, map[string]any{"until": "2025-01-17"}).NoErrors(t).Len("admissions.edges"))
			least = min(least, trips.Load())
		}
		require.LessOrEqual(t, least, int64(15))
		require.Equal(t, "INVALID_INPUT", nurse.Do(t, document, map[string]any{"until": "2026-01-17"}).Code())
		doctor := i.client(t).SignIn(t, testkit.User(t, i.DB, access.Doctor).Email, testkit.Password)
		hidden := doctor.Do(t, document, map[string]any{"until": "2025-01-17"}).NoErrors(t)
		require.Equal(t, 63, hidden.Len("admissions.edges"))
		require.Nil(t, hidden.Get("admissions.edges.0.node.estimatedCost"))
		require.Nil(t, hidden.Get("admissions.edges.0.node.chargedToDate"))
		require.Nil(t, hidden.Get("admissions.edges.0.node.projectedCost"))
	})
}

// chargeCommand runs the job on the command line.
func chargeCommand(t *testing.T, database string, args ...string) (string, error) {
	t.Helper()
	var cli app.Commands
	var out bytes.Buffer
	parser, err := kong.New(&cli)
	require.NoError(t, err)
	parsed, err := parser.Parse(append([]string{"job", "run", "daily-admission-charges", "--database", database}, args...))
	require.NoError(t, err)
	parsed.BindTo(t.Context(), (*context.Context)(nil))
	err = parsed.Run(&app.Environment{Out: &out, Err: &bytes.Buffer{}, Environ: []string{"ENVIRONMENT=development"}})
	return out.String(), err
}

// The command shows what would be posted, charges one admission or a date, and counts for people; it fails when an admission does.
func TestChargeCommand(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		database := testkit.URL(t, engine)
		db := testkit.OpenURL(t, store.Config{URL: database}, clock.NewFake(testkit.Start))
		list := inpatients(t, db)
		out, err := chargeCommand(t, database, "--date", "2025-01-15", "--dry-run")
		require.NoError(t, err)
		assert.Contains(t, out, "dry run, nothing was written")
		assert.Regexp(t, list[0].ID.String()+` +`+list[0].PatientID.String()+` +2025-01-15 +250.00 AUD +DAC-`+list[0].ID.String()+`-2025-01-15\n`, out)
		assert.Regexp(t, `charged +2 +500.00 AUD\n`, out)
		assert.Regexp(t, `NHIA_EXEMPT +1\n`, out)
		require.Zero(t, db.Client.WalletTransaction.Query().CountX(testkit.System(t)))

		out, err = chargeCommand(t, database, "--date", "2025-01-15", "--admission", list[1].ID.String())
		require.NoError(t, err)
		assert.Regexp(t, `looked at +1\n`, out)
		out, err = chargeCommand(t, database, "--date", "2025-01-15")
		require.NoError(t, err)
		assert.Regexp(t, `daily-admission-charges of 2025-01-15 +(RAN|CAUGHT_UP)`, out)
		assert.Regexp(t, `looked at +3\n.*charged +1 +250.00 AUD\n.*left out +2\n +ALREADY_CHARGED +1\n +NHIA_EXEMPT +1\nfailed +0`, out)

		foreign := testkit.Ward(t, db)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.WardRate.Create().SetWardID(foreign.ID).SetFromDate(civil.Date{Year: 2024, Month: 1, Day: 1}).SetRateMinor(1).SetCurrency("EUR").Exec(ctx)
		})
		broken := testkit.Admission(t, db, testkit.Bed(t, db, foreign), testkit.Record(t, db), testkit.Start.Add(-24*time.Hour))
		out, err = chargeCommand(t, database, "--date", "2025-01-15")
		require.ErrorContains(t, err, "1 charges could not be posted")
		assert.Regexp(t, `FAILED +DATE +TRIES +WHY\n`+broken.ID.String()+` +2025-01-15 +3 +An unknown error`, out)
		for wrong, args := range map[string]string{
			"not a date": "--date yesterday", "not the id": "--admission x", "still to come": "--date 2999-01-01", "not due at that time": "--occurrence 2025-01-15T01:00:00Z",
		} {
			_, err := chargeCommand(t, database, strings.Fields(args)...)
			require.ErrorContains(t, err, wrong)
		}
	})
}
