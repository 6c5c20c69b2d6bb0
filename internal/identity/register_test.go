package identity_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

func registration(change ...func(in *identity.RegisterPatientInput)) identity.RegisterPatientInput {
	in := identity.RegisterPatientInput{Email: "Mia@Clinic.example", Password: testkit.Password, GivenName: "Mia", FamilyName: "Lau", Phone: ptr("0412 345 678")}
	for _, f := range change {
		f(&in)
	}
	return in
}

func (c *clinic) account(t *testing.T, emailKey string) *ent.User {
	t.Helper()
	u, err := c.db.Client.User.Query().Where(user.EmailKey(emailKey)).Only(testkit.System(t))
	require.NoError(t, err)
	return u
}

func TestRegisterPatient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		accepted, err := c.RegisterPatient(from(t, home), registration())
		require.NoError(t, err)
		assert.True(t, accepted)

		u := c.account(t, "mia@clinic.example")
		assert.Equal(t, "Mia@Clinic.example", u.Email)
		assert.Equal(t, []string{"PATIENT"}, u.Roles)
		assert.Equal(t, "+61412345678", u.Phone)
		assert.Nil(t, u.EmailVerifiedAt)
		assert.True(t, strings.HasPrefix(u.PasswordHash, "$argon2id$"))
		record, err := c.db.Client.Patient.Query().Only(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, &u.ID, record.UserID)
		assert.Equal(t, "P000001", record.Number)
		assert.Equal(t, "Mia@Clinic.example", record.Email)
		assert.Equal(t, "+61412345678", record.Phone)

		mails := c.mails.take()
		require.Len(t, mails, 1)
		assert.Equal(t, "VERIFY_EMAIL", mails[0].Kind)
		assert.Equal(t, "Mia@Clinic.example", mails[0].To)
		assert.Equal(t, &u.ID, mails[0].UserID)
		assert.NotContains(t, mails[0].Subject+mails[0].Body, "Mia ", "what strangers type does not reach others")
		token := tokenIn(mails[0])
		require.Len(t, token, 43)
		row, err := c.db.Client.EmailToken.Query().Only(testkit.System(t))
		require.NoError(t, err)
		assert.NotContains(t, row.TokenHash, token, "the token is stored as a hash alone")
		assert.Equal(t, testkit.Start.Add(24*time.Hour), row.ExpiresAt.UTC())

		result, err := c.Login(from(t, home), identity.LoginInput{Email: "mia@clinic.example", Password: testkit.Password})
		require.NoError(t, err, "a patient may sign in before the address is proved")
		assert.Equal(t, record.ID, result.Viewer.PatientID)
	})
}

// The answer is the same for an address that has an account, which only its owner is told, at most once an hour.
func TestRegisterPatientWithATakenAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		owner := testkit.User(t, c.db, access.Nurse, func(u *ent.UserCreate) { u.SetEmail("mia@clinic.EXAMPLE") })
		for range 2 {
			accepted, err := c.RegisterPatient(from(t, home), registration())
			require.NoError(t, err)
			assert.True(t, accepted)
		}
		mails := c.mails.take()
		require.Len(t, mails, 2)
		for _, m := range mails {
			assert.Equal(t, "ACCOUNT_EXISTS", m.Kind)
			assert.Equal(t, "mia@clinic.EXAMPLE", m.To, "the address as the account has it")
			assert.Empty(t, tokenIn(m))
			assert.Equal(t, mails[0].Occurrence, m.Occurrence, "the outbox sends one of an hour")
		}
		c.clk.Advance(time.Hour)
		_, err := c.RegisterPatient(from(t, home), registration())
		require.NoError(t, err)
		assert.NotEqual(t, mails[0].Occurrence, c.mails.take()[0].Occurrence)
		n, err := c.db.Client.User.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		assert.Equal(t, owner.PasswordHash, c.account(t, "mia@clinic.example").PasswordHash, "nothing is changed")
	})
}

// Who registers again with the same password before the address is proved gets a new link, and the old one is worth nothing. Nobody else does: the owner
// of an address must not be made to confirm an account with somebody else's password.
func TestRegisterPatientAgainBeforeTheProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		register := func(password string) identity.Mail {
			_, err := c.RegisterPatient(from(t, home), registration(func(in *identity.RegisterPatientInput) { in.Password = password }))
			require.NoError(t, err)
			mails := c.mails.take()
			require.Len(t, mails, 1)
			return mails[0]
		}
		first := register(testkit.Password)
		assert.Equal(t, "ACCOUNT_EXISTS", register("another password").Kind)
		again := register(testkit.Password)
		assert.Equal(t, "VERIFY_EMAIL", again.Kind)
		_, err := c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(first)})
		requireFault(t, err, "TOKEN_INVALID")
		_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(again)})
		require.NoError(t, err)
		assert.Equal(t, "ACCOUNT_EXISTS", register(testkit.Password).Kind)
	})
}

func TestConcurrentRegistrationsOfOneAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				accepted, err := c.RegisterPatient(from(t, home), registration(func(in *identity.RegisterPatientInput) { in.Password = fmt.Sprint("a password of ", i) }))
				assert.NoError(t, err)
				assert.True(t, accepted)
			})
		}
		all.Wait()
		kinds := map[string]int{}
		for _, m := range c.mails.take() {
			kinds[m.Kind]++
		}
		assert.Equal(t, map[string]int{"VERIFY_EMAIL": 1, "ACCOUNT_EXISTS": 7}, kinds)
		c.account(t, "mia@clinic.example")
	})
}

// Ten registrations per hour and address of the network, whatever comes of them.
func TestRegistrationLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		register := func(ip string, i int) error {
			_, err := c.RegisterPatient(from(t, ip), registration(func(in *identity.RegisterPatientInput) { in.Email = fmt.Sprintf("u%d@clinic.example", i%7) }))
			return err
		}
		for i := range 10 {
			require.NoError(t, register("2001:db8::1", i))
			c.clk.Advance(time.Minute)
		}
		requireThrottled(t, register("2001:db8::2", 10), "registrations per hour and address", 50*time.Minute)
		require.NoError(t, register("2001:db8:0:1::1", 11))
		c.clk.Advance(50 * time.Minute)
		require.NoError(t, register("2001:db8::2", 12))
	})
}

func TestRegisterPatientChecksAllFieldsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.RegisterPatient(from(t, home), identity.RegisterPatientInput{Email: "x", Password: "short", GivenName: "", FamilyName: "\x00", Phone: ptr("7")})
		assert.Equal(t, []string{"email INVALID_INPUT", "password WEAK_PASSWORD", "givenName INVALID_INPUT", "familyName INVALID_INPUT", "phone INVALID_INPUT"}, fieldsOf(t, err))
		assert.Empty(t, c.mails.take())
	})
}

func TestRegisterPatientIsIdempotentByKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		keyed := func(in *identity.RegisterPatientInput) { in.IdempotencyKey = ptr("k") }
		for range 2 {
			accepted, err := c.RegisterPatient(from(t, home), registration(keyed))
			require.NoError(t, err)
			assert.True(t, accepted)
		}
		assert.Len(t, c.mails.take(), 1, "one effect")
		_, err := c.RegisterPatient(from(t, home), registration(keyed, func(in *identity.RegisterPatientInput) { in.Password = "another password" }))
		require.NoError(t, err, "the stored hash of the input must not let passwords be guessed")
		_, err = c.RegisterPatient(from(t, home), registration(keyed, func(in *identity.RegisterPatientInput) { in.FamilyName = "Other" }))
		assert.ErrorIs(t, err, idem.ErrReused)
	})
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.RegisterPatient(from(t, home), registration())
		require.NoError(t, err)
		token := tokenIn(c.mails.take()[0])
		verify := func(token string) error {
			_, err := c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: token})
			return err
		}
		for _, wrong := range []string{"", "x", token + "x", strings.Repeat("x", 1<<20), "\x00"} {
			requireFault(t, verify(wrong), "TOKEN_INVALID", "token")
		}
		at := c.clk.Advance(24*time.Hour - time.Microsecond)
		isVerified, err := c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: token})
		require.NoError(t, err)
		assert.True(t, isVerified)
		assert.Equal(t, at, c.account(t, "mia@clinic.example").EmailVerifiedAt.UTC())
		requireFault(t, verify(token), "TOKEN_INVALID")
	})
}

func TestVerifyEmailAfter24Hours(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.RegisterPatient(from(t, home), registration())
		require.NoError(t, err)
		c.clk.Advance(24 * time.Hour)
		_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(c.mails.take()[0])})
		requireFault(t, err, "TOKEN_INVALID")
		assert.Nil(t, c.account(t, "mia@clinic.example").EmailVerifiedAt)
	})
}

// A token is good once, however many ask at once.
func TestVerifyEmailOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		_, err := c.RegisterPatient(from(t, home), registration())
		require.NoError(t, err)
		token := tokenIn(c.mails.take()[0])
		good := make(chan struct{}, 8)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if isVerified, _ := c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: token}); isVerified {
					good <- struct{}{}
				}
			})
		}
		all.Wait()
		assert.Len(t, good, 1)
	})
}

// Ten verifications per minute and address.
func TestVerificationLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		verify := func(ctx context.Context) error {
			_, err := c.VerifyEmail(ctx, identity.VerifyEmailInput{Token: "guess"})
			return err
		}
		for range 10 {
			requireFault(t, verify(from(t, home)), "TOKEN_INVALID")
		}
		requireThrottled(t, verify(from(t, home)), "verifications per minute and address", time.Minute)
		requireFault(t, verify(from(t, "203.0.113.8")), "TOKEN_INVALID")
	})
}
