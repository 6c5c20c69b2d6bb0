package scheduler

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// chaos is three instances on one database, each up or down as chance will have it.
type chaos struct {
	*work
	t         *testing.T
	clk       *clock.Fake
	dice      *rand.Rand
	db        *store.DB
	instances []*Scheduler
	faults    []*faults
	jobs      []Job
	vanished  int
}

// table has a job of each policy and schedule. Those due every minute meet long outages, or the year would be too long for a test.
func (c *chaos) table(where *time.Location) {
	c.jobs = []Job{
		c.job("hourly-every", Every(time.Hour), RunEvery), c.job("daily-every", Daily(local(2, 30)), RunEvery), c.job("midnight-every", Daily(local(0, 0)), RunEvery),
		c.job("weekly-every", Weekly(time.Monday, local(0, 5)), RunEvery), c.job("monthly-every", Monthly(31, local(5, 0)), RunEvery),
		c.job("minutely-latest", Every(time.Minute), RunLatest), c.job("daily-latest", Daily(local(4, 0)), RunLatest),
		c.job("quarter-fresh", Every(15*time.Minute), RunFresh),
	}
	for i := range c.jobs {
		c.jobs[i].Schedule = c.jobs[i].Schedule.In(where)
	}
}

func newChaos(t *testing.T, engine, where string, seed uint64) *chaos {
	t.Helper()
	c := &chaos{work: &work{}, t: t, clk: clock.NewFake(time.Date(2025, time.March, 20, 0, 20, 0, 0, time.UTC)), dice: rand.New(rand.NewPCG(seed, 1))}
	t.Logf("seed %d", seed)
	c.table(zone(t, where))
	url := testkit.URL(t, engine)
	for range 3 {
		db := testkit.OpenURL(t, store.Config{URL: url, StatementTimeout: time.Minute}, c.clk)
		c.db, c.faults = db, append(c.faults, breakRows(db))
		s, err := New(Config{DB: db, Zone: zone(t, where), Log: discard(), Jobs: c.jobs})
		require.NoError(t, err)
		c.instances = append(c.instances, s)
		t.Cleanup(func() { require.NoError(t, s.Stop()) })
	}
	return c
}

// live lets time pass until the end. At every stop some instances are up, and look at all their jobs at once.
func (c *chaos) live(end time.Time, faulty float64) {
	c.t.Helper()
	for c.clk.Now().Before(end) {
		c.clk.Advance(c.leap())
		var up sync.WaitGroup
		for i, s := range c.instances {
			if c.dice.IntN(3) == 0 {
				continue
			}
			c.faults[i].set(faulty)
			if faulty > 0 && c.dice.IntN(10) == 0 {
				c.vanish(s)
			}
			up.Go(func() {
				for _, j := range c.jobs {
					if _, err := s.RunDue(c.t.Context(), j.Name); err != nil && faulty == 0 {
						c.t.Error(err)
					}
				}
			})
		}
		up.Wait()
	}
}

// leap is the time to the next stop: mostly short, now and then a long outage, or to the minute.
func (c *chaos) leap() time.Duration {
	switch c.dice.IntN(6) {
	case 0:
		return time.Duration(c.dice.IntN(72*60)) * time.Minute
	case 1:
		return c.clk.Now().Truncate(time.Hour).Add(time.Hour).Sub(c.clk.Now())
	default:
		return time.Duration(c.dice.Int64N(int64(6 * time.Hour)))
	}
}

// vanish takes a run and never ends it, as a process that is killed.
func (c *chaos) vanish(s *Scheduler) {
	j := s.jobs[c.dice.IntN(len(s.jobs))]
	run, err := s.take(testkit.System(c.t), j)
	if err == nil && run != nil {
		c.vanished++
	}
}

// settle lets every job come to rest.
func (c *chaos) settle() {
	c.t.Helper()
	for i, s := range c.instances {
		c.faults[i].set(0)
		for _, j := range c.jobs { // what instances still have to write
			if err := s.flush(c.t.Context()); err != nil {
				c.t.Fatal(err)
			}
			c.clk.Advance(s.Lease)
			due(c.t, s, j.Name)
		}
	}
	for _, j := range c.jobs {
		due(c.t, c.instances[0], j.Name)
	}
}

// check holds the ledger against what was done.
func (c *chaos) check(exactly bool) {
	c.t.Helper()
	attempts, executed := 0, 0
	for _, j := range c.jobs {
		list, done := rows(c.t, c.db, j.Name), c.of(j.Name)
		requireWhole(c.t, j.Schedule, list, c.clk.Now())
		times := map[int64]int{}
		for i, at := range done {
			times[at.UnixMicro()]++
			require.True(c.t, j.Schedule.isAt(at), j.Name)
			before := done[max(i-1, 0)]
			require.Falsef(c.t, at.Before(before), "%s ran %s after %s", j.Name, at, before)
			require.Falsef(c.t, exactly && times[at.UnixMicro()] > 1, "%s ran twice for %s", j.Name, at)
		}
		executed += len(done)
		for _, row := range list {
			attempts += row.Attempts
			c.checkRow(j, row, times[row.Occurrence.UnixMicro()])
		}
	}
	require.Equal(c.t, attempts, executed+c.vanished, "every attempt of the ledger was one run")
}

func (c *chaos) checkRow(j Job, row *ent.JobRun, times int) {
	c.t.Helper()
	switch row.State {
	case jobrun.StateRAN, jobrun.StateCAUGHT_UP:
		require.Positive(c.t, times)
		require.Equal(c.t, row.State == jobrun.StateCAUGHT_UP, row.CreatedAt.Sub(row.Occurrence) > late)
	case jobrun.StateSKIPPED:
		require.Zero(c.t, row.Attempts)
		require.True(c.t, j.CatchUp != RunEvery || row.Reason == isNew, "EVERY skips nothing")
	case jobrun.StateFAILED:
		require.NotEqual(c.t, RunEvery, j.CatchUp, "EVERY gives nothing up")
		require.Nil(c.t, row.RetryAt)
	default:
		c.t.Errorf("%s is %s", j.Name, row.State)
	}
}

// forDays runs it on both engines for some days, or for a year when the long tests are asked for.
func forDays(t *testing.T, days int, where string, fn func(t *testing.T, c *chaos, end time.Time)) {
	t.Helper()
	if os.Getenv("CAREGRAPH_LONG") == "1" {
		days = 366
	}
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := newChaos(t, engine, where, rand.Uint64())
			fn(t, c, c.clk.Now().AddDate(0, 0, days))
		})
	}
}

// Whichever instances are up, each occurrence is run once, in order, and nothing is missing.
func TestLedger_Outages(t *testing.T) {
	t.Parallel()
	forDays(t, 25, "Australia/Sydney", func(t *testing.T, c *chaos, end time.Time) {
		c.live(end, 0)
		c.settle()
		c.check(true)
	})
}

// The same with a database that fails, jobs that fail and instances that are killed: every attempt that the ledger tells of is one run, and
// only an occurrence whose runner was lost, or that failed, has several.
func TestLedger_FaultsAndCrashes(t *testing.T) {
	t.Parallel()
	forDays(t, 25, "Australia/Lord_Howe", func(t *testing.T, c *chaos, end time.Time) {
		c.fail = func(string, time.Time) error {
			if rand.IntN(10) == 0 {
				return errBroken
			}
			return nil
		}
		c.live(end, 0.05)
		c.mu.Lock()
		c.fail = func(string, time.Time) error { return context.Cause(t.Context()) }
		c.mu.Unlock()
		c.clk.Advance(2 * maxPause)
		c.settle()
		c.check(false)
	})
}
