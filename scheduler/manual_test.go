package scheduler

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func byHand(tb testing.TB, s *Scheduler, ctx context.Context, name string, at *time.Time) *ent.JobRun {
	tb.Helper()
	run, _, err := s.RunNow(ctx, RunInput{Name: name, Occurrence: at})
	require.NoError(tb, err)
	return run
}

func TestRunNow_WhoMay(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w := &work{}
		s := instance(t, db, clk, w.job("daily", Daily(local(0, 0)), RunEvery))
		run := byHand(t, s, testkit.As(t, testkit.User(t, db, access.Admin)), "daily", nil)
		for _, role := range access.Roles[1:] {
			ctx := testkit.As(t, testkit.User(t, db, role))
			_, _, err := s.RunNow(ctx, RunInput{Name: "daily"})
			require.ErrorIs(t, err, fault.ErrForbidden, role)
			_, _, err = s.Advance(ctx, clk.Now().Add(time.Hour), nil)
			require.ErrorIs(t, err, fault.ErrForbidden, role)
			hidden, err := s.Run(ctx, run.ID)
			require.NoError(t, err)
			require.Nil(t, hidden, role)
			n, err := s.Runs(ctx, nil, nil).Count(ctx)
			require.NoError(t, err)
			require.Zero(t, n, role)
		}
		_, _, err := s.RunNow(t.Context(), RunInput{Name: "daily"})
		require.ErrorIs(t, err, fault.ErrForbidden)
	})
}

func TestRunNow_WhatFor(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		s := instance(t, db, clk, w.job("every", Daily(local(0, 0)), RunEvery), w.job("latest", Every(time.Hour), RunLatest))
		day := func(n int) *time.Time { at := testkit.Start.AddDate(0, 0, n); return &at }
		off, future := clk.Now().Add(-time.Minute), clk.Now().Add(time.Hour)
		for want, in := range map[*fault.Error]RunInput{
			errNoJob: {Name: "nothing"}, errNotDue: {Name: "latest", Occurrence: &off}, errInFuture: {Name: "latest", Occurrence: &future},
			errNoDryRun: {Name: "latest", IsDry: true},
		} {
			_, _, err := s.RunNow(ctx, in)
			require.Equal(t, want, err)
		}
		before := byHand(t, s, ctx, "every", day(-3))
		assert.Equal(t, jobrun.StateCAUGHT_UP, before.State, "from before the ledger begins")
		assert.Equal(t, jobrun.CauseMANUAL, before.Cause)
		due(t, s, "every")
		clk.Set(day(2).Add(12 * time.Hour))
		_, _, err := s.RunNow(ctx, RunInput{Name: "every", Occurrence: day(2)})
		require.Equal(t, errOlder, err, "the one before comes first")
		byHand(t, s, ctx, "every", day(1))
		now := byHand(t, s, ctx, "every", nil)
		assert.Equal(t, clk.Now(), now.Occurrence.UTC(), "a row beside the ledger")
		assert.Equal(t, 1, due(t, s, "every"))
		again := byHand(t, s, ctx, "every", day(1))
		assert.Equal(t, 2, again.Attempts, "the same row")
		assert.Equal(t, []time.Time{*day(-3), *day(0), *day(1), now.Occurrence.UTC(), *day(2), *day(1)}, w.of("every"))
		list := rows(t, db, "every")
		require.Len(t, list, 6)
		requireWhole(t, Daily(local(0, 0)), list[1:5], clk.Now())
	})
}

// One occurrence out of many that were skipped leaves the ledger whole.
func TestRunNow_ASkippedOccurrence(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		s := instance(t, db, clk, w.job("latest", Every(time.Hour), RunLatest))
		due(t, s, "latest")
		clk.Advance(10 * time.Hour)
		due(t, s, "latest")
		for _, hour := range []int{1, 5, 9, 10, 5} { // the first, one in the middle, the last, one that ran, one again
			at := testkit.Start.Add(time.Duration(hour) * time.Hour)
			run := byHand(t, s, ctx, "latest", &at)
			require.Equal(t, at, run.Occurrence.UTC())
			require.Equal(t, 1, run.Occurrences)
			requireWhole(t, Every(time.Hour), rows(t, db, "latest"), clk.Now())
		}
		clk.Advance(5 * time.Hour)
		at := clk.Now().Add(-2 * time.Hour)
		byHand(t, s, ctx, "latest", &at) // not accounted for yet
		require.Equal(t, 1, due(t, s, "latest"))
		requireWhole(t, Every(time.Hour), rows(t, db, "latest"), clk.Now())
	})
}

func TestRunNow_ADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		job := w.job("daily", Daily(local(0, 0)), RunEvery)
		job.DryRun = func(_ context.Context, o Occurrence) (Counts, error) {
			return Counts{"would": o.Date.Day}, nil
		}
		s := instance(t, db, clk, job)
		day := testkit.Start.AddDate(0, 0, 5) // also of one to come
		run, counts, err := s.RunNow(ctx, RunInput{Name: "daily", Occurrence: &day, IsDry: true})
		require.NoError(t, err)
		assert.Nil(t, run)
		assert.Equal(t, Counts{"would": 20}, counts)
		assert.Empty(t, rows(t, db, "daily"))
		assert.Empty(t, w.of("daily"))
	})
}

// A run that lasts longer than people wait goes on; meanwhile nobody else runs the job.
func TestRunNow_AnswersInTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w, end := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}, make(chan struct{})
		w.during = func(context.Context, string) { <-end }
		s, err := New(Config{DB: db, Zone: time.UTC, Log: discard(), Jobs: []Job{w.job("daily", Daily(local(0, 0)), RunEvery)}, Patience: time.Millisecond, Clock: clk})
		require.NoError(t, err)
		run := byHand(t, s, ctx, "daily", nil)
		require.Equal(t, jobrun.StateRUNNING, run.State)
		_, _, err = s.RunNow(ctx, RunInput{Name: "daily"})
		require.Equal(t, errIsRun, err)
		require.Zero(t, due(t, s, "daily"))
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, _, err = s.Advance(short, clk.Now().Add(time.Hour), nil)
		require.ErrorIs(t, err, fault.ErrTimeout, "the clock waits for it")
		close(end)
		require.Eventually(t, func() bool {
			run, err = s.Run(ctx, run.ID)
			return err == nil && run.State == jobrun.StateRAN
		}, 20*time.Second, time.Millisecond)
		require.NoError(t, s.Stop())
	})
}

func TestRunNow_IsRecordedAndRepeatable(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		admin, w := testkit.User(t, db, access.Admin), &work{fail: func(string, time.Time) error { return errBroken }}
		recorder := audit.New(db, discard(), audit.Options{})
		recorder.Install()
		s, err := New(Config{DB: db, Zone: time.UTC, Log: discard(), Audit: recorder, Jobs: []Job{w.job("daily", Daily(local(0, 0)), RunEvery)}})
		require.NoError(t, err)
		key := "once"
		clk.Advance(time.Hour)
		var first *ent.JobRun
		for range 3 {
			run, _, err := s.RunNow(testkit.As(t, admin), RunInput{Name: "daily", IdempotencyKey: &key})
			require.NoError(t, err)
			require.Equal(t, jobrun.StateFAILED, run.State)
			require.Nil(t, run.RetryAt, "a person sees it and decides")
			if first == nil {
				first = run
			}
			require.Equal(t, first.ID, run.ID)
			clk.Advance(time.Second)
		}
		require.Len(t, w.of("daily"), 1)
		e, err := db.Client.AuditEvent.Query().Where(auditevent.Entity(ent.TypeJobRun)).Only(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, admin.ID, *e.ActorID)
		assert.Equal(t, first.ID, *e.EntityID)
		require.NoError(t, s.Stop())
	})
}

func TestOccurrenceOn(t *testing.T) {
	t.Parallel()
	w := &work{}
	s, err := New(Config{Zone: zone(t, "Australia/Brisbane"), Jobs: []Job{w.job("weekly", Weekly(time.Monday, local(0, 0)), RunEvery)}})
	require.NoError(t, err)
	at, err := s.OccurrenceOn("weekly", civil.Date{Year: 2025, Month: time.January, Day: 13})
	require.NoError(t, err)
	assert.Equal(t, instantOf(t, "2025-01-13T00:00:00+10:00"), at.UTC())
	_, err = s.OccurrenceOn("weekly", civil.Date{Year: 2025, Month: time.January, Day: 14})
	assert.Equal(t, errNotDue, err)
	_, err = s.OccurrenceOn("nothing", civil.Date{Year: 2025, Month: time.January, Day: 13})
	assert.Equal(t, errNoJob, err)
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		w.fail = func(name string, _ time.Time) error {
			if name == "broken" {
				return errBroken
			}
			return nil
		}
		s := instance(t, db, clk, w.job("good", Every(time.Hour), RunLatest), w.job("broken", Every(time.Hour), RunLatest))
		statuses := func() []Status {
			list, err := s.Statuses(ctx)
			require.NoError(t, err)
			return list
		}
		assert.Nil(t, statuses()[0].LastRun)
		assert.False(t, statuses()[0].IsOverdue, "a job that is new")
		due(t, s, "good")
		due(t, s, "broken")
		list := statuses()
		assert.Equal(t, jobrun.StateRAN, list[0].LastRun.State)
		assert.Equal(t, testkit.Start.Add(time.Hour), list[0].NextAt)
		assert.Equal(t, []bool{false, true}, []bool{list[0].IsOverdue, list[1].IsOverdue})
		clk.Advance(time.Hour + late)
		assert.False(t, statuses()[0].IsOverdue, "a minute")
		clk.Advance(time.Microsecond)
		assert.True(t, statuses()[0].IsOverdue, "more than a minute")
		_, err := s.take(testkit.System(t), s.job("good"))
		require.NoError(t, err)
		assert.False(t, statuses()[0].IsOverdue, "somebody is at it")
	})
}
