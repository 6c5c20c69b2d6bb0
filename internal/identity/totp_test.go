package identity_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

const step = 30 * time.Second

// holder is a user with a second factor that is on.
type holder struct {
	c        *clinic
	user     *ent.User
	token    string
	secret   string
	recovery []string
}

func (h *holder) code(t *testing.T, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(h.secret, at)
	require.NoError(t, err)
	return code
}

// enrol sets a second factor up and confirms it; afterwards the clock stands in a step whose code is unused.
func (c *clinic) enrol(t *testing.T, u *ent.User) *holder {
	t.Helper()
	h := &holder{c: c, user: u, token: c.signIn(t, u).Token}
	made, err := c.EnableTotp(c.as(t, h.token), identity.EnableTotpInput{Password: testkit.Password})
	require.NoError(t, err)
	h.secret = made.Secret
	h.recovery, err = c.ConfirmTotp(c.as(t, h.token), identity.ConfirmTotpInput{Code: h.code(t, c.clk.Now())})
	require.NoError(t, err)
	c.clk.Advance(10 * step)
	return h
}

func (h *holder) login(t *testing.T, ip string, code *string) error {
	_, err := h.c.Login(from(t, ip), identity.LoginInput{Email: h.user.Email, Password: testkit.Password, Totp: code})
	return err
}

func TestTotp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Doctor)
		ctx := c.as(t, c.signIn(t, u).Token)
		made, err := c.EnableTotp(ctx, identity.EnableTotpInput{Password: testkit.Password})
		require.NoError(t, err)
		uri, err := url.Parse(made.URI)
		require.NoError(t, err)
		assert.Equal(t, "otpauth://totp", uri.Scheme+"://"+uri.Host)
		assert.Equal(t, "/Test Clinic:"+u.Email, uri.Path)
		assert.Equal(t, made.Secret, uri.Query().Get("secret"))
		assert.Len(t, made.Secret, 32, "20 bytes in base32")

		c.signIn(t, u) // pending: the password is enough
		h := &holder{c: c, user: u, secret: made.Secret}
		codes, err := c.ConfirmTotp(ctx, identity.ConfirmTotpInput{Code: h.code(t, c.clk.Now())})
		require.NoError(t, err)
		assert.Len(t, codes, 10)

		requireFault(t, h.login(t, home, nil), "TOTP_REQUIRED")
		requireFault(t, h.login(t, home, ptr(" ")), "TOTP_REQUIRED")
		requireFault(t, h.login(t, home, ptr(h.code(t, c.clk.Now()))), "INVALID_CREDENTIALS")
		c.clk.Advance(step)
		require.NoError(t, h.login(t, home, ptr(h.code(t, c.clk.Now()))))
		assert.Equal(t, map[string]int{"SUCCESS": 3, "TOTP_REQUIRED": 2, "WRONG_TOTP": 1}, c.outcomes(t))

		_, err = c.EnableTotp(c.as(t, c.tokenOf(t, h)), identity.EnableTotpInput{Password: testkit.Password})
		requireFault(t, err, "ILLEGAL_STATUS")
		_, err = c.ConfirmTotp(ctx, identity.ConfirmTotpInput{Code: "000000"})
		requireFault(t, err, "ILLEGAL_STATUS")
	})
}

// Who registered with another's address must not lock its owner out, who could take the account over by a password reset.
func TestTotpNeedsAProvedAddressOfPatients(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for _, role := range []access.Role{access.Patient, access.Nurse} {
			u := testkit.User(t, c.db, role)
			ctx := c.as(t, c.signIn(t, u).Token)
			testkit.Write(t, c.db, func(ctx context.Context) error {
				return c.db.Client.User.UpdateOneID(u.ID).ClearEmailVerifiedAt().Exec(ctx)
			})
			_, err := c.EnableTotp(ctx, identity.EnableTotpInput{Password: testkit.Password})
			if role == access.Patient {
				requireFault(t, err, "ILLEGAL_STATUS")
				testkit.Write(t, c.db, func(ctx context.Context) error {
					return c.db.Client.User.UpdateOneID(u.ID).SetEmailVerifiedAt(c.clk.Now()).Exec(ctx)
				})
				_, err = c.EnableTotp(ctx, identity.EnableTotpInput{Password: testkit.Password})
			}
			require.NoError(t, err, role)
		}
	})
}

// tokenOf signs a holder in with the next unused code.
func (c *clinic) tokenOf(t *testing.T, h *holder) string {
	t.Helper()
	c.clk.Advance(2 * step)
	result, err := c.Login(from(t, home), identity.LoginInput{Email: h.user.Email, Password: testkit.Password, Totp: ptr(h.code(t, c.clk.Now()))})
	require.NoError(t, err)
	return result.Token
}

// A code is good in its step and one before and after; once it, or a newer one, was used it is worthless.
func TestTotpWindow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		for i, tc := range []struct {
			off  time.Duration
			good bool
		}{{-2 * step, false}, {-step, true}, {0, true}, {step, true}, {2 * step, false}} {
			h := c.enrol(t, testkit.User(t, c.db, access.Nurse))
			ip := fmt.Sprint("198.51.100.", i)
			err := h.login(t, ip, ptr(h.code(t, c.clk.Now().Add(tc.off))))
			if !tc.good {
				requireFault(t, err, "INVALID_CREDENTIALS")
				continue
			}
			require.NoError(t, err, "%s", tc.off)
			for _, older := range []time.Duration{0, -step} {
				requireFault(t, h.login(t, ip, ptr(h.code(t, c.clk.Now().Add(tc.off+older)))), "INVALID_CREDENTIALS")
			}
		}
	})
}

// A recovery code is good once, however it is typed, and each is one of ten.
func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		h := c.enrol(t, testkit.User(t, c.db, access.Biller))
		other := c.enrol(t, testkit.User(t, c.db, access.Biller))
		for i, code := range h.recovery {
			ip := fmt.Sprint("198.51.100.", i)
			requireFault(t, other.login(t, ip, &code), "INVALID_CREDENTIALS")
			require.NoError(t, h.login(t, ip, ptr(strings.ToLower(strings.ReplaceAll(code, "-", " ")))))
			c.clk.Advance(time.Minute)
			requireFault(t, h.login(t, ip, &code), "INVALID_CREDENTIALS")
			c.clk.Advance(time.Minute)
		}
	})
}

// Of fifty callers with one code, on two instances, one gets in; so with a recovery code.
func TestCodesOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	generous := func(c *identity.Config) { c.LoginsPerMinute = 1000 }
	each(t, func(t *testing.T, c *clinic) {
		h := c.enrol(t, testkit.User(t, c.db, access.Doctor))
		instances := []*identity.Service{c.Service, instance(t, c.db, generous)}
		for _, code := range []string{h.code(t, c.clk.Now()), h.recovery[3]} {
			var in, out atomic.Int64
			var all sync.WaitGroup
			for i := range 50 {
				all.Go(func() {
					_, err := instances[i%2].Login(from(t, home), identity.LoginInput{Email: h.user.Email, Password: testkit.Password, Totp: &code})
					if err == nil {
						in.Add(1)
					} else if assert.ErrorIs(t, err, identity.ErrInvalidCredentials) {
						out.Add(1)
					}
				})
			}
			all.Wait()
			assert.EqualValues(t, 1, in.Load())
			assert.EqualValues(t, 49, out.Load())
		}
	}, generous)
}

// Of fifty callers who confirm with one code, one is shown recovery codes: there are ten.
func TestConfirmOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Doctor)
		token := c.signIn(t, u).Token
		made, err := c.EnableTotp(c.as(t, token), identity.EnableTotpInput{Password: testkit.Password})
		require.NoError(t, err)
		code, err := totp.GenerateCode(made.Secret, c.clk.Now())
		require.NoError(t, err)
		var shown atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				codes, _ := c.ConfirmTotp(c.as(t, token), identity.ConfirmTotpInput{Code: code})
				shown.Add(int64(len(codes)))
			})
		}
		all.Wait()
		assert.EqualValues(t, 10, shown.Load())
		stored, err := c.db.Client.RecoveryCode.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 10, stored)
	}, func(c *identity.Config) { c.LoginsPerMinute = 1000 })
}

// Wrong codes count as failed sign-ins, five a minute, at every operation that takes one; a code that is only missing does not.
func TestWrongCodesCount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		h := c.enrol(t, testkit.User(t, c.db, access.Scheduler))
		for range 10 {
			requireFault(t, h.login(t, home, nil), "TOTP_REQUIRED")
		}
		token := c.tokenOf(t, h)
		requireFault(t, h.login(t, home, ptr("12345")), "INVALID_CREDENTIALS")
		requireFault(t, h.login(t, home, ptr("nonsense")), "INVALID_CREDENTIALS")
		for _, in := range []struct {
			identity.DisableTotpInput
			field string
		}{
			{identity.DisableTotpInput{Password: testkit.Password, Code: h.code(t, c.clk.Now())}, "code"}, // used above
			{identity.DisableTotpInput{Password: "wrong one here", Code: h.code(t, c.clk.Now().Add(step))}, "password"},
			{identity.DisableTotpInput{Password: testkit.Password, Code: ""}, "code"},
		} {
			_, err := c.DisableTotp(c.as(t, token), in.DisableTotpInput)
			requireFault(t, err, "INVALID_CREDENTIALS", in.field)
		}
		requireThrottled(t, h.login(t, "198.51.100.77", nil), "failed sign-ins per minute and account", time.Minute)
		_, err := c.DisableTotp(c.as(t, token), identity.DisableTotpInput{Password: testkit.Password, Code: h.code(t, c.clk.Now().Add(step))})
		require.ErrorIs(t, err, fault.ErrThrottled)
		c.clk.Advance(time.Minute)
		done, err := c.DisableTotp(c.as(t, token), identity.DisableTotpInput{Password: testkit.Password, Code: h.code(t, c.clk.Now())})
		require.NoError(t, err)
		assert.True(t, done)
		require.NoError(t, h.login(t, home, nil))
		_, err = c.DisableTotp(c.as(t, token), identity.DisableTotpInput{Password: testkit.Password, Code: "000000"})
		requireFault(t, err, "ILLEGAL_STATUS")
		left, err := c.db.Client.RecoveryCode.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Zero(t, left)
	})
}

// With the second factor on, a wrong password costs the same hashing and answers the same as without; a wrong code answers as a wrong password does.
func TestWrongCodeLooksLikeWrongPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		with, without := c.enrol(t, testkit.User(t, c.db, access.Doctor)), testkit.User(t, c.db, access.Doctor)
		before := c.Hashes()
		var errs []error
		for i, in := range []identity.LoginInput{
			{Email: with.user.Email, Password: testkit.Password, Totp: ptr("123456")},
			{Email: with.user.Email, Password: "something else", Totp: ptr("123456")},
			{Email: without.Email, Password: "something else", Totp: ptr("123456")},
			{Email: "nobody@clinic.example", Password: "something else"},
		} {
			_, err := c.Login(from(t, fmt.Sprint("198.51.100.", i)), in)
			errs = append(errs, err)
		}
		for _, err := range errs {
			assert.Equal(t, errs[0], err)
		}
		assert.EqualValues(t, 4, c.Hashes()-before, "one each")
	})
}

// Only the owner's password begins, and administrators take a lost factor away, but not their own.
func TestTotpRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.User(t, c.db, access.Admin)
		as := c.as(t, c.signIn(t, admin).Token)
		_, err := c.EnableTotp(from(t, home), identity.EnableTotpInput{Password: testkit.Password})
		require.ErrorIs(t, err, fault.ErrUnauthenticated)
		_, err = c.EnableTotp(as, identity.EnableTotpInput{Password: "wrong one here"})
		requireFault(t, err, "INVALID_CREDENTIALS", "password")
		_, err = c.ConfirmTotp(as, identity.ConfirmTotpInput{Code: "123456"})
		requireFault(t, err, "ILLEGAL_STATUS")

		h := c.enrol(t, testkit.User(t, c.db, access.Nurse))
		changed, err := c.UpdateUser(as, identity.UpdateUserInput{ID: h.user.ID, ResetTotp: ptr(true)})
		require.NoError(t, err)
		assert.False(t, changed.HasTotp)
		require.NoError(t, h.login(t, home, nil))
		_, err = c.UpdateUser(as, identity.UpdateUserInput{ID: admin.ID, ResetTotp: ptr(true)})
		requireFault(t, err, "FORBIDDEN", "resetTotp")
		_, err = c.UpdateUser(c.as(t, h.token), identity.UpdateUserInput{ID: admin.ID, ResetTotp: ptr(true)})
		requireFault(t, err, "NOT_FOUND")
	})
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		_, err := c.EnableTotp(c.as(t, c.signIn(t, u).Token), identity.EnableTotpInput{Password: testkit.Password})
		require.ErrorIs(t, err, fault.ErrUnavailable, "without a key nothing is stored")
	}, func(c *identity.Config) { c.TotpKeys = identity.TotpKeys{} })
}

// Keys rotate: what an old one encrypted is read as long as it is given, and its loss shows at the start.
func TestTotpKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		require.NoError(t, c.CheckTotpKeys(t.Context()))
		h := c.enrol(t, testkit.User(t, c.db, access.Nurse))
		row, err := c.db.Client.SecondFactor.Query().Only(testkit.System(t))
		require.NoError(t, err)
		assert.NotContains(t, row.Sealed, h.secret)

		keyed := func(keys string) *identity.Service {
			return instance(t, c.db, func(c *identity.Config) { c.TotpKeys = sealing(t, keys) })
		}
		const first, second = "the first sealing key of thirty-two and more", "another sealing key that is newer than the first"
		rotated, lost := keyed(second+","+first), keyed(second)
		require.NoError(t, rotated.CheckTotpKeys(t.Context()))
		require.ErrorContains(t, lost.CheckTotpKeys(t.Context()), "TOTP_KEYS")
		in := identity.LoginInput{Email: h.user.Email, Password: testkit.Password, Totp: ptr(h.code(t, c.clk.Now()))}
		_, err = lost.Login(from(t, home), in)
		require.ErrorIs(t, err, fault.ErrUnavailable)
		_, err = rotated.Login(from(t, home), in)
		require.NoError(t, err)
	})
	each(t, func(t *testing.T, c *clinic) {
		c.enrol(t, testkit.User(t, c.db, access.Nurse))
		none := instance(t, c.db, func(c *identity.Config) { c.TotpKeys = identity.TotpKeys{} })
		require.ErrorContains(t, none.CheckTotpKeys(t.Context()), "TOTP_KEYS", "no key at all is a lost one")
	})
	_, err := identity.ParseTotpKeys("short")
	require.ErrorContains(t, err, "32")
	require.NotContains(t, err.Error(), "short")
}

// Where staff must have a second factor, those without one have no rows but their own account until they have confirmed one.
func TestStaffWithoutASecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		record := testkit.Patient(t, c.db)
		patients := func(ctx context.Context) int {
			n, err := c.db.Client.Patient.Query().Count(ctx)
			require.NoError(t, err)
			return n
		}
		u := testkit.User(t, c.db, access.Admin)
		ctx := c.as(t, c.signIn(t, u).Token)
		assert.True(t, access.From(ctx).NeedsTotp)
		assert.Zero(t, patients(ctx))
		_, err := c.DeactivateUser(ctx, identity.DeactivateUserInput{ID: *record.UserID})
		requireFault(t, err, "NOT_FOUND")
		_, err = c.CreateUser(ctx, identity.CreateUserInput{Email: "x@clinic.example", Password: testkit.Password, GivenName: "A", FamilyName: "B", Roles: []access.Role{access.Nurse}})
		requireFault(t, err, "FORBIDDEN")

		made, err := c.EnableTotp(ctx, identity.EnableTotpInput{Password: testkit.Password})
		require.NoError(t, err)
		code, err := totp.GenerateCode(made.Secret, c.clk.Now())
		require.NoError(t, err)
		_, err = c.ConfirmTotp(ctx, identity.ConfirmTotpInput{Code: code})
		require.NoError(t, err)
		c.clk.Advance(step)
		ctx = c.as(t, c.tokenOf(t, &holder{c: c, user: u, secret: made.Secret}))
		assert.False(t, access.From(ctx).NeedsTotp)
		assert.Equal(t, 1, patients(ctx))
		patient, err := c.db.Client.User.Get(testkit.System(t), *record.UserID)
		require.NoError(t, err)
		assert.False(t, access.From(c.as(t, c.signIn(t, patient).Token)).NeedsTotp, "patients need none")
	}, func(c *identity.Config) { c.RequireStaffTotp = true })
}

// The secret of one user, put into another's row, opens nothing: whoever can write rows cannot lend out a generator.
func TestTotpSecretIsItsOwners(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		thief, victim := c.enrol(t, testkit.User(t, c.db, access.Nurse)), c.enrol(t, testkit.User(t, c.db, access.Admin))
		factors := map[string]*ent.SecondFactor{}
		rows, err := c.db.Client.SecondFactor.Query().All(testkit.System(t))
		require.NoError(t, err)
		for _, row := range rows {
			factors[row.UserID.String()] = row
		}
		lent, theirs := factors[thief.user.ID.String()], factors[victim.user.ID.String()]
		testkit.Write(t, c.db, c.db.Client.SecondFactor.DeleteOneID(theirs.ID).Exec)
		testkit.Write(t, c.db, c.db.Client.SecondFactor.Create().SetUserID(victim.user.ID).SetSealed(lent.Sealed).SetKeyID(lent.KeyID).SetConfirmedAt(c.clk.Now()).Exec)
		require.ErrorIs(t, victim.login(t, home, ptr(thief.code(t, c.clk.Now()))), fault.ErrUnavailable)
	})
}

// Who takes the factor off that staff must have has nothing but the own account from then on: in the same document and on sockets of other instances.
func TestDisableTotpWhereItIsRequired(t *testing.T) {
	t.Parallel()
	required := func(c *identity.Config) { c.RequireStaffTotp = true }
	each(t, func(t *testing.T, c *clinic) {
		testkit.Patient(t, c.db)
		h := c.enrol(t, testkit.User(t, c.db, access.Scheduler))
		result, err := c.Login(from(t, home), identity.LoginInput{Email: h.user.Email, Password: testkit.Password, Totp: &h.recovery[0]})
		require.NoError(t, err)
		o := open(t, deaf(t, c.db, nil, required), result.Viewer)
		ctx := access.WithHolder(c.as(t, result.Token))
		require.False(t, access.From(ctx).NeedsTotp)
		_, err = c.DisableTotp(ctx, identity.DisableTotpInput{Password: testkit.Password, Code: h.recovery[1]})
		require.NoError(t, err)
		assert.True(t, access.From(ctx).NeedsTotp)
		n, err := c.db.Client.Patient.Query().Count(ctx)
		require.NoError(t, err)
		assert.Zero(t, n)
		v, err := o.Viewer(t.Context())
		require.NoError(t, err)
		assert.True(t, v.NeedsTotp)
	}, withStreams, required)
}
