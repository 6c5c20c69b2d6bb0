package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/loginattempt"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		p := testkit.Patient(t, c.db)
		u, err := c.db.Client.User.Get(testkit.System(t), *p.UserID)
		require.NoError(t, err)
		ctx := from(t, home)
		result, err := c.Login(ctx, identity.LoginInput{Email: " " + strings.ToUpper(u.Email), Password: testkit.Password, UseCookie: ptr(true)})
		require.NoError(t, err, "an address is known in any case")
		assert.True(t, result.UseCookie)

		now := c.clk.Now()
		s := result.Session
		assert.Equal(t, u.ID, s.UserID)
		assert.Equal(t, now, s.CreatedAt)
		assert.Equal(t, now, s.LastActivityAt)
		assert.Equal(t, now.Add(1200*time.Second), s.ExpiresAt)
		assert.Equal(t, now.Add(24*time.Hour), s.EndsAt)
		assert.Nil(t, s.EndedAt)
		assert.Equal(t, home, s.IP)
		assert.Equal(t, "browser", s.UserAgent)

		want := &access.Viewer{UserID: u.ID, SessionID: s.ID, PatientID: p.ID, Email: u.Email, Roles: []access.Role{access.Patient}, IP: home, UserAgent: "browser"}
		assert.Equal(t, want, result.Viewer)
		assert.Equal(t, want, access.From(ctx), "the rest of the document runs as the new viewer")
		v, err := c.Authenticate(from(t, home), result.Token)
		require.NoError(t, err)
		assert.Equal(t, want, v)

		tries, err := c.db.Client.LoginAttempt.Query().All(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, tries, 1)
		assert.Equal(t, loginattempt.OutcomeSUCCESS, tries[0].Outcome)
		assert.Equal(t, &u.ID, tries[0].UserID)
		assert.Equal(t, &s.ID, tries[0].SessionID)
		assert.Equal(t, home, tries[0].IP)
		assert.Equal(t, "browser", tries[0].UserAgent)
		assert.NotContains(t, tries[0].EmailHash, "@")
	})
}

// Wrong address, wrong password and a deactivated account are told apart in the history alone.
func TestLoginFailuresLookAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		gone := testkit.User(t, c.db, access.Nurse, func(u *ent.UserCreate) { u.SetIsActive(false) })
		for i, in := range []identity.LoginInput{
			{Email: "nobody@clinic.example", Password: testkit.Password},
			{Email: u.Email, Password: testkit.Password + "!"},
			{Email: u.Email, Password: ""},
			{Email: u.Email, Password: strings.Repeat("x", 1<<20)},
			{Email: gone.Email, Password: testkit.Password},
			{Email: strings.Repeat("x", 1<<10), Password: "\x00\xff"},
		} {
			ctx := from(t, fmt.Sprint("198.51.100.", i))
			_, err := c.Login(ctx, in)
			assert.Equal(t, identity.ErrInvalidCredentials, err)
			assert.Nil(t, access.From(ctx))
		}
		assert.Equal(t, map[string]int{"WRONG_CREDENTIALS": 5, "INACTIVE": 1}, c.outcomes(t))
	})
}

func requireThrottled(t *testing.T, err error, name string, after time.Duration) {
	t.Helper()
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	assert.Equal(t, fault.CodeThrottled, f.Code)
	assert.Equal(t, limit.Exceeded{Limit: name}, f.Detail)
	assert.Equal(t, after, f.RetryAfter)
}

// Five failed sign-ins per minute and account, from wherever they come; successes do not count.
func TestLoginLimitPerAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u, other := testkit.User(t, c.db, access.Nurse), testkit.User(t, c.db, access.Nurse)
		try := func(n int, email, password string) error {
			_, err := c.Login(from(t, fmt.Sprint("198.51.100.", n)), identity.LoginInput{Email: email, Password: password})
			return err
		}
		for n := range 12 {
			require.NoError(t, try(n, u.Email, testkit.Password))
		}
		for n := range 5 {
			require.ErrorIs(t, try(n, u.Email, "wrong"), identity.ErrInvalidCredentials)
			c.clk.Advance(time.Second)
		}
		requireThrottled(t, try(99, strings.ToUpper(u.Email), testkit.Password), "failed sign-ins per minute and account", 55*time.Second)
		require.NoError(t, try(99, other.Email, testkit.Password), "another account")
		for n := range 5 { // an account that does not exist is counted alike
			require.ErrorIs(t, try(100+n, "nobody@clinic.example", "wrong"), identity.ErrInvalidCredentials)
		}
		require.ErrorIs(t, try(105, "nobody@clinic.example", "wrong"), fault.ErrThrottled)

		c.clk.Advance(55 * time.Second)
		require.NoError(t, try(99, u.Email, testkit.Password))
		assert.Equal(t, map[string]int{"SUCCESS": 14, "WRONG_CREDENTIALS": 10, "THROTTLED": 2}, c.outcomes(t))
	})
}

// Five failed sign-ins per minute and address, whatever the accounts.
func TestLoginLimitPerAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		for n := range 5 {
			_, err := c.Login(from(t, home), identity.LoginInput{Email: fmt.Sprintf("u%d@clinic.example", n), Password: "wrong"})
			require.ErrorIs(t, err, identity.ErrInvalidCredentials)
		}
		in := identity.LoginInput{Email: u.Email, Password: testkit.Password}
		_, err := c.Login(from(t, home), in)
		requireThrottled(t, err, "failed sign-ins per minute and address", time.Minute)
		_, err = c.Login(from(t, "203.0.113.8"), in)
		require.NoError(t, err)
	})
}

// Of 100 wrong tries at once, on two instances, at most five get as far as the password.
func TestHundredConcurrentWrongSignIns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		instances := []*identity.Service{c.Service, instance(t, c.db)}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				_, err := instances[i%2].Login(from(t, home), identity.LoginInput{Email: u.Email, Password: fmt.Sprint("wrong ", i)})
				assert.Condition(t, func() bool {
					return errors.Is(err, identity.ErrInvalidCredentials) || errors.Is(err, fault.ErrThrottled)
				}, "%v", err)
			})
		}
		all.Wait()
		assert.Equal(t, map[string]int{"WRONG_CREDENTIALS": 5, "THROTTLED": 95}, c.outcomes(t))
	})
}

// A ward that signs in at the same minute from one address is let in, all of it.
func TestConcurrentRightSignIns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				_, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
				assert.NoError(t, err)
			})
		}
		all.Wait()
		assert.Equal(t, map[string]int{"SUCCESS": 30}, c.outcomes(t))
		left, err := c.db.Client.RateEvent.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Zero(t, left, "each has given its count back")
	})
}

// What changes between the check of a password and the new session decides.
func TestSessionOfAChangedAccountDoesNotComeToBe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for name, change := range map[string]func(*ent.UserUpdateOne){
			"another password": func(u *ent.UserUpdateOne) { u.SetPasswordHash("other") },
			"deactivated":      func(u *ent.UserUpdateOne) { u.SetIsActive(false) },
		} {
			u := testkit.User(t, c.db, access.Nurse)
			require.NoError(t, c.OpenAfterCheck(from(t, home), u))
			testkit.Write(t, c.db, func(ctx context.Context) error {
				update := c.db.Client.User.UpdateOneID(u.ID)
				change(update)
				return update.Exec(ctx)
			})
			require.ErrorIs(t, c.OpenAfterCheck(from(t, home), u), identity.ErrChangedMeanwhile, name)
		}
	})
}

func TestClient(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"": "", "somewhere": "somewhere",
	} {
		assert.Equal(t, want, identity.Client{IP: ip}.Network(), ip)
	}
	dirty := identity.ClientOf(identity.WithClient(t.Context(), identity.Client{IP: "::1\x00", UserAgent: "a\n\xffb" + strings.Repeat("é", 512)}))
	assert.Equal(t, "::1", dirty.IP)
	assert.Equal(t, "ab"+strings.Repeat("é", 255), dirty.UserAgent)
	assert.Equal(t, identity.Client{}, identity.ClientOf(t.Context()))
}
