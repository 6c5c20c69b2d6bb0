package identity_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Expired when now >= expiresAt: 1200 s after the last activity, not a microsecond before.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		token := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Token
		c.clk.Advance(1200*time.Second - time.Microsecond)
		_, err := c.Authenticate(t.Context(), token)
		require.NoError(t, err)
		c.clk.Advance(time.Microsecond)
		_, err = c.Authenticate(t.Context(), token)
		requireFault(t, err, "SESSION_EXPIRED")
	})
}

// The timeouts of patients and staff are set apart.
func TestTimeoutsByUserType(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for role, want := range map[access.Role]time.Duration{access.Patient: 600 * time.Second, access.Nurse: 900 * time.Second, access.Admin: 900 * time.Second} {
			result := c.signIn(t, testkit.User(t, c.db, role))
			assert.Equal(t, c.clk.Now().Add(want), result.Session.ExpiresAt, role)
			c.clk.Advance(20 * time.Second)
			require.NoError(t, request(t, c.Service, result.Token))
			assert.Equal(t, c.clk.Now().Add(want), c.row(t, result).ExpiresAt.UTC(), role)
		}
	}, func(c *identity.Config) { c.PatientTimeout, c.StaffTimeout = 600*time.Second, 900*time.Second })
}

// However busy, a session ends 24 hours after the sign-in.
func TestAbsoluteTimeout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		for c.clk.Now().Before(testkit.Start.Add(24*time.Hour - 10*time.Minute)) {
			c.clk.Advance(10 * time.Minute)
			require.NoError(t, request(t, c.Service, result.Token))
		}
		assert.Equal(t, testkit.Start.Add(24*time.Hour), c.row(t, result).ExpiresAt.UTC())
		c.clk.Set(testkit.Start.Add(24*time.Hour - time.Microsecond))
		require.NoError(t, request(t, c.Service, result.Token))
		c.clk.Advance(time.Microsecond)
		requireFault(t, request(t, c.Service, result.Token), "SESSION_EXPIRED")
	})
}

// Authenticating costs one round trip, and so does the whole of a request within 15 s of the last write.
func TestAuthenticateIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		var trips atomic.Int64
		ctx := store.CountRoundTrips(from(t, home), &trips)
		v, err := c.Authenticate(ctx, result.Token)
		require.NoError(t, err)
		require.NoError(t, c.Touch(ctx, v))
		assert.EqualValues(t, 1, trips.Load())
	})
}

// At most one write per 15 s: what comes in between is kept, and written when the time is over.
func TestActivityIsCoalesced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		expires := func() time.Duration { return c.row(t, result).ExpiresAt.Sub(testkit.Start.Add(1200 * time.Second)) }
		step := func(at time.Duration) {
			c.clk.Set(testkit.Start.Add(at))
			require.NoError(t, request(t, c.Service, result.Token))
		}
		step(14 * time.Second)
		require.NoError(t, c.FlushDue(t.Context()))
		assert.Zero(t, expires(), "the sign-in wrote less than 15 s ago")
		c.clk.Advance(time.Second)
		require.NoError(t, c.FlushDue(t.Context()))
		assert.Equal(t, 14*time.Second, expires(), "the activity of second 14, at second 15")
		assert.Equal(t, testkit.Start.Add(14*time.Second), c.row(t, result).LastActivityAt.UTC())

		step(29 * time.Second)
		assert.Equal(t, 14*time.Second, expires())
		step(30 * time.Second)
		assert.Equal(t, 30*time.Second, expires(), "15 s after the last write a request writes by itself")
		step(40 * time.Second)
		require.NoError(t, c.Flush(t.Context()))
		assert.Equal(t, 40*time.Second, expires(), "the shutdown writes what there is")
		assert.Equal(t, 1, c.Known())
		c.clk.Advance(15 * time.Second)
		require.NoError(t, c.FlushDue(t.Context()))
		assert.Zero(t, c.Known(), "a quiet session is forgotten")
	})
}

// Run writes what is due without being asked.
func TestRunFlushes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(10 * time.Second)
		require.NoError(t, request(t, c.Service, result.Token))
		c.clk.Advance(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		assert.Eventually(t, func() bool { return c.row(t, result).ExpiresAt.Equal(testkit.Start.Add(1210 * time.Second)) }, 10*time.Second, 20*time.Millisecond)
		cancel()
		<-done
	})
}

// The instance that knows of newer activity counts it in, also near the end of a session.
func TestUnwrittenActivityCounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		token := c.signIn(t, testkit.User(t, c.db, access.Nurse)).Token
		c.clk.Advance(10 * time.Second)
		require.NoError(t, request(t, c.Service, token))
		c.clk.Set(testkit.Start.Add(1205 * time.Second)) // the row's end is over
		_, err := c.Authenticate(t.Context(), token)
		require.NoError(t, err)
		require.NoError(t, c.Flush(t.Context()))
		_, err = instance(t, c.db).Authenticate(t.Context(), token)
		require.NoError(t, err, "and so does everybody once it is written")
	})
}

// The activity of an instance that is behind does not move the end back.
func TestActivityOnlyMovesForward(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result, other := c.signIn(t, testkit.User(t, c.db, access.Nurse)), instance(t, c.db)
		c.clk.Advance(5 * time.Second)
		require.NoError(t, request(t, c.Service, result.Token)) // kept
		c.clk.Advance(5 * time.Second)
		require.NoError(t, request(t, other, result.Token)) // written: it has not written yet
		require.NoError(t, c.Flush(t.Context()))
		row := c.row(t, result)
		assert.Equal(t, testkit.Start.Add(1210*time.Second), row.ExpiresAt.UTC())
		assert.Equal(t, testkit.Start.Add(10*time.Second), row.LastActivityAt.UTC())
	})
}

// A session that is over stays so, whatever an open socket still sends for it.
func TestNothingRevivesASession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		lapsed, revoked := c.signIn(t, u), c.signIn(t, u)
		_, err := c.RevokeSession(c.as(t, lapsed.Token), identity.RevokeSessionInput{ID: revoked.Session.ID})
		require.NoError(t, err)
		c.clk.Advance(1200 * time.Second)
		for range 4 {
			for _, s := range []*identity.LoginResult{lapsed, revoked} {
				ctx := access.As(from(t, home), s.Viewer)
				require.NoError(t, c.Touch(ctx, s.Viewer))
				_, err := c.ExtendSession(ctx)
				requireFault(t, err, "SESSION_EXPIRED")
				_, err = c.PingActivity(ctx)
				requireFault(t, err, "SESSION_EXPIRED")
				require.NoError(t, c.Flush(t.Context()))
				_, err = c.Authenticate(t.Context(), s.Token)
				requireFault(t, err, "SESSION_EXPIRED")
				assert.Equal(t, testkit.Start.Add(1200*time.Second), c.row(t, s).ExpiresAt.UTC())
				assert.Equal(t, testkit.Start, c.row(t, s).LastActivityAt.UTC())
			}
			c.clk.Advance(time.Second)
		}
	})
}

// What is sent for a session that was ended in the middle of its life moves nothing, kept activity included.
func TestEndedSessionIsNotExtended(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(5 * time.Second)
		require.NoError(t, request(t, c.Service, result.Token))
		require.NoError(t, c.Logout(access.As(from(t, home), result.Viewer)))
		require.NoError(t, c.Flush(t.Context()))
		c.clk.Advance(20 * time.Second)
		require.NoError(t, c.Touch(t.Context(), result.Viewer))
		assert.Equal(t, testkit.Start.Add(1200*time.Second), c.row(t, result).ExpiresAt.UTC())
		assert.Equal(t, testkit.Start, c.row(t, result).LastActivityAt.UTC())
	})
}

// Activity that came too late counts for nothing, even while it could not be written.
func TestLateActivityThatIsNotWrittenDoesNotCount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(1200 * time.Second)
		away, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, c.Touch(away, result.Viewer))
		_, err := c.Authenticate(t.Context(), result.Token)
		requireFault(t, err, "SESSION_EXPIRED")
	})
}

// A database that is away takes nothing from a session: what was not written is kept and tried again.
func TestActivitySurvivesAFailedWrite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(20 * time.Second)
		away, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, c.Touch(away, result.Viewer))
		require.NoError(t, c.FlushDue(t.Context()))
		assert.Equal(t, testkit.Start.Add(1220*time.Second), c.row(t, result).ExpiresAt.UTC())
	})
}

// Property: whatever requests come to whichever of two instances, whenever, a session is live exactly until its timeout after the last of them.
func TestSlidingSessionProperty(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := &clinic{db: db, clk: clk, Service: instance(t, db)}
		u := testkit.User(t, db, access.Nurse)
		rapid.Check(t, func(rt *rapid.T) { slide(t, rt, c, u) })
	})
}

func slide(t *testing.T, rt *rapid.T, c *clinic, u *ent.User) {
	timeout := time.Duration(rapid.IntRange(60, 1200).Draw(rt, "timeout")) * time.Second
	instances := []*identity.Service{}
	for range 2 {
		instances = append(instances, instance(t, c.db, func(cfg *identity.Config) { cfg.StaffTimeout, cfg.Warning = timeout, timeout/4 }))
	}
	result, err := instances[0].Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
	require.NoError(rt, err)
	ends := c.clk.Now().Add(24 * time.Hour)
	expires := c.clk.Now().Add(timeout)
	wait := func(d time.Duration) { // the background loops run meanwhile
		until := c.clk.Now().Add(d)
		for range 20 { // what is due comes up within the first seconds
			if c.clk.Now().Add(time.Second).After(until) {
				break
			}
			c.clk.Advance(time.Second)
			for _, s := range instances {
				require.NoError(rt, s.FlushDue(t.Context()))
			}
		}
		c.clk.Set(until)
	}
	steps := rapid.IntRange(1, 12).Draw(rt, "steps")
	for range steps {
		switch rapid.IntRange(0, 3).Draw(rt, "pause") {
		case 0:
			wait(time.Duration(rapid.IntRange(0, 14_999).Draw(rt, "ms")) * time.Millisecond)
		case 1:
			wait(time.Duration(rapid.IntRange(0, 60).Draw(rt, "s")) * time.Second)
		case 2:
			wait(max(expires.Sub(c.clk.Now())-time.Microsecond, 0)) // just before its end
		case 3:
			wait(time.Duration(rapid.IntRange(0, int(timeout/time.Second)+5).Draw(rt, "up to the end")) * time.Second)
		}
		for i, s := range instances {
			_, err := s.Authenticate(t.Context(), result.Token)
			require.Equal(rt, c.clk.Now().Before(expires), err == nil, "instance %d at %s, end %s", i, c.clk.Now(), expires)
		}
		if rapid.Bool().Draw(rt, "acts") {
			err := request(t, instances[rapid.IntRange(0, 1).Draw(rt, "where")], result.Token)
			if c.clk.Now().Before(expires) {
				require.NoError(rt, err)
				expires = c.clk.Now().Add(timeout)
				if expires.After(ends) {
					expires = ends
				}
			}
		}
	}
}
