package limit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const window = time.Minute

func use(subject string) limit.Use {
	return limit.Use{Name: "tries", Subject: subject, Max: 3, Window: window}
}

// requireThrottled checks the whole answer to a full window.
func requireThrottled(t *testing.T, err error, name string, opensIn time.Duration) {
	t.Helper()
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	assert.Equal(t, fault.CodeThrottled, f.Code)
	assert.Equal(t, fault.Limit, f.Kind)
	assert.Equal(t, limit.Exceeded{Limit: name}, f.Detail)
	assert.Equal(t, opensIn, f.RetryAfter)
}

func TestTake(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		l, ctx := limit.New(db), t.Context()
		take := func(subject string) error { return l.Take(ctx, "tries", subject, 3, window) }
		for range 3 {
			require.NoError(t, take("a"))
			clk.Advance(10 * time.Second)
		}
		requireThrottled(t, take("a"), "tries", 30*time.Second) // 30 s after the first use
		require.NoError(t, take("b"), "another subject")
		require.NoError(t, l.Take(ctx, "other", "a", 3, window), "another limit")

		clk.Advance(30*time.Second - time.Microsecond)
		requireThrottled(t, take("a"), "tries", time.Microsecond)
		clk.Advance(time.Microsecond)
		require.NoError(t, take("a"), "the oldest use leaves the window exactly one window after it")
		requireThrottled(t, take("a"), "tries", 10*time.Second)
	})
}

// A refused use does not count: else a caller who goes on asking would never be let in again.
func TestTakeRefusalIsNotCounted(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		l := limit.New(db)
		for range 3 {
			require.NoError(t, l.Take(t.Context(), "tries", "a", 3, window))
		}
		for range 6 {
			clk.Advance(9 * time.Second)
			require.Error(t, l.Take(t.Context(), "tries", "a", 3, window))
		}
		clk.Advance(6 * time.Second)
		require.NoError(t, l.Take(t.Context(), "tries", "a", 3, window))
	})
}

func TestTakeExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		instances := []*limit.Limiter{limit.New(db), limit.New(db)}
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				if instances[i%2].Take(t.Context(), "tries", "a", 7, window) == nil {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 7, passed.Load())
	})
}

func TestTakeJoinsTheCallersTransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, undone := limit.New(db), errors.New("undone")
		for range 5 {
			err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
				require.NoError(t, l.Take(ctx, "tries", "a", 1, window))
				return undone
			})
			require.ErrorIs(t, err, undone)
		}
		require.NoError(t, l.Take(t.Context(), "tries", "a", 1, window), "what was rolled back is not counted")
	})
}

func TestSubjectsAreHashed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := limit.New(db)
		require.NoError(t, l.Take(t.Context(), "tries", "ada@caregraph.test", 3, window))
		r, err := l.Reserve(t.Context(), use("ada@caregraph.test"))
		require.NoError(t, err)
		defer r.Close()
		rows, err := db.Client.RateEvent.Query().All(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, rows, 2)
		for _, row := range rows {
			assert.True(t, strings.HasPrefix(row.Key, "tries:"))
			assert.NotContains(t, row.Key, "ada")
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		l := limit.New(db)
		for i := range 4 {
			require.NoError(t, l.Take(t.Context(), "tries", fmt.Sprint(i), 3, window))
			clk.Advance(time.Second)
		}
		n, err := l.Sweep(t.Context(), testkit.Start.Add(2*time.Second))
		require.NoError(t, err)
		assert.Equal(t, 2, n, "a use at the instant itself stays")
		left, err := db.Client.RateEvent.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 2, left)
	})
}

func reserve(t *testing.T, l *limit.Limiter, uses ...limit.Use) *limit.Reservation {
	t.Helper()
	r, err := l.Reserve(t.Context(), uses...)
	require.NoError(t, err)
	return r
}

func TestReserve(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		l := limit.New(db)
		for range 10 { // given back: never full
			r := reserve(t, l, use("a"))
			require.NoError(t, r.Release(t.Context()))
			r.Close()
		}
		for range 3 { // kept: full after three
			r := reserve(t, l, use("a"), use("b"))
			require.NoError(t, r.Keep(t.Context()))
			r.Close()
			clk.Advance(time.Second)
		}
		for _, subject := range []string{"a", "b"} {
			_, err := l.Reserve(t.Context(), use(subject), use("c"))
			requireThrottled(t, err, "tries", window-3*time.Second)
		}
		for range 3 { // a refused reservation has left nothing at the other limit
			reserve(t, l, use("c"))
		}
	})
}

// A try in progress, of another instance, is waited for: it may give its place back.
func TestReserveWaitsForTriesInProgress(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		other := limit.New(db)
		held := []*limit.Reservation{reserve(t, other, use("a")), reserve(t, other, use("a")), reserve(t, other, use("a"))}
		var trips atomic.Int64
		outcome := make(chan error, 1)
		go func() {
			_, err := limit.New(db).Reserve(store.CountRoundTrips(t.Context(), &trips), use("a"))
			outcome <- err
		}()
		require.Eventually(t, func() bool { return trips.Load() > 12 || len(outcome) > 0 }, 10*time.Second, time.Millisecond, "it looks more than once")
		require.NoError(t, held[1].Release(t.Context()))
		require.NoError(t, <-outcome)
	})
}

func TestReserveOfATryThatNeverEnds(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		crashed := limit.New(db)
		for range 3 {
			reserve(t, crashed, use("a"))
		}
		_, err := limit.New(db).Reserve(t.Context(), use("a"))
		requireThrottled(t, err, "tries", time.Second)
		clk.Advance(window)
		reserve(t, limit.New(db), use("a"))
	})
}

func TestReserveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := limit.New(db)
		for range 3 {
			reserve(t, l, use("a"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := l.Reserve(ctx, use("a"))
		require.ErrorIs(t, err, fault.ErrTimeout)
	})
}

// No more tries begin than may fail, whatever the crowd; once enough have failed the rest is refused.
func TestReserveExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		instances := []*limit.Limiter{limit.New(db), limit.New(db)}
		var begun, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				r, err := instances[i%2].Reserve(t.Context(), use("a"), use(fmt.Sprint("of its own ", i)))
				if errors.Is(err, fault.ErrThrottled) {
					refused.Add(1)
					return
				}
				if !assert.NoError(t, err) {
					return
				}
				defer r.Close()
				begun.Add(1)
				assert.NoError(t, r.Keep(t.Context()))
			})
		}
		all.Wait()
		assert.EqualValues(t, 3, begun.Load())
		assert.EqualValues(t, 57, refused.Load())
	})
}

// A crowd that succeeds is let through by and by: nobody is refused for others' being at it.
func TestReserveLetsACrowdThatSucceedsThrough(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l := limit.New(db)
		var inside, most atomic.Int64
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() {
				r, err := l.Reserve(t.Context(), use("a"))
				if !assert.NoError(t, err) {
					return
				}
				defer r.Close()
				for n := inside.Add(1); n > most.Load(); {
					most.Store(n)
				}
				inside.Add(-1)
				assert.NoError(t, r.Release(t.Context()))
			})
		}
		all.Wait()
		assert.LessOrEqual(t, most.Load(), int64(3))
	})
}

func TestReserveInsideATransactionIsRefused(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
			_, err := limit.New(db).Reserve(ctx, use("a"))
			return err
		})
		require.ErrorContains(t, err, "outside the transaction")
	})
}
