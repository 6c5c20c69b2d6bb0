package identity_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

// After a revocation nobody acts in the session, on whichever instance, even when no hint and no poll ever tell of it.
func TestRevocationHoldsWithoutHints(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		u := testkit.User(t, c.db, access.Nurse)
		asking, gone := c.signIn(t, u), c.signIn(t, u)
		o, l := open(t, other, gone.Viewer), listen(t, other, gone.Viewer)
		l.await(t, 1)
		_, err := c.RevokeSession(c.as(t, asking.Token), identity.RevokeSessionInput{ID: gone.Session.ID})
		require.NoError(t, err)
		assert.Empty(t, o.ended, "nothing has told")
		_, err = o.Viewer(t.Context())
		requireFault(t, err, "SESSION_EXPIRED")
		o.requireEnds(t)
		l.ends(t, session.EndReasonREVOKED)

		_, err = other.Live().Open(t.Context(), gone.Viewer)
		requireFault(t, err, "SESSION_EXPIRED")
	}, withStreams)
}

// The same pointer as long as the rights are the same; another one when they have changed, with the address of the socket.
func TestLiveViewer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		other := deaf(t, c.db, nil)
		u := testkit.User(t, c.db, access.Nurse)
		result := c.signIn(t, u)
		there := *result.Viewer
		there.IP = "198.51.100.4"
		sockets := []*socket{open(t, c.Service, result.Viewer), open(t, other, result.Viewer), open(t, other, &there)}
		viewers := func() (list []*access.Viewer) {
			for _, o := range sockets {
				v, err := o.Viewer(t.Context())
				require.NoError(t, err)
				list = append(list, v)
			}
			return list
		}
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		update := func(in identity.UpdateUserInput) {
			in.ID = u.ID
			_, err := c.UpdateUser(admin, in)
			require.NoError(t, err)
		}
		before := viewers()
		assert.Same(t, result.Viewer, before[0])
		assert.Same(t, &there, before[2])
		update(identity.UpdateUserInput{GivenName: ptr("Kim")})
		c.clk.Advance(600 * time.Second)
		look(t, c.Service, other)
		for i, v := range viewers() {
			assert.Same(t, before[i], v, "a name is no right")
		}

		update(identity.UpdateUserInput{Roles: []access.Role{access.Doctor}})
		after := viewers()
		profile := c.profileOf(t, u)
		for i, v := range after {
			assert.NotSame(t, before[i], v)
			assert.Equal(t, []access.Role{access.Doctor}, v.Roles)
			assert.Equal(t, profile.ID, v.PractitionerID)
			assert.Equal(t, before[i].IP, v.IP)
			assert.Equal(t, []access.Role{access.Nurse}, before[i].Roles, "what others still hold does not change")
		}
		for i, v := range viewers() {
			assert.Same(t, after[i], v)
		}
		update(identity.UpdateUserInput{Email: ptr("kim@clinic.example")})
		assert.Equal(t, "kim@clinic.example", viewers()[1].Email)
	}, withStreams)
}

// Looking at a live session costs the fence alone, and nothing without streams.
func TestLiveViewerReadsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		o := open(t, c.Service, c.signIn(t, testkit.User(t, c.db, access.Nurse)).Viewer)
		away, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := o.Viewer(away)
		require.NoError(t, err)
		c.clk.Advance(1200 * time.Second)
		_, err = o.Viewer(away)
		requireFault(t, err, fault.CodeTimeout)
		_, err = o.Viewer(t.Context())
		requireFault(t, err, "SESSION_EXPIRED")
	})
}

func TestLiveOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.Live().Open(t.Context(), nil)
		require.ErrorIs(t, err, fault.ErrUnauthenticated)
		none, err := c.Live().Open(t.Context(), &access.Viewer{SessionID: uuid.New()})
		requireFault(t, err, "SESSION_EXPIRED")
		none.Close()

		result := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		o, closed := open(t, c.Service, result.Viewer), open(t, c.Service, result.Viewer)
		assert.Equal(t, result.Session.ID, o.ID())
		assert.Equal(t, testkit.Start.Add(1200*time.Second), o.ExpiresAt().UTC())
		c.clk.Advance(time.Second)
		require.NoError(t, c.Touch(t.Context(), result.Viewer))
		assert.Equal(t, testkit.Start.Add(1201*time.Second), o.ExpiresAt().UTC(), "activity that is not written counts")
		closed.Close()
		closed.Close()
		require.NoError(t, c.Logout(c.as(t, result.Token)))
		_, err = o.Viewer(t.Context())
		requireFault(t, err, "SESSION_EXPIRED")
		o.requireEnds(t)
		assert.Empty(t, closed.ended)
		told := 0
		o.OnEnd(func() { told++ })
		closed.OnEnd(func() { told++ })
		assert.Equal(t, 1, told, "at once when it is over, never when it is closed")
		o.Close()
		known, queued := c.Live().Sessions()
		assert.Zero(t, known+queued)
	}, withStreams)
}

// Sockets and subscriptions that come and go leave nothing.
func TestLiveLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		var results []*identity.LoginResult
		for range 10 {
			results = append(results, c.signIn(t, testkit.User(t, c.db, access.Nurse)))
		}
		before := runtime.NumGoroutine()
		var all sync.WaitGroup
		for _, result := range results {
			all.Go(func() {
				for range 100 {
					live, err := c.Live().Open(t.Context(), result.Viewer)
					if !assert.NoError(t, err) {
						return
					}
					source, err := c.Live().Source(access.As(t.Context(), result.Viewer))
					assert.NoError(t, err)
					feed, err := source.Open(t.Context(), func() {})
					assert.NoError(t, err)
					_, err = live.Viewer(t.Context())
					assert.NoError(t, err)
					live.Close()
					feed.Close()
				}
			})
		}
		all.Wait()
		known, queued := c.Live().Sessions()
		assert.Zero(t, known+queued)
		assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+20 }, patience, 10*time.Millisecond)
	}, func(cfg *identity.Config) { cfg.LoginsPerMinute = 1000 }, withStreams)
}
