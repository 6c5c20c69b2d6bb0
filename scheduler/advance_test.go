package scheduler

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func stays(context.Context) error { return nil }

// Every occurrence of every job runs when the clock has reached it, in order; failures are tried again on the way.
func TestAdvance_InOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		type moment struct {
			job string
			at  time.Time
		}
		var seen []moment
		failures := 0
		w.fail = func(job string, at time.Time) error {
			seen = append(seen, moment{job, clk.Now()})
			if job == "every" && at.Equal(testkit.Start.Add(2*time.Hour)) && failures < 2 {
				failures++
				return errBroken
			}
			require.False(t, job == "latest" && !at.Equal(clk.Now()), "each at its own time")
			return nil
		}
		s := instance(t, db, clk, w.job("every", Every(time.Hour), RunEvery), w.job("latest", Every(time.Hour), RunLatest), w.job("daily", Daily(local(2, 30)), RunFresh))
		clk.Advance(30 * time.Minute)
		stayed := 0
		now, n, err := s.Advance(ctx, testkit.Start.Add(3*time.Hour), func(ctx context.Context) error {
			require.True(t, access.From(ctx).Has(access.Admin))
			stayed++
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, testkit.Start.Add(3*time.Hour), now)
		at := func(minutes int) time.Time { return testkit.Start.Add(time.Duration(minutes) * time.Minute) }
		assert.Equal(t, []moment{
			{"every", at(60)}, {"latest", at(60)}, {"every", at(120)}, {"latest", at(120)}, {"every", at(121)}, {"every", at(123)},
			{"daily", at(150)}, {"every", at(180)}, {"latest", at(180)},
		}, seen)
		assert.Equal(t, len(seen), n)
		assert.Equal(t, 6, stayed, "once at each time of the clock")
		for _, j := range s.jobs {
			requireWhole(t, j.Schedule, rows(t, db, j.Name), now)
		}
	})
}

func TestAdvance_Limits(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		s := instance(t, db, clk, w.job("hourly", Every(time.Hour), RunLatest))
		for want, to := range map[*fault.Error]time.Time{
			errNotLater: clk.Now(), errTooFar: clk.Now().Add(maxAdvance + time.Microsecond),
		} {
			_, _, err := s.Advance(ctx, to, stays)
			require.Equal(t, want, err)
		}
		busy := instance(t, db, clk, w.job("busy", Every(time.Minute), RunLatest), w.job("busier", Every(time.Minute), RunLatest))
		_, _, err := busy.Advance(ctx, clk.Now().Add(10_001*time.Minute), stays)
		require.Equal(t, errTooMany, err)
		require.Equal(t, testkit.Start, clk.Now())
		_, n, err := s.Advance(ctx, clk.Now().Add(maxAdvance), stays)
		require.NoError(t, err)
		require.Equal(t, 31*24+1, n)
		s.Clock = nil
		_, _, err = s.Advance(ctx, clk.Now().Add(time.Hour), stays)
		require.ErrorIs(t, err, fault.ErrForbidden, "outside a demo")
	})
}

// Whoever may not stay, or goes away, stops it there; the rest is run later.
func TestAdvance_CutShort(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		s := instance(t, db, clk, w.job("hourly", Every(time.Hour), RunEvery))
		over := errors.New("the session is over")
		now, n, err := s.Advance(ctx, clk.Now().Add(10*time.Hour), func(context.Context) error { return over })
		require.ErrorIs(t, err, over)
		require.Equal(t, 2, n)
		require.Equal(t, testkit.Start.Add(time.Hour), now)
		gone, cancel := context.WithCancel(ctx)
		_, _, err = s.Advance(gone, clk.Now().Add(10*time.Hour), func(context.Context) error { cancel(); return nil })
		require.ErrorIs(t, err, fault.ErrTimeout)
		clk.Advance(8 * time.Hour)
		require.Equal(t, 8, due(t, s, "hourly"))
		requireWhole(t, Every(time.Hour), rows(t, db, "hourly"), clk.Now())
	})
}

// A demo that is started again goes on at the time to which its clock had been advanced.
func TestStart_ResumesTheClock(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx, w := testkit.As(t, testkit.User(t, db, access.Admin)), &work{}
		job := w.job("hourly", Every(time.Hour), RunEvery)
		_, _, err := instance(t, db, clk, job).Advance(ctx, clk.Now().Add(100*time.Hour), stays)
		require.NoError(t, err)
		clk.Set(testkit.Start)
		require.NoError(t, instance(t, db, clk, job).Start(t.Context()))
		require.Equal(t, testkit.Start.Add(100*time.Hour), clk.Now())
	})
}

// The alarms of gocron run what is due without anybody asking.
func TestStart_RunsWhatIsDue(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		w, ran := &work{}, make(chan string, 4)
		w.during = func(_ context.Context, job string) { ran <- job }
		s := instance(t, db, clk, w.job("one", Every(time.Hour), RunEvery), w.job("two", Daily(local(0, 0)), RunLatest))
		require.NoError(t, s.Start(t.Context()))
		assert.ElementsMatch(t, []string{"one", "two"}, []string{<-ran, <-ran})
	})
}

func BenchmarkAdvance(b *testing.B) {
	clk := clock.NewFake(testkit.Start)
	db, w := testkit.Open(b, testkit.SQLite, clk), &work{}
	s := instance(b, db, clk, w.job("a", Every(time.Minute), RunLatest), w.job("b", Every(time.Minute), RunLatest), w.job("c", Every(time.Minute), RunLatest))
	ctx, total := testkit.System(b), 0
	for b.Loop() {
		_, n, err := s.Advance(ctx, clk.Now().Add(time.Hour), stays)
		require.NoError(b, err)
		total += n
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "occurrences/s")
}
