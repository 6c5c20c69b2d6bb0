package identity_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// told gathers notices.
type told struct {
	mu   sync.Mutex
	list []identity.Notice
}

func (n *told) notice(ctx context.Context, notice identity.Notice) error {
	store.AfterCommit(ctx, func(context.Context) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = append(n.list, notice)
	})
	return nil
}

// A session that floods the server ends as SUSPICIOUS, once, and active administrators are told.
func TestEndSuspicious(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		notices := &told{}
		teller := instance(t, c.db, func(c *identity.Config) { c.Notice = notices.notice })
		ada, dana := testkit.User(t, c.db, access.Admin), testkit.User(t, c.db, access.Admin)
		testkit.User(t, c.db, access.Admin, func(u *ent.UserCreate) { u.SetIsActive(false) })
		testkit.User(t, c.db, access.Doctor)
		victim := testkit.User(t, c.db, access.Patient)
		one, other := c.signIn(t, victim), c.signIn(t, victim)
		v := access.From(c.as(t, one.Token))
		for range 3 {
			requireFault(t, teller.EndSuspicious(from(t, home), v), "SESSION_EXPIRED")
		}
		row := c.row(t, one)
		assert.Equal(t, session.EndReasonSUSPICIOUS, *row.EndReason)
		assert.True(t, row.IsSuspicious)
		assert.Equal(t, c.clk.Now(), row.EndedAt.UTC())
		_, err := c.Authenticate(from(t, home), one.Token)
		requireFault(t, err, "SESSION_EXPIRED")
		_, err = c.Authenticate(from(t, home), other.Token)
		require.NoError(t, err, "the user's other sessions go on")

		list := notices.list
		require.Len(t, list, 2)
		for _, n := range list {
			assert.Contains(t, []any{ada.ID, dana.ID}, n.UserID)
			assert.Equal(t, row.ID, n.SubjectID)
			assert.Equal(t, "SESSION_SUSPICIOUS", n.Kind)
		}
	})
}

// Its end reaches the sockets of other instances, with the reason.
func TestEndSuspiciousReachesSockets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		v := c.signIn(t, testkit.User(t, c.db, access.Patient)).Viewer
		o, l := open(t, other, v), listen(t, other, v)
		l.await(t, 1)
		requireFault(t, c.EndSuspicious(from(t, home), v), "SESSION_EXPIRED")
		_, err := o.Viewer(t.Context())
		requireFault(t, err, "SESSION_EXPIRED")
		o.requireEnds(t)
		l.ends(t, session.EndReasonSUSPICIOUS)
	}, withStreams)
}

// Another network or program in mid-session is flagged once, logged and audited; the session goes on. Staff are not watched.
func TestWatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		role         access.Role
		home         string
		now          identity.Client
		isSuspicious bool
	}{
		{"the same", access.Patient, home, identity.Client{IP: home, UserAgent: "browser"}, false},
		{"the same /24", access.Patient, home, identity.Client{IP: "203.0.113.250", UserAgent: "browser"}, false},
		{"another /24", access.Patient, home, identity.Client{IP: "203.0.114.7", UserAgent: "browser"}, true},
		{"mapped into IPv6", access.Patient, home, identity.Client{IP: "::ffff:203.0.113.9", UserAgent: "browser"}, false},
		{"the same /48", access.Patient, "2001:db8:1:2::3", identity.Client{IP: "2001:db8:1:ffff::9", UserAgent: "browser"}, false},
		{"another /48", access.Patient, "2001:db8:1:2::3", identity.Client{IP: "2001:db8:2:2::3", UserAgent: "browser"}, true},
		{"another family", access.Patient, home, identity.Client{IP: "2001:db8:2:2::3", UserAgent: "browser"}, true},
		{"an address that is not known", access.Patient, home, identity.Client{UserAgent: "browser"}, false},
		{"another program", access.Patient, home, identity.Client{IP: home, UserAgent: "script"}, true},
		{"staff", access.Doctor, home, identity.Client{IP: "198.51.100.1", UserAgent: "script"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			var mu sync.Mutex
			each(t, func(t *testing.T, c *clinic) {
				u := testkit.User(t, c.db, tc.role)
				result, err := c.Login(from(t, tc.home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
				require.NoError(t, err)
				for range 3 {
					_, err := c.Authenticate(identity.WithClient(t.Context(), tc.now), result.Token)
					require.NoError(t, err, "it goes on")
				}
				row := c.row(t, result)
				assert.Equal(t, tc.isSuspicious, row.IsSuspicious)
				assert.Nil(t, row.EndedAt)
				mu.Lock()
				defer mu.Unlock()
				lines := bytes.Count(log.Bytes(), []byte(row.ID.String()))
				if tc.isSuspicious {
					assert.Equal(t, 1, lines, "logged once")
				} else {
					assert.Zero(t, lines)
				}
			}, func(c *identity.Config) { c.Log = slog.New(slog.NewTextHandler(&lockedWriter{&mu, &log}, nil)) })
		})
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// The filters of the list of sessions: active, expired, suspicious, and the user.
func TestSessionFilters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Patient)
		old := c.signIn(t, u)
		c.clk.Advance(1200 * time.Second)
		admin := c.as(t, c.signIn(t, testkit.User(t, c.db, access.Admin)).Token)
		moved, live := c.signIn(t, u), c.signIn(t, u)
		_, err := c.Authenticate(from(t, "198.51.100.9"), moved.Token)
		require.NoError(t, err)
		ended := c.signIn(t, u)
		_, err = c.RevokeSession(admin, identity.RevokeSessionInput{ID: ended.Session.ID})
		require.NoError(t, err)
		for state, want := range map[identity.SessionState][]any{
			identity.StateActive:     {moved.Session.ID, live.Session.ID},
			identity.StateExpired:    {old.Session.ID, ended.Session.ID},
			identity.StateSuspicious: {moved.Session.ID},
		} {
			got, err := c.Sessions(admin, &state, &u.ID).IDs(admin)
			require.NoError(t, err)
			var list []any
			for _, id := range got {
				list = append(list, id)
			}
			assert.ElementsMatch(t, want, list, state)
		}
	})
}

// The login history tells start, end and reason of a session when the session's own row has been deleted.
func TestLoginHistoryStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Patient)
		started := c.clk.Now()
		one, idle := c.signIn(t, u), c.signIn(t, u)
		c.clk.Advance(time.Minute)
		ended := c.clk.Now()
		require.NoError(t, c.Logout(c.as(t, one.Token)))
		_, _, err := c.CleanUp(t.Context())
		require.NoError(t, err)
		c.clk.Advance(31 * 24 * time.Hour)
		_, _, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		c.clk.Advance(31 * 24 * time.Hour)
		_, _, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		left, err := c.db.Client.Session.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Zero(t, left)

		rows, err := c.db.Client.LoginAttempt.Query().All(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, rows, 2)
		for _, row := range rows {
			require.NotNil(t, row.SessionEndedAt)
			assert.Equal(t, started, row.CreatedAt.UTC())
			switch *row.SessionID {
			case one.Session.ID:
				assert.Equal(t, "LOGOUT", row.SessionEndReason)
				assert.Equal(t, ended, row.SessionEndedAt.UTC())
			case idle.Session.ID:
				assert.Equal(t, "IDLE", row.SessionEndReason)
				assert.Equal(t, started.Add(1200*time.Second), row.SessionEndedAt.UTC())
			}
		}
	})
}
