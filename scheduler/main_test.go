package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// work is what jobs of tests do: they note for what they were run, and fail when they are told to.
type work struct {
	mu     sync.Mutex
	done   map[string][]time.Time // by job, in order
	fail   func(job string, at time.Time) error
	during func(ctx context.Context, job string)
}

func (w *work) job(name string, s Schedule, policy CatchUp) Job {
	return Job{Name: name, Schedule: s, CatchUp: policy, FreshFor: 40 * time.Minute, Run: func(ctx context.Context, o Occurrence) (Counts, error) {
		w.mu.Lock()
		if w.done == nil {
			w.done = map[string][]time.Time{}
		}
		w.done[name] = append(w.done[name], o.At)
		fail, during := w.fail, w.during
		w.mu.Unlock()
		if during != nil {
			during(ctx, name)
		}
		if fail != nil {
			if err := fail(name, o.At); err != nil {
				return nil, err
			}
		}
		return Counts{"done": 1}, ctx.Err()
	}}
}

func (w *work) of(name string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.done[name]...)
}

var errBroken = errors.New("broken: the record of Mr Smith")

// instance makes a scheduler as one of several would be.
func instance(tb testing.TB, db *store.DB, clk *clock.Fake, jobs ...Job) *Scheduler {
	tb.Helper()
	s, err := New(Config{DB: db, Zone: time.UTC, Log: discard(), Jobs: jobs, Clock: clk})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Stop()) })
	return s
}

func due(tb testing.TB, s *Scheduler, name string) int {
	tb.Helper()
	n, err := s.RunDue(tb.Context(), name)
	require.NoError(tb, err)
	return n
}

func rows(tb testing.TB, db *store.DB, job string) []*ent.JobRun {
	tb.Helper()
	list, err := db.Client.JobRun.Query().Where(jobrun.Job(job)).Order(jobrun.ByOccurrence()).All(testkit.System(tb))
	require.NoError(tb, err)
	return list
}

func newest(tb testing.TB, db *store.DB, job string) *ent.JobRun {
	tb.Helper()
	list := rows(tb, db, job)
	require.NotEmpty(tb, list)
	return list[len(list)-1]
}

// requireWhole fails unless the rows account for every occurrence from the first on up to now, each once.
func requireWhole(tb testing.TB, s Schedule, list []*ent.JobRun, now time.Time) {
	tb.Helper()
	require.NotEmpty(tb, list)
	next := list[0].FirstOccurrence
	for _, row := range list {
		require.Truef(tb, next.Equal(row.FirstOccurrence), "%s follows, where %s is next", row.FirstOccurrence, next)
		require.Equal(tb, s.count(row.FirstOccurrence, row.Occurrence), row.Occurrences)
		next = s.Next(row.Occurrence)
	}
	require.Truef(tb, next.After(now), "%s is due and not accounted for at %s", next, now)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// faults makes writes of the ledger fail, with the given probability.
type faults struct {
	mu          sync.Mutex
	probability float64
}

func (f *faults) set(probability float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.probability = probability
}

// breakRows puts faults between the scheduler and its rows: a write fails before it is done, or after, which takes it back.
func breakRows(db *store.DB) *faults {
	f := &faults{}
	strikes := func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if rand.Float64() < f.probability {
			return fault.ErrUnavailable
		}
		return nil
	}
	db.Client.JobRun.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if err := strikes(); err != nil {
				return nil, err
			}
			value, err := next.Mutate(ctx, m)
			if err == nil {
				err = strikes()
			}
			return value, err
		})
	})
	return f
}
