package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

// The whole life of a session as its subscriber hears it: a warning at each crossing of the threshold, each extension, the end.
func TestSessionEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		s := running(t, c.db)
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l := listen(t, s, v)
		opened := l.await(t, 1)[0].(identity.SessionOpened)
		assert.Equal(t, testkit.Start, opened.OccurredAt)
		assert.Equal(t, testkit.Start.Add(1200*time.Second), opened.ExpiresAt.UTC())
		assert.Equal(t, 1200, opened.Status.SecondsRemaining)
		assert.False(t, opened.Status.ShowWarning)
		assert.Equal(t, identity.TypeStaff, opened.Status.UserType)

		end := opened.ExpiresAt
		for range 2 { // every crossing
			now := c.clk.Advance(900 * time.Second)
			assert.Equal(t, identity.SessionExpiring{OccurredAt: now, ExpiresAt: end, SecondsRemaining: 300}, l.await(t, 1)[0])
			now = c.clk.Advance(100 * time.Second)
			_, err := s.ExtendSession(access.As(t.Context(), v))
			require.NoError(t, err)
			end = now.Add(1200 * time.Second)
			assert.Equal(t, identity.SessionExtended{OccurredAt: now, ExpiresAt: end}, l.await(t, 1)[0])
		}
		c.clk.Set(end.Add(-300 * time.Second))
		l.await(t, 1)
		c.clk.Set(end)
		assert.Equal(t, identity.SessionEnded{OccurredAt: end, Reason: session.EndReasonIDLE}, utc(l.await(t, 1)[0]))
		_, isOver := l.heard(t)
		assert.True(t, isOver)
	})
}

// utc shows an event's instant as the test writes it.
func utc(e any) any {
	if ended, ok := e.(identity.SessionEnded); ok {
		ended.OccurredAt = ended.OccurredAt.UTC()
		return ended
	}
	return e
}

// Who subscribes within the warning time is told so, and warned once.
func TestSessionEventsOpenedInTheWarningTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		c.clk.Advance(1000 * time.Second)
		l := listen(t, c.Service, v)
		events := l.await(t, 2)
		assert.True(t, events[0].(identity.SessionOpened).Status.ShowWarning)
		assert.Equal(t, 200, events[1].(identity.SessionExpiring).SecondsRemaining)
		for range 5 {
			c.clk.Advance(time.Second)
			look(t, c.Service)
		}
		l.silent(t)
	}, withStreams)
}

// Activity in the warning time is written and told at once, whenever the last write was.
func TestTouchInTheWarningTimeIsToldAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		l := listen(t, c.Service, result.Viewer)
		c.clk.Advance(14 * time.Second)
		require.NoError(t, c.Touch(t.Context(), result.Viewer)) // kept for a second
		c.clk.Advance(time.Second)
		require.NoError(t, c.FlushDue(t.Context()))
		c.clk.Set(testkit.Start.Add(914 * time.Second))
		look(t, c.Service)
		assert.IsType(t, identity.SessionExpiring{}, l.await(t, 3)[2])
		require.NoError(t, c.Touch(t.Context(), result.Viewer))
		assert.Equal(t, c.clk.Now().Add(1200*time.Second), l.await(t, 1)[0].(identity.SessionExtended).ExpiresAt)
		assert.Equal(t, c.clk.Now().Add(1200*time.Second), c.row(t, result).ExpiresAt.UTC())
	}, withStreams)
}

// Every query of a busy user is not an event: extensions are told when they are written.
func TestSessionExtendedIsCoalesced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l := listen(t, c.Service, v)
		l.await(t, 1)
		for range 30 {
			c.clk.Advance(time.Second)
			require.NoError(t, c.Touch(t.Context(), v))
			look(t, c.Service)
		}
		assert.Len(t, l.await(t, 1), 1, "the reader was slow: the newest end alone")
		for range 15 {
			c.clk.Advance(time.Second)
			require.NoError(t, c.Touch(t.Context(), v))
			look(t, c.Service)
		}
		assert.Equal(t, c.clk.Now().Add(1200*time.Second), l.await(t, 1)[0].(identity.SessionExtended).ExpiresAt)
	}, withStreams)
}

// A reader who takes nothing does not make the feed grow: warnings that were outdated go, the newest state stays.
func TestSessionEventsAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		v := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer
		l := listen(t, c.Service, v)
		for range 40 {
			c.clk.Advance(900 * time.Second)
			look(t, c.Service)
			require.NoError(t, c.Touch(t.Context(), v))
		}
		events, _ := l.heard(t)
		assert.LessOrEqual(t, len(events), 17)
		assert.IsType(t, identity.SessionOpened{}, events[0])
		assert.Equal(t, c.clk.Now().Add(1200*time.Second), events[len(events)-1].(identity.SessionExtended).ExpiresAt)
	}, withStreams)
}

// However a person ends a session, on whichever instance: its subscribers hear the reason, and its sockets end.
func TestSessionEndedByPersons(t *testing.T) {
	t.Parallel()
	ways := []struct {
		name   string
		reason session.EndReason
		do     func(t *testing.T, c *clinic, u *ent.User, asking *identity.LoginResult, id *identity.LoginResult) error
	}{
		{"logout", session.EndReasonLOGOUT, func(t *testing.T, c *clinic, _ *ent.User, _, gone *identity.LoginResult) error {
			return c.Logout(c.as(t, gone.Token))
		}},
		{"revokeSession", session.EndReasonREVOKED, func(t *testing.T, c *clinic, _ *ent.User, asking, gone *identity.LoginResult) error {
			_, err := c.RevokeSession(c.as(t, asking.Token), identity.RevokeSessionInput{ID: gone.Session.ID})
			return err
		}},
		{"revokeOtherSessions", session.EndReasonREVOKED, func(t *testing.T, c *clinic, _ *ent.User, asking, _ *identity.LoginResult) error {
			_, err := c.RevokeOtherSessions(c.as(t, asking.Token))
			return err
		}},
		{"changePassword", session.EndReasonPASSWORD_CHANGED, func(t *testing.T, c *clinic, _ *ent.User, asking, _ *identity.LoginResult) error {
			_, err := c.ChangePassword(c.as(t, asking.Token), identity.ChangePasswordInput{CurrentPassword: testkit.Password, NewPassword: "eleven dry umbrellas"})
			return err
		}},
		{"deactivateUser", session.EndReasonREVOKED, func(t *testing.T, c *clinic, u *ent.User, _, _ *identity.LoginResult) error {
			_, err := c.DeactivateUser(testkit.As(t, testkit.User(t, c.db, access.Admin)), identity.DeactivateUserInput{ID: u.ID})
			return err
		}},
	}
	each(t, func(t *testing.T, c *clinic) {
		here, there := running(t, c.db), running(t, c.db)
		c.Service = here
		for i, way := range ways {
			u := testkit.User(t, c.db, access.Nurse)
			asking, gone := c.signIn(t, u), c.signIn(t, u)
			var listeners []*listener
			var sockets []*socket
			for _, s := range []*identity.Service{here, there} {
				listeners, sockets = append(listeners, listen(t, s, gone.Viewer)), append(sockets, open(t, s, gone.Viewer))
				listeners[len(listeners)-1].await(t, 1)
			}
			stays := open(t, there, asking.Viewer)
			require.NoError(t, way.do(t, c, u, asking, gone), way.name)
			for j := range listeners {
				listeners[j].ends(t, way.reason)
				sockets[j].requireEnds(t)
			}
			_, err := stays.Viewer(t.Context())
			assert.Equal(t, way.name == "deactivateUser", err != nil, way.name)
			entries := c.db.Client.StreamEntry.Query()
			if i == 0 {
				n, err := entries.Count(testkit.System(t))
				require.NoError(t, err)
				assert.Equal(t, 1, n, "one entry per session")
			}
		}
	}, func(cfg *identity.Config) { cfg.LoginsPerMinute = 1000 })
}

// Sessions that were over already are no news.
func TestEndsByTimeAreToldByNoOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		lapsed := c.signIn(t, u)
		c.clk.Advance(1200 * time.Second)
		asking := c.signIn(t, u)
		_, err := c.RevokeOtherSessions(c.as(t, asking.Token))
		require.NoError(t, err)
		_, err = c.RevokeSession(c.as(t, asking.Token), identity.RevokeSessionInput{ID: lapsed.Session.ID})
		require.NoError(t, err)
		_, _, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		n, err := c.db.Client.StreamEntry.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Zero(t, n)
	}, withStreams)
}

// An end that is rolled back is told to nobody.
func TestRolledBackEndIsNotTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		l, o := listen(t, c.Service, result.Viewer), open(t, c.Service, result.Viewer)
		l.await(t, 1)
		failure := errors.New("stop")
		require.ErrorIs(t, c.db.WithTx(c.as(t, result.Token), func(ctx context.Context) error {
			require.NoError(t, c.Logout(ctx))
			return failure
		}), failure)
		_, err := o.Viewer(t.Context())
		require.NoError(t, err)
		l.silent(t)
	}, withStreams)
}

func TestSessionEventsNeedASession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.Live().Source(from(t, home))
		assert.ErrorIs(t, err, fault.ErrUnauthenticated)
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		ctx := c.as(t, result.Token)
		source, err := c.Live().Source(ctx)
		require.NoError(t, err)
		require.NoError(t, c.Logout(ctx))
		_, err = source.Open(ctx, func() {})
		requireFault(t, err, "SESSION_EXPIRED")
		known, queued := c.Live().Sessions()
		assert.Zero(t, known+queued)
	}, withStreams)
}
