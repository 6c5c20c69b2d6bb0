package app_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
	"github.com/caregraph/caregraph/internal/wallet"
)

// A verification that another instance takes long over is joined, what it finds is told to who asks within five minutes of its end, and then a new run begins.
func TestVerifyLedger_JoinsARun(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{})[0]
		admin := i.Client(t).SignIn(t, testkit.User(t, i.DB, access.Admin).Email, testkit.Password)
		bad := wallet.LedgerFault{WalletID: ids.New("Wallet", testkit.Start), Position: 7, Problem: "The transaction is missing: it was removed."}
		var run uuid.UUID
		now := i.Clock.Now()
		testkit.Write(t, i.DB, func(ctx context.Context) error {
			made, err := i.DB.Client.JobRun.Create().SetJob(wallet.VerifyJob).SetOccurrence(now).SetFirstOccurrence(now).SetState(jobrun.StateRUNNING).
				SetCause(jobrun.CauseMANUAL).SetStartedAt(now).SetLeaseUntil(now.Add(time.Hour)).SetRunner("another").SetAttempts(1).Save(ctx)
			run = made.ID
			return err
		})
		ask := func() (status string, id, isWhole any) {
			got := admin.Do(t, `{ verifyLedger { run { id status } isWhole wallets fault { walletId position problem } } }`, nil).NoErrors(t)
			if got.Text("verifyLedger.run.status") == "FAILED" {
				assert.Equal(t, []any{bad.WalletID.String(), 7, bad.Problem, 3}, []any{got.Text("verifyLedger.fault.walletId"),
					got.Int("verifyLedger.fault.position"), got.Text("verifyLedger.fault.problem"), got.Int("verifyLedger.wallets")})
			}
			return got.Text("verifyLedger.run.status"), got.Text("verifyLedger.run.id"), got.Get("verifyLedger.isWhole")
		}
		for range 2 {
			status, id, isWhole := ask()
			assert.Equal(t, []any{"RUNNING", run.String(), nil}, []any{status, id, isWhole})
		}
		i.Clock.Advance(time.Minute)
		testkit.Write(t, i.DB, func(ctx context.Context) error {
			return i.DB.Client.JobRun.UpdateOneID(run).SetState(jobrun.StateFAILED).SetError(bad.String()).SetCounts(map[string]int{"wallets": 3, "broken": 1}).
				SetFinishedAt(i.Clock.Now()).ClearLeaseUntil().Exec(ctx)
		})
		i.Clock.Advance(5*time.Minute - time.Second)
		status, id, isWhole := ask()
		assert.Equal(t, []any{"FAILED", run.String(), false}, []any{status, id, isWhole})
		i.Clock.Advance(time.Second)
		status, id, isWhole = ask()
		assert.Equal(t, []any{"SUCCEEDED", true}, []any{status, isWhole})
		assert.NotEqual(t, run.String(), id)
		admin.Do(t, topUpOperation, topUpWith(testkit.Patient(t, i.DB).ID, "1.00")).NoErrors(t)
		again := admin.Do(t, `{ verifyLedger { transactions } }`, nil).NoErrors(t)
		assert.Equal(t, 1, again.Int("verifyLedger.transactions"), "a quick run has told what it found: the next call looks again")
	})
}

// A broken ledger is found once a night: the run has failed with the bad row in its error, is not tried again, and administrators are told.
func TestVerifyLedger_IsNotTriedAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{})[0]
		ada := testkit.User(t, i.DB, access.Admin)
		admin := i.Client(t).SignIn(t, ada.Email, testkit.Password)
		admin.Do(t, topUpOperation, topUpWith(testkit.Patient(t, i.DB).ID, "1.00")).NoErrors(t)
		row := i.DB.Client.WalletTransaction.Query().OnlyX(testkit.System(t))
		damage(t, i.DB, row.ID)
		due, err := i.Jobs.OccurrenceOn(wallet.VerifyJob, civil.Date{Year: 2025, Month: time.January, Day: 17})
		require.NoError(t, err)
		_, err = i.Jobs.RunDue(t.Context(), wallet.VerifyJob) // from here on
		require.NoError(t, err)
		i.Clock.Set(due.Add(time.Second))
		_, err = i.Jobs.RunDue(t.Context(), wallet.VerifyJob)
		require.NoError(t, err)
		run := i.DB.Client.JobRun.Query().Where(jobrun.Job(wallet.VerifyJob), jobrun.StateEQ(jobrun.StateFAILED)).OnlyX(testkit.System(t))
		assert.Nil(t, run.RetryAt)
		assert.Contains(t, run.Error, "wallet "+row.WalletID.String()+", position 1: ")
		assert.Equal(t, map[string]int{"wallets": 0, "transactions": 0, "broken": 1}, run.Counts)
		told := i.DB.Client.Notification.Query().Where(notification.UserID(ada.ID), notification.Kind(wallet.KindBroken)).CountX(testkit.System(t))
		assert.Equal(t, 1, told)
		i.Clock.Advance(time.Hour)
		n, err := i.Jobs.RunDue(t.Context(), wallet.VerifyJob)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// The command line looks only: it makes no database and no schema, and fails.
func TestLedgerVerify_ChangesNothing(t *testing.T) {
	t.Parallel()
	verify := func(url string) error {
		var cli app.Commands
		parser, err := kong.New(&cli)
		require.NoError(t, err)
		parsed, err := parser.Parse([]string{"ledger", "verify", "--database", url})
		require.NoError(t, err)
		parsed.BindTo(t.Context(), (*context.Context)(nil))
		return parsed.Run(&app.Environment{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Environ: []string{"ENVIRONMENT=development", "MIGRATE=auto"}})
	}
	missing := filepath.Join(t.TempDir(), "none.db")
	for _, url := range []string{missing, "file:" + missing + "?mode=rwc"} {
		require.ErrorContains(t, verify(url), "there is no database to verify")
		require.NoFileExists(t, missing)
	}
	for _, engine := range testkit.Engines() {
		url := testkit.EmptyURL(t, engine)
		if engine == testkit.SQLite {
			require.NoError(t, os.WriteFile(url, nil, 0o600))
		}
		require.ErrorContains(t, verify(url), "run caregraph migrate")
		current, err := store.IsCurrent(t.Context(), url)
		require.NoError(t, err)
		require.False(t, current)
	}
}
