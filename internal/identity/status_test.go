package identity_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// The warning shows from 300 s before the end to the end; 0 seconds are left when the session is over, and not before.
func TestStatusAt(t *testing.T) {
	t.Parallel()
	const us = time.Microsecond
	for _, tc := range []struct {
		left      time.Duration
		seconds   int
		shows     bool
		isExpired bool
	}{
		{1200 * time.Second, 1200, false, false},
		{300*time.Second + us, 301, false, false},
		{300 * time.Second, 300, true, false},
		{time.Second + us, 2, true, false},
		{us, 1, true, false},
		{0, 0, false, true},
		{-time.Hour, 0, false, true},
	} {
		row := &ent.Session{ExpiresAt: testkit.Start.Add(tc.left), EndsAt: testkit.Start.Add(24 * time.Hour)}
		s := identity.StatusAt(testkit.Start, row, 300*time.Second)
		assert.Equal(t, &identity.SessionStatus{Session: row, SecondsRemaining: tc.seconds, WarningThreshold: 300, ShowWarning: tc.shows, IsExpired: tc.isExpired}, s)
	}
	ended := &ent.Session{ExpiresAt: testkit.Start.Add(time.Hour), EndsAt: testkit.Start.Add(time.Hour), EndedAt: &testkit.Start}
	assert.True(t, identity.StatusAt(testkit.Start, ended, 300*time.Second).IsExpired)
}

func TestSessionStatus(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for role, want := range map[access.Role]identity.UserType{access.Admin: identity.TypeAdmin, access.Doctor: identity.TypeStaff, access.Patient: identity.TypePatient} {
			result := c.signIn(t, testkit.User(t, c.db, role))
			ctx := c.as(t, result.Token)
			s, err := c.SessionStatus(ctx)
			require.NoError(t, err)
			assert.Equal(t, result.Session.ID, s.Session.ID)
			assert.Equal(t, want, s.UserType)
			assert.Equal(t, 1200, s.TimeoutSeconds)
			assert.Equal(t, 1200, s.SecondsRemaining)
			assert.Equal(t, 300, s.WarningThreshold)
		}
		s, err := c.SessionStatus(from(t, home))
		require.NoError(t, err)
		assert.Nil(t, s, "nobody is signed in")
		_, err = c.ExtendSession(from(t, home))
		requireFault(t, err, "UNAUTHENTICATED")
		_, err = c.PingActivity(from(t, home))
		requireFault(t, err, "UNAUTHENTICATED")
	})
}

// Reading the status changes nothing, as often as it is read, and tells of activity that is not written yet.
func TestSessionStatusChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(10 * time.Second)
		require.NoError(t, request(t, c.Service, result.Token))
		ctx := c.as(t, result.Token)
		before := c.row(t, result)
		for range 40 {
			c.clk.Advance(29 * time.Second)
			s, err := c.SessionStatus(ctx)
			require.NoError(t, err)
			assert.Equal(t, testkit.Start.Add(1210*time.Second), s.Session.ExpiresAt.UTC())
			assert.Equal(t, testkit.Start.Add(10*time.Second), s.Session.LastActivityAt.UTC())
		}
		assert.Equal(t, before.ExpiresAt, c.row(t, result).ExpiresAt)
		s, err := c.SessionStatus(ctx)
		require.NoError(t, err)
		assert.Equal(t, 40, s.SecondsRemaining)
		assert.True(t, s.ShowWarning)
	})
}

// A genuine token whose session is over gets the last status; a forged one gets nothing.
func TestSessionStatusWhenOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Admin))
		c.clk.Advance(1200 * time.Second)
		for token, isTold := range map[string]bool{result.Token: true, "a.b.c": false} {
			ctx := from(t, home)
			_, failure := c.Authenticate(ctx, token)
			require.Error(t, failure)
			ctx = access.WithFailure(ctx, failure)
			s, err := c.SessionStatus(ctx)
			require.NoError(t, err)
			require.Equal(t, isTold, s != nil)
			if isTold {
				assert.True(t, s.IsExpired)
				assert.Zero(t, s.SecondsRemaining)
				assert.Equal(t, identity.TypeAdmin, s.UserType)
				assert.Equal(t, result.Session.ID, s.Session.ID)
			}
			_, err = c.ExtendSession(ctx)
			assert.Equal(t, failure, err, "the failure itself is the answer")
		}
	})
}

// extendSession is written at once, so that every instance knows.
func TestExtendSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		ctx := c.as(t, result.Token)
		for i := range 3 {
			c.clk.Advance(time.Second)
			s, err := c.ExtendSession(ctx)
			require.NoError(t, err)
			assert.Equal(t, 1200, s.SecondsRemaining)
			assert.Equal(t, c.clk.Now().Add(1200*time.Second), s.Session.ExpiresAt.UTC())
			assert.Equal(t, c.clk.Now().Add(1200*time.Second), c.row(t, result).ExpiresAt.UTC(), i)
			assert.Equal(t, c.clk.Now(), c.row(t, result).LastActivityAt.UTC())
		}
		c.clk.Set(testkit.Start.Add(24*time.Hour - 10*time.Minute))
		_, err := c.ExtendSession(ctx)
		requireFault(t, err, "SESSION_EXPIRED")
	})
}

// pingActivity moves lastActivityAt alone.
func TestPingActivity(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		ctx := c.as(t, result.Token)
		c.clk.Advance(100 * time.Second)
		s, err := c.PingActivity(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1100, s.SecondsRemaining)
		assert.Equal(t, c.clk.Now(), s.Session.LastActivityAt.UTC())
		assert.Equal(t, c.clk.Now(), c.row(t, result).LastActivityAt.UTC())
		assert.Equal(t, testkit.Start.Add(1200*time.Second), c.row(t, result).ExpiresAt.UTC())
		require.NoError(t, c.Flush(t.Context()))
		assert.Equal(t, testkit.Start.Add(1200*time.Second), c.row(t, result).ExpiresAt.UTC())
	})
}

// Activity that is written later does not take a ping back.
func TestPingActivityStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(5 * time.Second)
		require.NoError(t, request(t, c.Service, result.Token))
		at := c.clk.Advance(5 * time.Second)
		_, err := c.PingActivity(c.as(t, result.Token))
		require.NoError(t, err)
		require.NoError(t, c.Flush(t.Context()))
		assert.Equal(t, at, c.row(t, result).LastActivityAt.UTC())
		assert.Equal(t, testkit.Start.Add(1205*time.Second), c.row(t, result).ExpiresAt.UTC())
	})
}

// Touch is for sessions: without one nothing happens.
func TestTouchWithoutSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		var trips atomic.Int64
		ctx := store.CountRoundTrips(t.Context(), &trips)
		require.NoError(t, c.Touch(ctx, nil))
		require.NoError(t, c.Touch(ctx, &access.Viewer{UserID: uuid.New()}))
		assert.Zero(t, trips.Load())
	})
}
