package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

// requireEnded checks how and when a session ended, and that its token is worth nothing.
func requireEnded(t *testing.T, c *clinic, s *identity.LoginResult, reason session.EndReason, at time.Time) {
	t.Helper()
	row := c.row(t, s)
	require.NotNil(t, row.EndReason)
	assert.Equal(t, reason, *row.EndReason)
	assert.Equal(t, at, row.EndedAt.UTC())
	_, err := c.Authenticate(t.Context(), s.Token)
	requireFault(t, err, "SESSION_EXPIRED")
}

func requireLive(t *testing.T, c *clinic, s *identity.LoginResult) {
	t.Helper()
	_, err := c.Authenticate(t.Context(), s.Token)
	require.NoError(t, err)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		one, other := c.signIn(t, u), c.signIn(t, u)
		ctx, at := c.as(t, one.Token), c.clk.Advance(time.Second)
		require.NoError(t, c.Logout(ctx))
		c.clk.Advance(time.Second)
		require.NoError(t, c.Logout(ctx), "again")
		requireEnded(t, c, one, session.EndReasonLOGOUT, at)
		requireLive(t, c, other)
		assert.ErrorIs(t, c.Logout(from(t, home)), fault.ErrUnauthenticated)
	})
}

// One's own sessions, any for administrators, and no word about those of others.
func TestRevokeSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		asking, one, two := c.signIn(t, u), c.signIn(t, u), c.signIn(t, u)
		ctx := c.as(t, asking.Token)
		row, err := c.RevokeSession(ctx, identity.RevokeSessionInput{ID: one.Session.ID})
		require.NoError(t, err)
		assert.Equal(t, session.EndReasonREVOKED, *row.EndReason)
		requireEnded(t, c, one, session.EndReasonREVOKED, testkit.Start)
		c.clk.Advance(time.Second)
		row, err = c.RevokeSession(ctx, identity.RevokeSessionInput{ID: one.Session.ID})
		require.NoError(t, err, "again")
		assert.Equal(t, testkit.Start, row.EndedAt.UTC())

		lapsed := c.signIn(t, u)
		c.clk.Advance(600 * time.Second)
		for _, s := range []*identity.LoginResult{asking, two} {
			require.NoError(t, request(t, c.Service, s.Token))
		}
		c.clk.Advance(600 * time.Second)
		row, err = c.RevokeSession(ctx, identity.RevokeSessionInput{ID: lapsed.Session.ID})
		require.NoError(t, err)
		assert.Equal(t, session.EndReasonIDLE, *row.EndReason, "it was over already")

		for role, isAllowed := range map[access.Role]bool{access.Patient: false, access.Doctor: false, access.Biller: false, access.Admin: true} {
			stranger := c.as(t, c.signIn(t, testkit.User(t, c.db, role)).Token)
			_, err = c.RevokeSession(stranger, identity.RevokeSessionInput{ID: two.Session.ID})
			if isAllowed {
				require.NoError(t, err, role)
				continue
			}
			requireFault(t, err, "NOT_FOUND", "id")
			_, unknown := c.RevokeSession(stranger, identity.RevokeSessionInput{ID: uuid.New()})
			assert.Equal(t, unknown, err, "a hidden session looks like none")
		}
		_, err = c.RevokeSession(from(t, home), identity.RevokeSessionInput{ID: asking.Session.ID})
		assert.ErrorIs(t, err, fault.ErrUnauthenticated)
	}, func(cfg *identity.Config) { cfg.LoginsPerMinute = 1000 })
}

// The live ones are counted; one that was over before keeps its own reason.
func TestRevokeOtherSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		lapsed := c.signIn(t, u)
		c.clk.Advance(1200 * time.Second)
		asking, one, two := c.signIn(t, u), c.signIn(t, u), c.signIn(t, u)
		stranger := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		ctx := c.as(t, asking.Token)
		at := c.clk.Advance(time.Second)
		n, err := c.RevokeOtherSessions(ctx)
		require.NoError(t, err)
		assert.Equal(t, 2, n)
		requireEnded(t, c, one, session.EndReasonREVOKED, at)
		requireEnded(t, c, two, session.EndReasonREVOKED, at)
		requireEnded(t, c, lapsed, session.EndReasonIDLE, testkit.Start.Add(1200*time.Second))
		requireLive(t, c, asking)
		requireLive(t, c, stranger)
		n, err = c.RevokeOtherSessions(ctx)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

func TestSessionLists(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin, nurse := testkit.User(t, c.db, access.Admin), testkit.User(t, c.db, access.Nurse)
		names := map[uuid.UUID]string{}
		open := func(name string, u *ent.User) *identity.LoginResult {
			s := c.signIn(t, u)
			names[s.Session.ID] = name
			return s
		}
		open("lapsed", nurse)
		c.clk.Advance(1200 * time.Second)
		over := open("out", nurse)
		require.NoError(t, c.Logout(c.as(t, over.Token)))
		suspicious := open("suspicious", nurse)
		testkit.Write(t, c.db, c.db.Client.Session.UpdateOneID(suspicious.Session.ID).SetIsSuspicious(true).Exec)
		open("live", nurse)
		asking := open("admin", admin)

		list := func(q *ent.SessionQuery, s *identity.LoginResult) (found []string) {
			rows, err := q.Order(ent.Asc(session.FieldID)).All(c.as(t, s.Token))
			require.NoError(t, err)
			for _, row := range rows {
				found = append(found, names[row.ID])
			}
			return found
		}
		for state, want := range map[identity.SessionState][]string{
			identity.StateActive: {"suspicious", "live", "admin"}, identity.StateExpired: {"lapsed", "out"}, identity.StateSuspicious: {"suspicious"},
		} {
			assert.Equal(t, want, list(c.Sessions(t.Context(), &state, nil), asking), state)
		}
		assert.Len(t, list(c.Sessions(t.Context(), nil, nil), asking), 5)
		assert.Equal(t, []string{"admin"}, list(c.Sessions(t.Context(), nil, &admin.ID), asking))
		assert.Equal(t, []string{"suspicious", "live"}, list(c.Sessions(t.Context(), ptr(identity.StateActive), &nurse.ID), asking))
		assert.Len(t, list(c.Sessions(t.Context(), nil, nil), suspicious), 4, "others see their own")

		assert.Equal(t, []string{"admin"}, list(c.MySessions(c.as(t, asking.Token)), asking), "the viewer's own, for administrators too")
		assert.Equal(t, []string{"lapsed", "out", "suspicious", "live"}, list(c.MySessions(c.as(t, suspicious.Token)), suspicious))
		n, err := c.MySessions(from(t, home)).Count(from(t, home))
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Patient)
		asking, one, two := c.signIn(t, u), c.signIn(t, u), c.signIn(t, u)
		ctx := c.as(t, asking.Token)
		change := func(old, password string) (int, error) {
			return c.ChangePassword(ctx, identity.ChangePasswordInput{CurrentPassword: old, NewPassword: password})
		}
		_, err := change(testkit.Password, "too short")
		requireFault(t, err, "WEAK_PASSWORD", "newPassword")
		_, err = change(testkit.Password, u.Email)
		requireFault(t, err, "WEAK_PASSWORD", "newPassword")
		_, err = change("not the old one", "eleven dry umbrellas")
		requireFault(t, err, "INVALID_CREDENTIALS", "currentPassword")
		requireLive(t, c, one)

		n, err := change(testkit.Password, "eleven dry umbrellas")
		require.NoError(t, err)
		assert.Equal(t, 2, n)
		requireLive(t, c, asking)
		requireEnded(t, c, one, session.EndReasonPASSWORD_CHANGED, testkit.Start)
		requireEnded(t, c, two, session.EndReasonPASSWORD_CHANGED, testkit.Start)
		_, err = c.Login(from(t, "203.0.113.99"), identity.LoginInput{Email: u.Email, Password: testkit.Password})
		require.ErrorIs(t, err, identity.ErrInvalidCredentials)
		_, err = c.Login(from(t, "203.0.113.99"), identity.LoginInput{Email: u.Email, Password: "eleven dry umbrellas"})
		require.NoError(t, err)
		_, err = c.ChangePassword(from(t, home), identity.ChangePasswordInput{})
		assert.ErrorIs(t, err, fault.ErrUnauthenticated)
	})
}

// Whoever has a stolen session cannot guess the password either: old passwords count like sign-ins, together with them.
func TestChangePasswordIsLimitedLikeSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		ctx := c.as(t, c.signIn(t, u).Token)
		for i := range 3 {
			_, err := c.ChangePassword(ctx, identity.ChangePasswordInput{CurrentPassword: fmt.Sprint("guess ", i), NewPassword: "eleven dry umbrellas"})
			require.ErrorIs(t, err, identity.ErrInvalidCredentials)
		}
		for i := range 2 {
			_, err := c.Login(from(t, "198.51.100.1"), identity.LoginInput{Email: u.Email, Password: fmt.Sprint("guess ", i)})
			require.ErrorIs(t, err, identity.ErrInvalidCredentials)
		}
		_, err := c.ChangePassword(ctx, identity.ChangePasswordInput{CurrentPassword: testkit.Password, NewPassword: "eleven dry umbrellas"})
		requireThrottled(t, err, "failed sign-ins per minute and account", time.Minute)
	})
}
