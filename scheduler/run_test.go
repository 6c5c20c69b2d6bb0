package scheduler

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestRunDue_ANewJobBeginsNow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{}
		s := instance(t, db, clk, w.job("hourly", Every(time.Hour), RunEvery))
		clk.Advance(20 * time.Minute)
		require.Zero(t, due(t, s, "hourly"))
		anchor := newest(t, db, "hourly")
		assert.Equal(t, jobrun.StateSKIPPED, anchor.State)
		assert.Equal(t, isNew, anchor.Reason)
		assert.Equal(t, testkit.Start, anchor.Occurrence.UTC())
		clk.Advance(40 * time.Minute)
		require.Equal(t, 1, due(t, s, "hourly"))
		require.Zero(t, due(t, s, "hourly"), "it has run")
		run := newest(t, db, "hourly")
		assert.Equal(t, jobrun.StateRAN, run.State)
		assert.Equal(t, map[string]int{"done": 1}, run.Counts)
		assert.Equal(t, 1, run.Attempts)
		assert.NotNil(t, run.FinishedAt)
		assert.Nil(t, run.LeaseUntil)
	})
}

// After an outage of five hours and a half.
func TestRunDue_CatchingUp(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{}
		s := instance(t, db, clk, w.job("every", Every(time.Hour), RunEvery), w.job("latest", Every(time.Hour), RunLatest),
			w.job("fresh", Every(10*time.Minute), RunFresh)) // for 40 minutes
		hour := func(n int) time.Time { return testkit.Start.Add(time.Duration(n) * time.Hour) }
		for _, name := range []string{"every", "latest", "fresh"} {
			due(t, s, name)
		}
		clk.Advance(5*time.Hour + 30*time.Minute)
		require.Equal(t, 5, due(t, s, "every"))
		require.Equal(t, 1, due(t, s, "latest"))
		require.Equal(t, 4, due(t, s, "fresh"))
		assert.Equal(t, []time.Time{hour(0), hour(1), hour(2), hour(3), hour(4), hour(5)}, w.of("every"), "in order")
		assert.Equal(t, []time.Time{hour(0), hour(5)}, w.of("latest"))
		assert.Equal(t, []time.Time{hour(0), hour(5), hour(5).Add(10 * time.Minute), hour(5).Add(20 * time.Minute), hour(5).Add(30 * time.Minute)}, w.of("fresh"))
		for name, schedule := range map[string]Schedule{"every": Every(time.Hour), "latest": Every(time.Hour), "fresh": Every(10 * time.Minute)} {
			requireWhole(t, schedule, rows(t, db, name), clk.Now())
		}
		skipped := rows(t, db, "latest")[2]
		assert.Equal(t, 4, skipped.Occurrences, "in one row")
		assert.Equal(t, isOlder, skipped.Reason)
		assert.Equal(t, jobrun.StateCAUGHT_UP, newest(t, db, "latest").State)
		assert.Equal(t, jobrun.StateRAN, newest(t, db, "fresh").State, "due now")
	}, testkit.At(testkit.Start))
}

func TestRunDue_AFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		broken := true
		w := &work{fail: func(string, time.Time) error {
			if broken {
				return errBroken
			}
			return nil
		}}
		s := instance(t, db, clk, w.job("every", Every(time.Hour), RunEvery), w.job("latest", Every(10*time.Minute), RunLatest))
		wait := time.Minute
		for try := 1; try <= 9; try++ {
			require.Equal(t, 1, due(t, s, "every"), "try %d", try)
			run := rows(t, db, "every")[1]
			require.Equal(t, jobrun.StateFAILED, run.State)
			require.Equal(t, try, run.Attempts)
			require.Equal(t, clk.Now().Add(wait), run.RetryAt.UTC())
			require.NotContains(t, run.Error, "Smith", "the ledger tells nothing of patients")
			clk.Advance(wait - time.Microsecond)
			require.Zero(t, due(t, s, "every"), "later ones wait for it")
			clk.Advance(time.Microsecond)
			wait = min(2*wait, time.Hour)
		}
		broken = false
		require.Greater(t, due(t, s, "every"), 1)
		requireWhole(t, Every(time.Hour), rows(t, db, "every"), clk.Now())
		order := w.of("every")[9:]
		for i := range order[1:] {
			require.Equal(t, time.Hour, order[i+1].Sub(order[i]))
		}
	})
}

func TestRunDue_AFailedLatestGivesWayToTheNext(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{fail: func(string, time.Time) error { return fault.ErrUnavailable.Because(errBroken) }}
		s := instance(t, db, clk, w.job("latest", Every(10*time.Minute), RunLatest))
		require.Equal(t, 1, due(t, s, "latest"))
		assert.Equal(t, "UNAVAILABLE", newest(t, db, "latest").Error)
		clk.Advance(time.Minute)
		require.Equal(t, 1, due(t, s, "latest"), "it is tried again until")
		clk.Advance(9 * time.Minute)
		require.Equal(t, 1, due(t, s, "latest"), "the next is due")
		list := rows(t, db, "latest")
		require.Len(t, list, 3)
		assert.Equal(t, jobrun.StateFAILED, list[1].State)
		assert.Nil(t, list[1].RetryAt)
		assert.Equal(t, 2, list[1].Attempts)
		assert.Equal(t, 1, list[2].Attempts)
	})
}

func TestRunDue_APanicIsAFailure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{fail: func(string, time.Time) error { panic("Mr Smith") }}
		s := instance(t, db, clk, w.job("daily", Daily(local(0, 0)), RunEvery))
		require.Equal(t, 1, due(t, s, "daily"))
		run := newest(t, db, "daily")
		assert.Equal(t, jobrun.StateFAILED, run.State)
		assert.Contains(t, run.Error, "panicked")
		assert.NotContains(t, run.Error, "Smith")
	})
}

// A runner that vanishes keeps its run for two minutes; then one other takes it over, and its own late answer is not heard.
func TestRunDue_ARunIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		for _, policy := range []CatchUp{RunEvery, RunLatest, RunFresh} {
			w, name := &work{}, strings.ToLower(string(policy))
			job := w.job(name, Daily(local(0, 0)), policy)
			vanished, second, third := instance(t, db, clk, job), instance(t, db, clk, job), instance(t, db, clk, job)
			lost, err := vanished.take(testkit.System(t), vanished.job(name))
			require.NoError(t, err)
			require.NotNil(t, lost)
			clk.Advance(2*time.Minute - time.Second)
			require.Zero(t, due(t, second, name), "it may be alive")
			clk.Advance(time.Second)
			require.Equal(t, 1, due(t, second, name))
			require.Zero(t, due(t, third, name))
			require.NoError(t, vanished.finish(testkit.System(t), vanished.job(name), result{run: lost, at: clk.Now(), err: errBroken}))
			run := newest(t, db, name)
			assert.Equal(t, jobrun.StateRAN, run.State, "the job was begun when it was due")
			assert.Equal(t, 2, run.Attempts)
			assert.Equal(t, second.runner, run.Runner)
			assert.Len(t, w.of(name), 1)
			clk.Set(testkit.Start)
		}
	})
}

func TestRunDue_AVanishedLatestGivesWayToTheNext(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{}
		job := w.job("latest", Every(time.Minute), RunLatest)
		vanished, second := instance(t, db, clk, job), instance(t, db, clk, job)
		_, err := vanished.take(testkit.System(t), vanished.job("latest"))
		require.NoError(t, err)
		clk.Advance(time.Minute)
		require.Zero(t, due(t, second, "latest"), "one run at a time")
		clk.Advance(2 * time.Minute)
		require.Equal(t, 1, due(t, second, "latest"))
		list := rows(t, db, "latest")
		requireWhole(t, Every(time.Minute), list, clk.Now())
		assert.Equal(t, jobrun.StateFAILED, list[1].State)
		assert.Equal(t, errPassed, list[1].Error)
		assert.Equal(t, 2, list[2].Occurrences)
	})
}

// Stop ends what is run, and another instance has it without waiting for the lease.
func TestStop_GivesRunsBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w, begun := &work{}, make(chan struct{}, 1)
		w.during = func(ctx context.Context, _ string) {
			begun <- struct{}{}
			<-ctx.Done()
		}
		job := w.job("daily", Daily(local(0, 0)), RunEvery)
		stopped, second := instance(t, db, clk, job), instance(t, db, clk, job)
		require.NoError(t, stopped.Start(t.Context()))
		<-begun
		require.NoError(t, stopped.Stop())
		w.mu.Lock()
		w.during = nil
		w.mu.Unlock()
		require.Equal(t, 1, due(t, second, "daily"))
		run := newest(t, db, "daily")
		assert.Equal(t, jobrun.StateRAN, run.State)
		assert.Equal(t, 2, run.Attempts)
		_, _, err := stopped.RunNow(testkit.System(t), RunInput{Name: "daily"})
		assert.ErrorIs(t, err, fault.ErrUnavailable)
	})
}

// The lease is renewed while a run lasts, by the clock of the database; when another instance has the run nevertheless, it ends.
func TestExecute_RenewsTheLease(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{}
		renewed := make(chan struct{})
		w.during = func(ctx context.Context, _ string) {
			clk.Advance(time.Second)
			for want := clk.Now(); ctx.Err() == nil; {
				if run := newest(t, db, "daily"); run.LeaseUntil.After(want) {
					close(renewed)
					break
				}
			}
			testkit.Write(t, db, func(ctx context.Context) error {
				return db.Client.JobRun.Update().SetRunner("another").Exec(ctx)
			})
			<-ctx.Done()
		}
		s, err := New(Config{DB: db, Zone: time.UTC, Log: discard(), Jobs: []Job{w.job("daily", Daily(local(0, 0)), RunEvery)}, Lease: 40 * time.Millisecond})
		require.NoError(t, err)
		require.Equal(t, 1, due(t, s, "daily"))
		<-renewed
		run := newest(t, db, "daily")
		assert.Equal(t, jobrun.StateRUNNING, run.State, "it is the other's")
		require.NoError(t, s.Stop())
	})
}

// What the database did not take is written before anything else, without another run.
func TestRunDue_AResultThatWasNotWritten(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{}
		s := instance(t, db, clk, w.job("daily", Daily(local(0, 0)), RunEvery))
		faults := breakRows(db)
		w.during = func(context.Context, string) { faults.set(1) }
		_, err := s.RunDue(t.Context(), "daily")
		require.Error(t, err)
		require.Equal(t, jobrun.StateRUNNING, newest(t, db, "daily").State)
		w.during = nil
		faults.set(0)
		require.Zero(t, due(t, s, "daily"))
		assert.Equal(t, jobrun.StateRAN, newest(t, db, "daily").State)
		assert.Len(t, w.of("daily"), 1)
	})
}

func TestRunDue_UnknownJob(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		_, err := instance(t, db, clk).RunDue(t.Context(), "nothing")
		assert.ErrorIs(t, err, fault.ErrNotFound)
	})
}

func TestNew_TablesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	w := &work{}
	good := w.job("a", Every(time.Minute), RunLatest)
	for name, table := range map[string][]Job{
		"Twice": {good, good}, "NoName": {w.job("", Every(time.Minute), RunLatest)}, "NoSchedule": {w.job("a", Schedule{}, RunLatest)},
		"Seconds": {w.job("a", Every(time.Second), RunLatest)}, "NoPolicy": {w.job("a", Every(time.Minute), "")},
		"NoSuchDay": {w.job("a", Monthly(32, local(0, 0)), RunLatest)}, "NeverFresh": {{Name: "a", Schedule: Every(time.Minute), CatchUp: RunFresh, Run: good.Run}},
	} {
		_, err := New(Config{Zone: time.UTC, Jobs: table})
		assert.Error(t, err, name)
	}
}
