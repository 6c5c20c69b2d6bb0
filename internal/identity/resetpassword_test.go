package identity_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

var resetLink = regexp.MustCompile(`https://clinic\.example/reset-password\?token=(\S+)`)

// askReset asks for a new password and returns the mailed token; "" when no mail went out.
func (c *clinic) askReset(t *testing.T, email string) string {
	t.Helper()
	accepted, err := c.RequestPasswordReset(from(t, home), identity.RequestPasswordResetInput{Email: email})
	require.NoError(t, err)
	require.True(t, accepted)
	mails := c.mails.take()
	if len(mails) == 0 {
		return ""
	}
	require.Len(t, mails, 1)
	require.Equal(t, "RESET_PASSWORD", mails[0].Kind)
	return resetLink.FindStringSubmatch(mails[0].Body)[1]
}

func (c *clinic) reset(t *testing.T, token, password string) error {
	_, err := c.ResetPassword(from(t, home), identity.ResetPasswordInput{Token: token, NewPassword: password})
	return err
}

const fresh = "twelve green ladders"

func TestResetPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Patient, func(u *ent.UserCreate) { u.Mutation().ResetEmailVerifiedAt() })
		signedIn := []*identity.LoginResult{c.signIn(t, u), c.signIn(t, u)}
		token := c.askReset(t, strings.ToUpper(u.Email))
		requireFault(t, c.reset(t, token+"x", fresh), "TOKEN_INVALID", "token")
		for _, weak := range []string{"", "too short", "password1234", u.Email} {
			requireFault(t, c.reset(t, token, weak), "WEAK_PASSWORD", "newPassword")
		}
		require.NoError(t, c.reset(t, token, fresh), "a weak password has not used the token up")
		requireFault(t, c.reset(t, token, fresh+"!"), "TOKEN_INVALID")
		for _, s := range signedIn {
			_, err := c.Authenticate(from(t, home), s.Token)
			requireFault(t, err, "SESSION_EXPIRED")
			assert.Equal(t, session.EndReasonPASSWORD_CHANGED, *c.row(t, s).EndReason)
		}
		_, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
		requireFault(t, err, "INVALID_CREDENTIALS")
		_, err = c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: fresh})
		require.NoError(t, err)
		changed, err := c.db.Client.User.Get(testkit.System(t), u.ID)
		require.NoError(t, err)
		assert.NotNil(t, changed.EmailVerifiedAt, "who has the token reads the address")
	})
}

// The second factor stays: a mailbox alone lets nobody in.
func TestResetPasswordKeepsTheSecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		h := c.enrol(t, testkit.User(t, c.db, access.Doctor))
		require.NoError(t, c.reset(t, c.askReset(t, h.user.Email), fresh))
		in := identity.LoginInput{Email: h.user.Email, Password: fresh}
		_, err := c.Login(from(t, home), in)
		requireFault(t, err, "TOTP_REQUIRED")
		in.Totp = ptr(h.code(t, c.clk.Now()))
		_, err = c.Login(from(t, home), in)
		require.NoError(t, err)
	})
}

// A token is good for 30 minutes, until the next one, until the password or the address is changed, and as long as the account is active.
func TestResetTokensEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := c.as(t, c.signIn(t, testkit.User(t, c.db, access.Admin)).Token)
		for name, end := range map[string]func(u *ent.User) error{
			"after 30 minutes": func(*ent.User) error { c.clk.Advance(30 * time.Minute); return nil },
			"by the next one":  func(u *ent.User) error { c.askReset(t, u.Email); return nil },
			"by a change of the password": func(u *ent.User) error {
				_, err := c.ChangePassword(c.as(t, c.signIn(t, u).Token), identity.ChangePasswordInput{CurrentPassword: testkit.Password, NewPassword: fresh})
				return err
			},
			"by a change of the address": func(u *ent.User) error {
				_, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: ptr("moved." + u.Email)})
				return err
			},
			"by the end of the account": func(u *ent.User) error {
				_, err := c.DeactivateUser(admin, identity.DeactivateUserInput{ID: u.ID})
				return err
			},
		} {
			u := testkit.User(t, c.db, access.Nurse)
			token := c.askReset(t, u.Email)
			require.NoError(t, end(u), name)
			c.mails.take()
			requireFault(t, c.reset(t, token, fresh), "TOKEN_INVALID")
		}
		u := testkit.User(t, c.db, access.Nurse)
		token := c.askReset(t, u.Email)
		c.clk.Advance(30*time.Minute - time.Microsecond)
		require.NoError(t, c.reset(t, token, fresh))
	})
}

// Of fifty who use one token at once, on two instances, one sets the password.
func TestResetOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	generous := func(c *identity.Config) { c.VerificationsPerMinute = 1000 }
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Doctor)
		token := c.askReset(t, u.Email)
		instances := []*identity.Service{c.Service, instance(t, c.db, generous)}
		var done atomic.Int64
		var winner atomic.Value
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				password := fmt.Sprint(fresh, i)
				isReset, err := instances[i%2].ResetPassword(from(t, home), identity.ResetPasswordInput{Token: token, NewPassword: password})
				if isReset {
					done.Add(1)
					winner.Store(password)
				} else {
					assert.ErrorIs(t, err, identity.ErrTokenInvalid)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, done.Load())
		_, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: winner.Load().(string)})
		require.NoError(t, err)
	}, generous)
}

// Answer, limit and work are the same whether or not there is an account, or an active one: three mails an hour and address.
func TestRequestPasswordResetTellsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		known := testkit.User(t, c.db, access.Patient)
		gone := testkit.User(t, c.db, access.Patient, func(u *ent.UserCreate) { u.SetIsActive(false) })
		work := map[string]int64{}
		for name, email := range map[string]string{"known": known.Email, "gone": gone.Email, "nobody": "nobody@clinic.example"} {
			work[name] = 1 << 30
			hashes := c.Hashes()
			for range 3 {
				var trips atomic.Int64
				accepted, err := c.RequestPasswordReset(store.CountRoundTrips(from(t, home), &trips), identity.RequestPasswordResetInput{Email: email})
				require.NoError(t, err)
				require.True(t, accepted)
				work[name] = min(work[name], trips.Load()) // more are counted where a statement is prepared for the first time
			}
			assert.Equal(t, hashes, c.Hashes())
			for _, ip := range []string{home, "198.51.100.1"} {
				_, err := c.RequestPasswordReset(from(t, ip), identity.RequestPasswordResetInput{Email: email})
				requireThrottled(t, err, "reset mails per hour and address", time.Hour)
			}
			mails := c.mails.take()
			if name == "known" {
				assert.Len(t, mails, 3)
			} else {
				assert.Empty(t, mails)
			}
		}
		assert.Equal(t, work["nobody"], work["gone"])
		assert.Equal(t, work["known"]+2, work["nobody"], "the mail and its line of the audit, which nobody writes here: %v", work)
		c.clk.Advance(time.Hour)
		assert.NotEmpty(t, c.askReset(t, known.Email))
	})
}

func TestRequestPasswordResetRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for _, wrong := range []string{"", "nobody", "a@b", "x@clinic.example\nBcc: y@clinic.example"} {
			_, err := c.RequestPasswordReset(from(t, home), identity.RequestPasswordResetInput{Email: wrong})
			requireFault(t, err, "INVALID_INPUT", "email")
		}
		reset := func(ctx context.Context) error {
			_, err := c.ResetPassword(ctx, identity.ResetPasswordInput{Token: "guess", NewPassword: fresh})
			return err
		}
		for range 10 {
			requireFault(t, reset(from(t, home)), "TOKEN_INVALID")
		}
		requireThrottled(t, reset(from(t, home)), "verifications per minute and address", time.Minute)
		requireFault(t, reset(from(t, "203.0.113.8")), "TOKEN_INVALID")
	})
}

// A request that runs into a change of the address mails nothing to the former one, and leaves no token that was.
func TestRequestPasswordResetDuringAMove(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u, admin := testkit.User(t, c.db, access.Doctor), testkit.As(t, testkit.User(t, c.db, access.Admin))
		asked, mails := make(chan error, 1), &mailbox{}
		elsewhere := instance(t, c.db, func(c *identity.Config) { c.Mail = mails.mail })
		mover := instance(t, c.db, func(c *identity.Config) {
			c.Mail = func(context.Context, identity.Mail) error { // in the transaction, behind the end of earlier tokens
				go func() {
					_, err := elsewhere.RequestPasswordReset(from(t, home), identity.RequestPasswordResetInput{Email: u.Email})
					asked <- err
				}()
				assert.Never(t, func() bool { return len(asked) > 0 }, 300*time.Millisecond, 10*time.Millisecond, "it waits for the move")
				return nil
			}
		})
		_, err := mover.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: ptr("moved@clinic.example")})
		require.NoError(t, err)
		require.NoError(t, <-asked)
		assert.Empty(t, mails.take())
		n, err := c.db.Client.EmailToken.Query().Where(emailtoken.PurposeEQ(emailtoken.PurposeRESET_PASSWORD)).Count(testkit.System(t))
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}
