package app_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/testkit"
)

const advanceOperation = `mutation($to: DateTime!) { advanceClock(input: {to: $to}) { now occurrences userErrors { code field } } }`

// The clock of a demo moves on and everything follows it: an unpaid appointment is warned of and expires, and who moved the clock stays signed in.
func TestAdvanceClock(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, map[string]string{"ENVIRONMENT": "demo"})
			wanted := testkit.Slot(t, i.DB, testkit.Practitioner(t, i.DB), i.clk.Now().Add(24*time.Hour))
			alice, ada := testkit.Patient(t, i.DB), testkit.User(t, i.DB, access.Admin)
			patient, admin := i.client(t).SignIn(t, alice.Email, testkit.Password), i.client(t).SignIn(t, ada.Email, testkit.Password)
			patient.Do(t, bookOperation, map[string]any{"slot": wanted.ID}).NoErrors(t)
			to := func(d time.Duration) map[string]any {
				return map[string]any{"to": testkit.Start.Add(d).Format(time.RFC3339)}
			}

			moved := admin.Do(t, advanceOperation, to(12*time.Minute)).NoErrors(t)
			require.Equal(t, 0, moved.Len("advanceClock.userErrors"))
			require.Equal(t, "2025-01-15T00:12:00Z", moved.Text("advanceClock.now"))
			require.Equal(t, 3*13+2+1+1+1, moved.Int("advanceClock.occurrences"))
			notices := `{ notifications { edges { node { kind } } } appointments { edges { node { status } } } }`
			seen := patient.Do(t, notices, nil).NoErrors(t)
			require.Equal(t, "PAYMENT_WARNING", seen.Text("notifications.edges.0.node.kind"))

			admin.Do(t, advanceOperation, to(2*time.Hour+30*time.Second)).NoErrors(t)
			require.Equal(t, "PAYMENT_EXPIRED", i.client(t).SignIn(t, alice.Email, testkit.Password).Do(t, notices, nil).NoErrors(t).Text("appointments.edges.0.node.status"))
			back := admin.Do(t, advanceOperation, to(time.Hour))
			require.Equal(t, "INVALID_INPUT", back.Text("advanceClock.userErrors.0.code"))

			table := admin.Do(t, `{ jobs { name catchUp isOverdue lastRun { state status progress counts { name count } } } }`, nil).NoErrors(t)
			require.Equal(t, "session-cleanup", table.Text("jobs.0.name"))
			require.Equal(t, 100, table.Int("jobs.0.lastRun.progress"))
			require.Equal(t, "closed", table.Text("jobs.0.lastRun.counts.0.name"))
			run := admin.Do(t, `mutation { runJob(input: {name: "refunds"}) { run { id } counts { name } } }`, nil).NoErrors(t)
			again := admin.Do(t, `query($id: ID!) { run(id: $id) { id status ... on JobRun { cause } } jobRuns(first: 1, job: "refunds", state: RAN) { totalCount } }`,
				map[string]any{"id": run.Text("runJob.run.id")}).NoErrors(t)
			require.Equal(t, "SUCCEEDED", again.Text("run.status"))
			require.Equal(t, "MANUAL", again.Text("run.cause"))
			require.Equal(t, 2*60+2, again.Int("jobRuns.totalCount"), "one a minute, and the one by hand")
		})
	}
}

func TestAdvanceClock_OnlyInADemo(t *testing.T) {
	t.Parallel()
	i := serve(t, testkit.SQLite, nil)
	admin := i.client(t).SignIn(t, testkit.User(t, i.DB, access.Admin).Email, testkit.Password)
	answer := admin.Do(t, advanceOperation, map[string]any{"to": testkit.Start.Add(time.Hour).Format(time.RFC3339)})
	require.Equal(t, "FORBIDDEN", answer.Text("advanceClock.userErrors.0.code"))
	require.Equal(t, testkit.Start, i.clk.Now())
}

func TestJobCommands(t *testing.T) {
	t.Parallel()
	database := testkit.URL(t, testkit.SQLite)
	run := func(args ...string) (string, error) {
		var cli app.Commands
		var out bytes.Buffer
		parser, err := kong.New(&cli)
		require.NoError(t, err)
		parsed, err := parser.Parse(append(args, "--database", database))
		require.NoError(t, err)
		parsed.BindTo(t.Context(), (*context.Context)(nil))
		err = parsed.Run(&app.Environment{Out: &out, Err: &bytes.Buffer{}, Environ: []string{"ENVIRONMENT=development"}})
		return out.String(), err
	}
	listed, err := run("job", "list")
	require.NoError(t, err)
	assert.Contains(t, listed, "every 10 minutes")
	assert.NotContains(t, listed, "RAN")
	done, err := run("job", "run", "session-cleanup")
	require.NoError(t, err)
	assert.Regexp(t, `(?s)session-cleanup +RAN.*closed +0\n +deleted +0`, done)
	done, err = run("job", "run", "refunds", "--date", "2025-01-15")
	require.NoError(t, err)
	assert.Regexp(t, `refunds +CAUGHT_UP`, done)
	for wrong, args := range map[string]string{
		"no such job": "job run nothing", "no dry run": "job run refunds --dry-run", "still to come": "job run refunds --date 2999-01-01",
	} {
		_, err := run(strings.Fields(args)...)
		require.ErrorContains(t, err, wrong)
	}
	listed, err = run("job", "list")
	require.NoError(t, err)
	assert.Contains(t, listed, "RAN")
}
