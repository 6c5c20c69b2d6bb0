package identity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/testkit"
)

// The books are closed at the instant at which a session was over, with the reason.
func TestCleanUpClosesTheBooks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		idle, busy, out := c.signIn(t, u), c.signIn(t, u), c.signIn(t, u)
		require.NoError(t, c.Logout(c.as(t, out.Token)))
		for c.clk.Now().Before(testkit.Start.Add(24 * time.Hour)) {
			require.NoError(t, request(t, c.Service, busy.Token))
			c.clk.Advance(15 * time.Minute)
		}
		c.clk.Advance(time.Hour)
		live := c.signIn(t, u)
		closed, deleted, err := c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, closed)
		assert.Zero(t, deleted)
		requireEnded(t, c, idle, session.EndReasonIDLE, testkit.Start.Add(1200*time.Second))
		requireEnded(t, c, busy, session.EndReasonABSOLUTE, testkit.Start.Add(24*time.Hour))
		requireEnded(t, c, out, session.EndReasonLOGOUT, testkit.Start)
		assert.Nil(t, c.row(t, live).EndedAt)
		closed, _, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Zero(t, closed, "again changes nothing")
	})
}

// Activity that this instance has not written yet keeps a session's books open.
func TestCleanUpSparesUnwrittenActivity(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		s := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		c.clk.Advance(10 * time.Second)
		require.NoError(t, request(t, c.Service, s.Token))
		c.clk.Set(testkit.Start.Add(1200 * time.Second))
		closed, _, err := c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Zero(t, closed)
		requireLive(t, c, s)
	})
}

// Sessions go 30 days after their end; the history of sign-ins stays.
func TestCleanUpDeletesAfter30Days(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		s := c.signIn(t, testkit.User(t, c.db, access.Nurse))
		require.NoError(t, c.Logout(c.as(t, s.Token)))
		c.clk.Advance(30 * 24 * time.Hour)
		_, deleted, err := c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Zero(t, deleted, "not more than 30 days ago")
		c.clk.Advance(time.Microsecond)
		_, deleted, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, deleted)
		tries, err := c.db.Client.LoginAttempt.Query().All(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, tries, 1)
		assert.Equal(t, &s.Session.ID, tries[0].SessionID)
		_, err = c.Authenticate(t.Context(), s.Token)
		requireFault(t, err, "SESSION_EXPIRED")
	})
}

func TestCleanUpSweepsWhatIsWorthless(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.RegisterPatient(from(t, home), registration(func(in *identity.RegisterPatientInput) { in.IdempotencyKey = ptr("k") }))
		require.NoError(t, err)
		count := func() (n [3]int) {
			var err [3]error
			n[0], err[0] = c.db.Client.EmailToken.Query().Count(testkit.System(t))
			n[1], err[1] = c.db.Client.IdempotencyKey.Query().Count(testkit.System(t))
			n[2], err[2] = c.db.Client.RateEvent.Query().Count(testkit.System(t))
			require.Equal(t, [3]error{}, err)
			return n
		}
		c.clk.Advance(24 * time.Hour)
		_, _, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Equal(t, [3]int{1, 1, 1}, count())
		c.clk.Advance(time.Microsecond)
		_, _, err = c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Equal(t, [3]int{0, 0, 0}, count())
	})
}

// Codes that join records are counted for an hour, and stay a day longer than they are good for.
func TestCleanUpSweepsLinkCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		require.NoError(t, c.send(t, c.clerk(t), c.paper(t).ID))
		left := func() int {
			_, _, err := c.CleanUp(t.Context())
			require.NoError(t, err)
			n, err := c.db.Client.LinkCode.Query().Count(testkit.System(t))
			require.NoError(t, err)
			return n
		}
		c.clk.Advance(24*time.Hour + 30*time.Minute)
		assert.Equal(t, 1, left())
		c.clk.Advance(time.Microsecond)
		assert.Zero(t, left())
	})
}

// More sessions than one batch holds are all seen to.
func TestCleanUpInBatches(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		const many = 2300
		var rows []*ent.SessionCreate
		for range many {
			rows = append(rows, c.db.Client.Session.Create().SetID(ids.New(ent.TypeSession, c.clk.Now())).SetUserID(u.ID).SetLastActivityAt(testkit.Start).
				SetExpiresAt(testkit.Start.Add(20*time.Minute)).SetEndsAt(testkit.Start.Add(24*time.Hour)).SetIP("").SetUserAgent(""))
		}
		testkit.Write(t, c.db, c.db.Client.Session.CreateBulk(rows...).Exec)
		c.clk.Advance(time.Hour)
		closed, _, err := c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Equal(t, many, closed)
		c.clk.Advance(31 * 24 * time.Hour)
		_, deleted, err := c.CleanUp(t.Context())
		require.NoError(t, err)
		assert.Equal(t, many, deleted)
	})
}
