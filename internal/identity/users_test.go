package identity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/practitioner"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

func newUser(email string, roles ...access.Role) identity.CreateUserInput {
	return identity.CreateUserInput{Email: email, Password: testkit.Password, GivenName: "Kim", FamilyName: "Osei", Roles: roles}
}

// profileOf returns a user's profile with its credentials; nil when there is none.
func (c *clinic) profileOf(t *testing.T, u *ent.User) *ent.Practitioner {
	t.Helper()
	p, err := c.db.Client.Practitioner.Query().Where(practitioner.UserID(u.ID)).WithCredentials().Only(testkit.System(t))
	require.NoError(t, ent.MaskNotFound(err))
	return p
}

func (c *clinic) hasRecord(t *testing.T, u *ent.User) bool {
	t.Helper()
	has, err := c.db.Client.Patient.Query().Where(patient.UserID(u.ID)).Exist(testkit.System(t))
	require.NoError(t, err)
	return has
}

// Every role gets what it needs: practitioners a profile with credentials, patients a record, the others nothing.
func TestCreateUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		for _, role := range access.Roles {
			u, err := c.CreateUser(admin, newUser(string(role)+"@clinic.example", role, role))
			require.NoError(t, err, role)
			assert.Equal(t, []string{string(role)}, u.Roles)
			assert.True(t, u.IsActive)
			assert.Nil(t, u.EmailVerifiedAt)
			p := c.profileOf(t, u)
			assert.Equal(t, isPractitioner([]access.Role{role}), p != nil, role)
			if p != nil {
				assert.Equal(t, map[bool]practitioner.Kind{true: practitioner.KindDOCTOR, false: practitioner.KindCLINICIAN}[role == access.Doctor], p.Kind)
				assert.Equal(t, map[bool]string{true: "Dr Kim Osei", false: "Kim Osei"}[role == access.Doctor], p.Name)
				assert.Equal(t, testkit.Zone, p.TimeZone)
				assert.NotNil(t, p.Edges.Credentials)
			}
			assert.Equal(t, role == access.Patient, c.hasRecord(t, u), role)
			mails := c.mails.take()
			require.Len(t, mails, 1)
			assert.Equal(t, "VERIFY_EMAIL", mails[0].Kind)
			result, err := c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
			require.NoError(t, err)
			assert.Equal(t, p != nil, result.Viewer.PractitionerID != [16]byte{})
		}
		both, err := c.CreateUser(admin, newUser("owner@clinic.example", access.Doctor, access.Admin))
		require.NoError(t, err)
		assert.Equal(t, []string{"ADMIN", "DOCTOR"}, both.Roles)
	})
}

func TestCreateUserRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		_, err := c.CreateUser(admin, newUser("kim@clinic.example", access.Nurse))
		require.NoError(t, err)
		_, err = c.CreateUser(admin, newUser("KIM@clinic.example", access.Nurse))
		requireFault(t, err, "EMAIL_TAKEN", "email")
		for name, roles := range map[string][]access.Role{
			"none": nil, "patient and staff": {access.Patient, access.Nurse}, "unknown": {"OWNER"},
		} {
			_, err = c.CreateUser(admin, newUser("lee@clinic.example", roles...))
			assert.Equal(t, []string{"roles INVALID_INPUT"}, fieldsOf(t, err), name)
		}
		_, err = c.CreateUser(admin, identity.CreateUserInput{Email: "x", Password: "short"})
		assert.Equal(t, []string{"email INVALID_INPUT", "password WEAK_PASSWORD", "givenName INVALID_INPUT", "familyName INVALID_INPUT", "roles INVALID_INPUT"}, fieldsOf(t, err))

		for _, role := range access.Roles {
			if role == access.Admin {
				continue
			}
			_, err = c.CreateUser(testkit.As(t, testkit.User(t, c.db, role)), newUser("lee@clinic.example", access.Nurse))
			assert.ErrorIs(t, err, fault.ErrForbidden, role)
		}
		_, err = c.CreateUser(from(t, home), newUser("lee@clinic.example", access.Admin))
		assert.ErrorIs(t, err, fault.ErrForbidden, "nobody signed in")
		_, err = c.CreateUser(access.System(t.Context(), "command"), newUser("lee@clinic.example", access.Admin))
		assert.NoError(t, err, "the command that makes the first administrator")
	})
}

func TestCreateUserIsIdempotentByKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		in := newUser("kim@clinic.example", access.Nurse)
		in.IdempotencyKey = ptr("k")
		first, err := c.CreateUser(admin, in)
		require.NoError(t, err)
		again, err := c.CreateUser(admin, in)
		require.NoError(t, err)
		assert.Equal(t, first.ID, again.ID)
		in.Password = "another password"
		_, err = c.CreateUser(admin, in)
		require.NoError(t, err, "the stored hash of the input must not let passwords be guessed")
		in.GivenName = "Other"
		_, err = c.CreateUser(admin, in)
		assert.ErrorIs(t, err, idem.ErrReused)
	})
}

// New roles hold from the next request, with what they need; what a former role has left is out of sight.
func TestUpdateUserRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin, u := testkit.As(t, testkit.User(t, c.db, access.Admin)), testkit.User(t, c.db, access.Nurse)
		token := c.signIn(t, u).Token
		become := func(roles ...access.Role) *access.Viewer {
			_, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Roles: roles})
			require.NoError(t, err)
			v, err := c.Authenticate(t.Context(), token)
			require.NoError(t, err)
			assert.ElementsMatch(t, roles, v.Roles)
			return v
		}
		v := become(access.Supervisor, access.Nurse)
		first := c.profileOf(t, u)
		assert.Equal(t, first.ID, v.PractitionerID)
		assert.Equal(t, practitioner.KindCLINICIAN, first.Kind)

		become(access.Doctor)
		assert.Equal(t, practitioner.KindDOCTOR, c.profileOf(t, u).Kind)

		v = become(access.Patient)
		assert.NotZero(t, v.PatientID)
		assert.Zero(t, v.PractitionerID)
		assert.False(t, c.profileOf(t, u).IsActive, "out of the directory")

		v = become(access.Clinician)
		assert.Zero(t, v.PatientID)
		assert.Equal(t, first.ID, v.PractitionerID, "the same profile comes back")
		assert.True(t, c.profileOf(t, u).IsActive)

		_, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Roles: []access.Role{access.Patient, access.Admin}})
		assert.Equal(t, []string{"roles INVALID_INPUT"}, fieldsOf(t, err))
	})
}

func TestUpdateUserData(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		u, taken := testkit.User(t, c.db, access.Nurse), testkit.User(t, c.db, access.Nurse)
		changed, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, GivenName: ptr(" Kim "), Phone: ptr("0412 345 678"), ExpectedVersion: ptr(1)})
		require.NoError(t, err)
		assert.Equal(t, "Kim", changed.GivenName)
		assert.Equal(t, u.FamilyName, changed.FamilyName)
		assert.Equal(t, "+61412345678", changed.Phone)
		assert.Equal(t, 2, changed.Version)
		assert.NotNil(t, changed.EmailVerifiedAt)

		present, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, GivenName: ptr("Lee"), ExpectedVersion: ptr(1)})
		require.ErrorIs(t, err, fault.ErrConflict)
		assert.Equal(t, "Kim", present.GivenName, "the present account comes with the conflict")

		changed, err = c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Phone: ptr("")})
		require.NoError(t, err)
		assert.Empty(t, changed.Phone)

		present, err = c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: &taken.Email})
		requireFault(t, err, "EMAIL_TAKEN", "email")
		assert.Nil(t, present)
		_, err = c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: ptr(""), GivenName: ptr(""), Phone: ptr("7"), Roles: []access.Role{}})
		assert.Equal(t, []string{"email INVALID_INPUT", "givenName INVALID_INPUT", "phone INVALID_INPUT", "roles INVALID_INPUT"}, fieldsOf(t, err))
	})
}

// A new address has to be proved again, and a link that went to the old one proves nothing of the new.
func TestUpdateUserEmail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		u, err := c.CreateUser(admin, newUser("kim@clinic.example", access.Nurse))
		require.NoError(t, err)
		old := tokenIn(c.mails.take()[0])
		_, err = c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: ptr("KIM@clinic.example")})
		require.NoError(t, err)
		assert.Empty(t, c.mails.take(), "only its case has changed")

		_, err = c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: ptr("lee@clinic.example")})
		require.NoError(t, err)
		mails := c.mails.take()
		require.Len(t, mails, 1)
		assert.Equal(t, "lee@clinic.example", mails[0].To)
		_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: old})
		requireFault(t, err, "TOKEN_INVALID")
		_, err = c.VerifyEmail(from(t, home), identity.VerifyEmailInput{Token: tokenIn(mails[0])})
		require.NoError(t, err)
		assert.NotNil(t, c.account(t, "lee@clinic.example").EmailVerifiedAt)
		changed, err := c.UpdateUser(admin, identity.UpdateUserInput{ID: u.ID, Email: ptr("mo@clinic.example")})
		require.NoError(t, err)
		assert.Nil(t, changed.EmailVerifiedAt)
	})
}
