package identity_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// An extension on one instance is heard on another: by a hint on PostgreSQL, by reading again where nothing brings hints.
func TestExtensionReachesOtherInstances(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		here, there := running(t, c.db), running(t, c.db)
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l := listen(t, there, v)
		l.await(t, 1)
		c.clk.Advance(20 * time.Second)
		look(t, there) // the next one without a hint is in 5 s
		step := time.Microsecond
		if c.db.Dialect() != testkit.Postgres {
			step = 5 * time.Second
		}
		require.EventuallyWithT(t, func(t *assert.CollectT) { // again, because nobody listens to the bus in its first moments
			_, err := here.ExtendSession(access.As(context.Background(), v))
			assert.NoError(t, err)
			at := c.clk.Now()
			c.clk.Advance(step)
			select {
			case <-l.woken:
			case <-time.After(time.Second):
			}
			events, _ := l.heard(t)
			if assert.NotEmpty(t, events) {
				assert.Equal(t, at.Add(1200*time.Second), events[len(events)-1].(identity.SessionExtended).ExpiresAt.UTC())
			}
		}, patience, time.Millisecond)
	})
}

// What another instance wrote keeps this one from warning and ending, even when every hint about it is lost.
func TestLostHintsMakeNoFalseWarning(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l, o := listen(t, other, v), open(t, other, v)
		l.await(t, 1)
		for range 3 {
			c.clk.Advance(899 * time.Second)
			require.NoError(t, c.Touch(t.Context(), v))
			c.clk.Advance(time.Second)
			look(t, other)
			assert.Equal(t, c.clk.Now().Add(1199*time.Second), l.await(t, 1)[0].(identity.SessionExtended).ExpiresAt.UTC(), "and no warning")
		}
		extended := c.clk.Advance(1198 * time.Second) // over a second crossing at once, and back
		require.NoError(t, c.Touch(t.Context(), v))
		c.clk.Advance(2 * time.Second)
		_, err := o.Viewer(t.Context())
		require.NoError(t, err, "the end that this instance knew of has come")
		look(t, other)
		assert.Equal(t, extended.Add(1200*time.Second), l.await(t, 1)[0].(identity.SessionExtended).ExpiresAt.UTC())
		assert.Empty(t, o.ended)
	}, withStreams)
}

// Near the end a session with listeners is read every second, should a hint be lost.
func TestWarningTimeIsWatchedClosely(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l := listen(t, other, v)
		c.clk.Advance(900 * time.Second)
		look(t, other)
		l.await(t, 2)
		require.NoError(t, c.Touch(t.Context(), v))
		c.clk.Advance(time.Second)
		look(t, other)
		assert.IsType(t, identity.SessionExtended{}, l.await(t, 1)[0])
	}, withStreams)
}

// From one warning time into the next without a look in between: two crossings, two warnings.
func TestWarningAgainAfterAnUnknownExtension(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l := listen(t, other, v)
		c.clk.Advance(900 * time.Second)
		look(t, other)
		l.await(t, 2)
		require.NoError(t, c.Touch(t.Context(), v))
		c.clk.Advance(900 * time.Second)
		look(t, other)
		events := l.await(t, 2)
		assert.IsType(t, identity.SessionExtended{}, events[0])
		assert.IsType(t, identity.SessionExpiring{}, events[1])
	}, withStreams)
}

// A clock that jumps over the warning and the end tells of the end alone; the earliest session comes first.
func TestClockJump(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		var order []int
		var sockets []*socket
		var listeners []*listener
		for i := range 4 {
			v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
			o := open(t, c.Service, v)
			o.OnEnd(func() { order = append(order, i) })
			sockets, listeners = append(sockets, o), append(listeners, listen(t, c.Service, v))
			listeners[i].await(t, 1)
			c.clk.Advance(100 * time.Second)
		}
		c.clk.Set(testkit.Start.Add(1350 * time.Second)) // two are over, two are near
		look(t, c.Service)
		for i, l := range listeners[:2] {
			ended := l.await(t, 1)[0].(identity.SessionEnded)
			assert.Equal(t, testkit.Start.Add(time.Duration(1200+100*i)*time.Second), ended.OccurredAt.UTC(), "its own end, not the look")
			assert.Equal(t, session.EndReasonIDLE, ended.Reason)
		}
		for i, l := range listeners[2:] {
			assert.Equal(t, 50+100*i, l.await(t, 1)[0].(identity.SessionExpiring).SecondsRemaining)
		}
		c.clk.Advance(24 * time.Hour)
		look(t, c.Service)
		assert.Equal(t, []int{0, 1, 2, 3}, order)
		_, queued := c.Live().Sessions()
		assert.Zero(t, queued)
		_, err := sockets[3].Viewer(t.Context())
		requireFault(t, err, "SESSION_EXPIRED")
	}, withStreams)
}

// A session that is used all day is warned before its absolute end, once, and nothing extends it.
func TestAbsoluteEndIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		end := testkit.Start.Add(24 * time.Hour)
		for c.clk.Now().Before(end.Add(-15 * time.Minute)) {
			c.clk.Advance(15 * time.Minute)
			require.NoError(t, c.Touch(t.Context(), v))
		}
		l := listen(t, c.Service, v)
		l.await(t, 1)
		warned := 0
		for c.clk.Now().Before(end) {
			c.clk.Advance(30 * time.Second)
			require.NoError(t, c.Touch(t.Context(), v))
			look(t, c.Service)
			events, _ := l.heard(t)
			for _, e := range events {
				switch e := e.(type) {
				case identity.SessionExpiring:
					warned++
					assert.Equal(t, 300, e.SecondsRemaining)
				case identity.SessionEnded:
					assert.Equal(t, identity.SessionEnded{OccurredAt: end, Reason: session.EndReasonABSOLUTE}, utc(e))
					assert.Equal(t, end, c.clk.Now())
				default:
					t.Errorf("%+v", e)
				}
			}
		}
		assert.Equal(t, 1, warned)
		_, isOver := l.heard(t)
		assert.True(t, isOver)
	}, withStreams)
}

// The end and an extension that comes in the same moment on another instance: the store decides, and all are told the same.
func TestEndAndExtensionAtTheSameMoment(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		u := testkit.User(t, c.db, access.Nurse)
		for range 20 {
			result := c.signIn(t, u)
			l := listen(t, other, result.Viewer)
			c.clk.Advance(1200*time.Second - time.Microsecond)
			var extension error
			var both sync.WaitGroup
			both.Go(func() { _, extension = c.ExtendSession(access.As(from(t, home), result.Viewer)) })
			both.Go(func() {
				c.clk.Advance(time.Microsecond)
				assert.NoError(t, other.Live().Look(context.Background()))
			})
			both.Wait()
			look(t, other)
			_, isOver := l.heard(t)
			assert.Equal(t, extension != nil, isOver, "%v", extension)
			assert.Equal(t, isOver, c.row(t, result).EndedAt != nil)
			l.Close()
		}
	}, withStreams, func(cfg *identity.Config) { cfg.LoginsPerMinute = 1000 })
}

// While the database is away nobody is warned or ended; when it is back, all is told.
func TestWatchSurvivesAnAbsentDatabase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		l := listen(t, c.Service, c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer)
		l.await(t, 1)
		away, cancel := context.WithCancel(t.Context())
		cancel()
		c.clk.Advance(900 * time.Second)
		require.Error(t, c.Live().Look(away))
		l.silent(t)
		look(t, c.Service)
		assert.IsType(t, identity.SessionExpiring{}, l.await(t, 1)[0])
		c.clk.Advance(300 * time.Second)
		require.Error(t, c.Live().Look(away))
		l.silent(t)
		look(t, c.Service)
		l.ends(t, session.EndReasonIDLE)
	}, withStreams)
}

// However many sessions are due, they are read together.
func TestManySessionsAreReadTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		var listeners []*listener
		u := testkit.User(t, c.db, access.Nurse)
		for range 40 {
			listeners = append(listeners, listen(t, c.Service, c.signIn(t, u).Viewer))
		}
		c.clk.Advance(900 * time.Second)
		var trips atomic.Int64
		require.NoError(t, c.Live().Look(store.CountRoundTrips(t.Context(), &trips)))
		assert.EqualValues(t, 1, trips.Load())
		for _, l := range listeners {
			assert.IsType(t, identity.SessionExpiring{}, l.await(t, 2)[1])
		}
		look(t, c.Service)
		c.clk.Advance(300 * time.Second)
		trips.Store(0)
		require.NoError(t, c.Live().Look(store.CountRoundTrips(t.Context(), &trips)))
		assert.LessOrEqual(t, trips.Load(), int64(6), "read, begin, lock, close, commit, read")
		for _, l := range listeners {
			l.ends(t, session.EndReasonIDLE)
		}
	}, withStreams, func(cfg *identity.Config) { cfg.LoginsPerMinute = 1000 })
}
