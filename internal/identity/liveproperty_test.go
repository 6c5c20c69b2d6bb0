package identity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Property: whatever is done on whichever of two instances, whenever, and whichever hints are lost, all subscribers hear of each crossing of the
// threshold once, of no end that is not true, and of the end as the last; and a session is live on both instances exactly until it is over.
func TestSessionEventsProperty(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		u := testkit.User(t, db, access.Nurse)
		rapid.Check(t, func(rt *rapid.T) { live(t, rt, db, clk, u) })
	})
}

// truth is what a session must be.
type truth struct {
	clk       *clock.Fake
	timeout   time.Duration
	expiresAt time.Time
	reason    session.EndReason // empty while it is live
}

func (m *truth) warning() time.Duration { return m.timeout / 4 }

// settle lets time end the session.
func (m *truth) settle() {
	if m.reason == "" && !m.clk.Now().Before(m.expiresAt) {
		m.reason = session.EndReasonIDLE
	}
}

func (m *truth) act() {
	if m.settle(); m.reason == "" {
		m.expiresAt = m.clk.Now().Add(m.timeout)
	}
}

// subscriber checks what one subscription hears.
type subscriber struct {
	*listener
	on       int       // which instance
	told     time.Time // the end that it knows
	isWarned bool
	isOver   bool
}

// hear compares what has come with the truth of this moment, at which everybody has looked.
func (s *subscriber) hear(rt *rapid.T, m *truth) {
	if s.isOver {
		_, isOver := s.heard(rt)
		require.True(rt, isOver)
		return
	}
	left := m.expiresAt.Sub(m.clk.Now())
	if left > m.warning() {
		s.isWarned = false
	}
	events, isOver := s.heard(rt)
	for _, e := range events {
		switch e := e.(type) {
		case identity.SessionOpened:
			require.True(rt, s.told.IsZero(), "it is the first")
			s.told = e.ExpiresAt.UTC()
		case identity.SessionExtended:
			require.True(rt, e.ExpiresAt.After(s.told), "%s was told before %s", s.told, e.ExpiresAt)
			s.told = e.ExpiresAt.UTC()
		case identity.SessionExpiring:
			require.False(rt, s.isWarned, "warned twice")
			require.True(rt, left > 0 && left <= m.warning(), "warned %s before the end", left)
			require.Equal(rt, m.expiresAt, e.ExpiresAt.UTC())
			s.isWarned = true
		case identity.SessionEnded:
			require.Equal(rt, m.reason, e.Reason)
			s.isOver = true
		}
	}
	require.False(rt, s.told.After(m.expiresAt), "told %s, but it ends at %s", s.told, m.expiresAt)
	require.Equal(rt, m.reason != "", s.isOver, "instance %d", s.on)
	require.Equal(rt, s.isOver, isOver)
	if !s.isOver {
		require.Equal(rt, left <= m.warning(), s.isWarned, "%s before the end", left)
	}
}

// stage is two instances with their subscribers.
type stage struct {
	m           *truth
	instances   []*identity.Service
	sockets     []*socket
	subscribers []*subscriber
}

// pause is one round of the background loops, but for those that lost hints stop.
func (s *stage) pause(rt *rapid.T) {
	for _, instance := range s.instances {
		require.NoError(rt, instance.FlushDue(rt.Context()))
	}
	s.m.settle()
	for _, o := range s.sockets {
		_, err := o.Viewer(rt.Context())
		require.Equal(rt, s.m.reason == "", err == nil, "%v at %s, end %s", err, s.m.clk.Now(), s.m.expiresAt)
	}
	look(rt, s.instances...)
	for _, l := range s.subscribers {
		l.hear(rt, s.m)
	}
}

// wait lets time pass; what is due comes up within the first seconds.
func (s *stage) wait(rt *rapid.T, d time.Duration) {
	until := s.m.clk.Now().Add(d)
	for range 20 {
		if s.m.clk.Now().Add(time.Second).After(until) {
			break
		}
		s.m.clk.Advance(time.Second)
		s.pause(rt)
	}
	s.m.clk.Set(until)
	s.pause(rt)
}

func live(t *testing.T, rt *rapid.T, db *store.DB, clk *clock.Fake, u *ent.User) {
	m := &truth{clk: clk, timeout: time.Duration(rapid.IntRange(60, 1200).Draw(rt, "timeout")) * time.Second}
	s, w := &stage{m: m}, &wire{}
	for range 2 {
		s.instances = append(s.instances, deaf(t, db, w.plug(), func(cfg *identity.Config) {
			cfg.StaffTimeout, cfg.Warning, cfg.LoginsPerMinute = m.timeout, m.warning(), 10_000
		}))
	}
	result, err := s.instances[0].Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
	require.NoError(rt, err)
	v := result.Viewer
	m.expiresAt = clk.Now().Add(m.timeout)
	for i, instance := range s.instances {
		s.sockets = append(s.sockets, open(t, instance, v))
		s.subscribers = append(s.subscribers, &subscriber{listener: listen(t, instance, v), on: i})
	}
	defer func() {
		for i := range s.sockets {
			s.sockets[i].Close()
		}
		for _, l := range s.subscribers {
			l.Close()
		}
		for _, instance := range s.instances {
			known, queued := instance.Live().Sessions()
			assert.Zero(rt, known+queued)
		}
	}()
	for range rapid.IntRange(1, 12).Draw(rt, "steps") {
		w.isCut.Store(rapid.Bool().Draw(rt, "hints are lost"))
		i := rapid.IntRange(0, 1).Draw(rt, "where")
		s.step(t, rt, v, i, rapid.IntRange(0, 9).Draw(rt, "what"))
		if m.reason == "" {
			s.pause(rt)
		}
	}
	s.pause(rt)
}

func (s *stage) step(t *testing.T, rt *rapid.T, v *access.Viewer, i, what int) {
	ctx, instance, left := access.As(from(t, home), v), s.instances[i], s.m.expiresAt.Sub(s.m.clk.Now())
	switch what {
	case 0, 1:
		require.NoError(rt, instance.Touch(ctx, v))
		s.m.act()
	case 2:
		_, err := instance.ExtendSession(ctx)
		s.m.settle()
		require.Equal(rt, s.m.reason == "", err == nil)
		s.m.act()
	case 3:
		_, err := instance.PingActivity(ctx)
		s.m.settle()
		require.Equal(rt, s.m.reason == "", err == nil)
	case 4:
		if rapid.IntRange(0, 3).Draw(rt, "really") == 0 {
			require.NoError(rt, instance.Logout(ctx))
			if s.m.settle(); s.m.reason == "" {
				s.m.reason = session.EndReasonLOGOUT
			}
		}
	case 5:
		if s.m.reason == "" {
			s.subscribers = append(s.subscribers, &subscriber{listener: listen(t, instance, v), on: i})
		}
	case 6:
		s.wait(rt, time.Duration(rapid.IntRange(0, 14_999).Draw(rt, "ms"))*time.Millisecond)
	case 7: // just before, at and behind the threshold or the end
		to := rapid.SampledFrom([]time.Duration{left - s.m.warning(), left}).Draw(rt, "to")
		s.wait(rt, max(0, to+time.Duration(rapid.IntRange(-1, 1).Draw(rt, "µs"))*time.Microsecond))
	default:
		s.wait(rt, time.Duration(rapid.IntRange(0, int(s.m.timeout/time.Second)+5).Draw(rt, "up to the end"))*time.Second)
	}
}
