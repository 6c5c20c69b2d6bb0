package identity_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Deactivation ends the sessions at once; reactivation lets the account in again, and the practitioner back into the directory.
func TestDeactivateAndReactivate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		admin := testkit.As(t, testkit.User(t, c.db, access.Admin))
		u, err := c.CreateUser(admin, newUser("kim@clinic.example", access.Doctor))
		require.NoError(t, err)
		one, two := c.signIn(t, u), c.signIn(t, u)
		at := c.clk.Advance(time.Second)
		for range 2 { // again changes nothing
			gone, err := c.DeactivateUser(admin, identity.DeactivateUserInput{ID: u.ID})
			require.NoError(t, err)
			assert.False(t, gone.IsActive)
			assert.Equal(t, at, gone.DeactivatedAt.UTC())
			c.clk.Advance(time.Second)
		}
		requireEnded(t, c, one, session.EndReasonREVOKED, at)
		requireEnded(t, c, two, session.EndReasonREVOKED, at)
		assert.False(t, c.profileOf(t, u).IsActive)
		_, err = c.Login(from(t, home), identity.LoginInput{Email: u.Email, Password: testkit.Password})
		require.ErrorIs(t, err, identity.ErrInvalidCredentials)

		for range 2 {
			back, err := c.ReactivateUser(admin, identity.ReactivateUserInput{ID: u.ID})
			require.NoError(t, err)
			assert.True(t, back.IsActive)
			assert.Nil(t, back.DeactivatedAt)
		}
		assert.True(t, c.profileOf(t, u).IsActive)
		_, err = c.Authenticate(t.Context(), one.Token)
		requireFault(t, err, "SESSION_EXPIRED")
		c.signIn(t, u)
	})
}

// A session of an account that is inactive is worth nothing, even where its end was never recorded.
func TestInactiveUserIsNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		u := testkit.User(t, c.db, access.Nurse)
		token := c.signIn(t, u).Token
		testkit.Write(t, c.db, c.db.Client.User.UpdateOneID(u.ID).SetIsActive(false).Exec)
		_, err := c.Authenticate(t.Context(), token)
		requireFault(t, err, "SESSION_EXPIRED")
	})
}

// There is always an active administrator, and nobody deactivates himself.
func TestLastAdministrator(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		one := testkit.User(t, c.db, access.Admin)
		testkit.User(t, c.db, access.Admin, func(u *ent.UserCreate) { u.SetIsActive(false) })
		ctx, system := testkit.As(t, one), access.System(t.Context(), "command")
		_, err := c.UpdateUser(ctx, identity.UpdateUserInput{ID: one.ID, Roles: []access.Role{access.Nurse}})
		requireFault(t, err, "FORBIDDEN", "roles")
		_, err = c.DeactivateUser(system, identity.DeactivateUserInput{ID: one.ID})
		requireFault(t, err, "FORBIDDEN", "id")
		_, err = c.UpdateUser(ctx, identity.UpdateUserInput{ID: one.ID, Roles: []access.Role{access.Nurse, access.Admin}})
		require.NoError(t, err)

		two := testkit.User(t, c.db, access.Admin)
		_, err = c.DeactivateUser(ctx, identity.DeactivateUserInput{ID: one.ID})
		requireFault(t, err, "FORBIDDEN", "id")
		_, err = c.UpdateUser(ctx, identity.UpdateUserInput{ID: one.ID, Roles: []access.Role{access.Nurse}})
		require.NoError(t, err, "one of two may step down")
		_, err = c.UpdateUser(testkit.As(t, two), identity.UpdateUserInput{ID: two.ID, Roles: []access.Role{access.Nurse}})
		requireFault(t, err, "FORBIDDEN", "roles")
	})
}

// Administrators who remove each other at the same moment leave one.
func TestLastAdministratorUnderConcurrency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		var admins []*ent.User
		for range 6 {
			admins = append(admins, testkit.User(t, c.db, access.Admin))
		}
		system := access.System(t.Context(), "race")
		var all sync.WaitGroup
		for i, u := range admins {
			all.Go(func() {
				var err error
				if i%2 == 0 {
					_, err = c.DeactivateUser(system, identity.DeactivateUserInput{ID: u.ID})
				} else {
					_, err = c.UpdateUser(system, identity.UpdateUserInput{ID: u.ID, Roles: []access.Role{access.Nurse}})
				}
				if err != nil {
					assert.ErrorIs(t, err, fault.ErrForbidden)
				}
			})
		}
		all.Wait()
		left := 0
		for _, u := range admins {
			now, err := c.db.Client.User.Get(testkit.System(t), u.ID)
			require.NoError(t, err)
			if now.IsActive && now.Roles[0] == "ADMIN" {
				left++
			}
		}
		assert.Equal(t, 1, left)
	})
}

// Accounts are changed by administrators alone; who may not see one is told that there is none.
func TestUserChangesByRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *clinic) {
		testkit.User(t, c.db, access.Admin)
		u := testkit.User(t, c.db, access.Nurse)
		changes := map[string]func(ctx context.Context) error{
			"updateUser": func(ctx context.Context) error {
				_, err := c.UpdateUser(ctx, identity.UpdateUserInput{ID: u.ID, Roles: []access.Role{access.Admin}})
				return err
			},
			"deactivateUser": func(ctx context.Context) error {
				_, err := c.DeactivateUser(ctx, identity.DeactivateUserInput{ID: u.ID})
				return err
			},
			"reactivateUser": func(ctx context.Context) error {
				_, err := c.ReactivateUser(ctx, identity.ReactivateUserInput{ID: u.ID})
				return err
			},
		}
		for name, change := range changes {
			for _, role := range access.Roles {
				if role != access.Admin {
					assert.ErrorIs(t, change(testkit.As(t, testkit.User(t, c.db, role))), fault.ErrNotFound, "%s by %s", name, role)
				}
			}
			assert.ErrorIs(t, change(from(t, home)), fault.ErrNotFound, name)
		}
		assert.ErrorIs(t, changes["updateUser"](testkit.As(t, u)), fault.ErrForbidden, "nobody gives roles to himself")
		assert.ErrorIs(t, changes["deactivateUser"](testkit.As(t, u)), fault.ErrForbidden)
	})
}
