package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/process"
)

const (
	outageDays     = 30
	outagePeople   = 150
	outageKills    = 5
	outageRate     = 420_00
	outagePatience = 3 * time.Minute // with the machine
)

// TestCharges_KilledWhileCatchingUp: after an outage of thirty days the program charges every date of 150 admissions and is killed again and again meanwhile. Each date is
// charged once, in order, and the books are whole.
func TestCharges_KilledWhileCatchingUp(t *testing.T) {
	testkit.Long(t)
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			database := testkit.URL(t, engine)
			db := testkit.OpenURL(t, store.Config{URL: database}, system)
			name := aroundNoon()
			zone, err := civil.LoadZone(name)
			require.NoError(t, err)
			today := civil.DateOf(system.Now(), zone)
			admin := seedOutage(t, db, zone, today)

			settings := map[string]string{"PRACTICE_TIMEZONE": name}
			servers := []*process.Server{process.Start(t, database, settings)}
			if engine == testkit.Postgres {
				servers = append(servers, process.Start(t, database, settings))
			}
			for n := range outageKills {
				awaitCharges(t, db, outagePeople*outageDays*(n+1)/(outageKills+2))
				for _, s := range servers {
					s.Kill()
				}
				testkit.Write(t, db, func(ctx context.Context) error { // the minutes for which the dead keep their run go by
					return db.Client.JobRun.Update().Where(jobrun.StateEQ(jobrun.StateRUNNING)).SetLeaseUntil(system.Now()).Exec(ctx)
				})
				for _, s := range servers {
					s.Restart(t)
				}
			}
			awaitCharges(t, db, outagePeople*outageDays)
			requireChargedOnce(t, db, today)
			found := testkit.NewClient(t, servers[0].URL).SignIn(t, admin.Email, testkit.Password).
				Do(t, `{ verifyLedger { isWhole wallets transactions fault { problem } } trialBalance { isBalanced } }`, nil).NoErrors(t)
			require.Equal(t, []any{true, outagePeople, outagePeople * outageDays, true},
				[]any{found.Get("verifyLedger.isWhole"), found.Int("verifyLedger.wallets"), found.Int("verifyLedger.transactions"), found.Get("trialBalance.isBalanced")})
		})
	}
}

// aroundNoon is a zone in which it is about noon: no date is due while the test runs.
func aroundNoon() string {
	switch east := 12 - system.Now().UTC().Hour(); { // the names count to the west
	case east > 0:
		return fmt.Sprintf("Etc/GMT-%d", east)
	case east < 0:
		return fmt.Sprintf("Etc/GMT+%d", -east)
	default:
		return "Etc/GMT"
	}
}

// seedOutage fills a ward a day before the last run of the job, and lets the job's ledger end there.
func seedOutage(t *testing.T, db *store.DB, zone *time.Location, today civil.Date) *ent.User {
	t.Helper()
	w := testkit.Ward(t, db)
	testkit.WardRate(t, db, w, today.AddDays(-outageDays-10), outageRate)
	last := civil.StartOfDay(today.AddDays(-outageDays), zone)
	for range outagePeople {
		testkit.Admission(t, db, testkit.Bed(t, db, w), testkit.Record(t, db), last.Add(time.Hour))
	}
	testkit.Write(t, db, func(ctx context.Context) error {
		return db.Client.JobRun.Create().SetJob("daily-admission-charges").SetOccurrence(last).SetFirstOccurrence(last).SetState(jobrun.StateRAN).
			SetCause(jobrun.CauseSCHEDULE).SetAttempts(1).SetStartedAt(last).SetFinishedAt(last).Exec(ctx)
	})
	return testkit.User(t, db, access.Admin)
}

// awaitCharges waits until so many charges stand.
func awaitCharges(t *testing.T, db *store.DB, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return db.Client.WalletTransaction.Query().CountX(testkit.System(t)) >= n
	}, outagePatience, 5*time.Millisecond)
}

// requireChargedOnce checks that every admission owes what it was charged: each date once, in order.
func requireChargedOnce(t *testing.T, db *store.DB, today civil.Date) {
	t.Helper()
	rows, err := db.Client.WalletTransaction.Query().Order(wallettransaction.ByWalletID(), wallettransaction.ByPosition()).All(testkit.System(t))
	require.NoError(t, err)
	require.Len(t, rows, outagePeople*outageDays)
	next := map[uuid.UUID]civil.Date{}
	for _, row := range rows {
		wanted, seen := next[*row.AdmissionID]
		if !seen {
			wanted = today.AddDays(1 - outageDays)
		}
		require.Equal(t, []any{wallettransaction.KindDAILY_ADMISSION_CHARGE, wanted, int64(-outageRate)}, []any{row.Kind, *row.ChargeDate, row.AmountMinor})
		next[*row.AdmissionID] = wanted.AddDays(1)
	}
	require.Len(t, next, outagePeople)
	runs, err := db.Client.JobRun.Query().Where(jobrun.Job("daily-admission-charges"), jobrun.StateIn(jobrun.StateRAN, jobrun.StateCAUGHT_UP)).All(testkit.System(t))
	require.NoError(t, err)
	again := 0
	for _, run := range runs {
		again += max(run.Attempts-1, 0)
	}
	t.Logf("%d dates, %d runs were taken up again after a kill", len(runs)-1, again)
	require.GreaterOrEqual(t, len(runs), outageDays)
}
