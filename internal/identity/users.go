package identity

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
)

// CreateUser makes an account with any roles and mails the link that proves its address, for administrators and the system. Practitioners get a profile
// with empty credentials, patients a record. The key of a retry does not cover the password. Errors: EMAIL_TAKEN, WEAK_PASSWORD, INVALID_INPUT
// (all fields at once), FORBIDDEN, IDEMPOTENCY_KEY_REUSED.
func (s *Service) CreateUser(ctx context.Context, in CreateUserInput) (*ent.User, error) {
	a, err := newAccount(in.Email, in.Password, in.GivenName, in.FamilyName, in.Phone, in.Roles)
	if err != nil {
		return nil, err
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return nil, err
	}
	in.Password = ""
	made, err := idem.Do(ctx, s.DB, "createUser", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		id, err := s.addAccount(ctx, a, hash)
		return []uuid.UUID{id}, err
	})
	if store.Violates(err, emailClaim) {
		return nil, ErrEmailTaken
	}
	if err != nil {
		return nil, err
	}
	return s.DB.Client.User.Get(ctx, made[0])
}

// DeactivateUser ends the account's sessions at once and lets nobody sign in with it, for administrators. The account stays. Errors: NOT_FOUND,
// FORBIDDEN (for oneself, and for the last administrator).
func (s *Service) DeactivateUser(ctx context.Context, in DeactivateUserInput) (*ent.User, error) {
	if v := access.From(ctx).Person(); v != nil && v.UserID == in.ID {
		return nil, errSelf.At("id")
	}
	return s.changeUser(ctx, in.ID, func(ctx context.Context, u *ent.User) (*ent.User, error) {
		if !u.IsActive {
			return u, nil
		}
		if err := s.keepAnAdmin(ctx, u, nil); err != nil {
			return nil, at(err, "id")
		}
		changed, err := s.DB.Client.User.UpdateOneID(u.ID).SetIsActive(false).SetDeactivatedAt(s.DB.Now()).Save(ctx)
		if err != nil {
			return nil, err
		}
		ctx = access.System(ctx, "deactivateUser")
		if _, err := s.end(ctx, session.EndReasonREVOKED, session.UserID(u.ID)); err != nil {
			return nil, err
		}
		return changed, s.matchPractitioner(ctx, changed)
	})
}

// ReactivateUser lets a deactivated account sign in again, for administrators. Errors: NOT_FOUND, FORBIDDEN.
func (s *Service) ReactivateUser(ctx context.Context, in ReactivateUserInput) (*ent.User, error) {
	return s.changeUser(ctx, in.ID, func(ctx context.Context, u *ent.User) (*ent.User, error) {
		if u.IsActive {
			return u, nil
		}
		changed, err := s.DB.Client.User.UpdateOneID(u.ID).SetIsActive(true).ClearDeactivatedAt().Save(ctx)
		if err != nil {
			return nil, err
		}
		return changed, s.matchProfiles(access.System(ctx, "reactivateUser"), changed)
	})
}

// changeUser runs fn with the account as the viewer sees it, locked, in a transaction. What fn returns beside an error is returned too.
func (s *Service) changeUser(ctx context.Context, id uuid.UUID, fn func(context.Context, *ent.User) (*ent.User, error)) (changed *ent.User, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		changed = nil
		if err := s.DB.LockName(ctx, adminsLock); err != nil { // before the row: who counts administrators locks in this order
			return err
		}
		if err := s.DB.Lock(ctx, user.Table, id); err != nil {
			return err
		}
		u, err := s.DB.Client.User.Get(ctx, id)
		if ent.IsNotFound(err) {
			return fault.ErrNotFound.At("id")
		}
		if err != nil {
			return err
		}
		changed, err = fn(ctx, u)
		return err
	})
	return changed, err
}

// adminsLock makes changes of accounts wait for each other, so that no two of them each leave the other's administrator as the last.
const adminsLock = "identity administrators"

// keepAnAdmin refuses to take the role from the last active administrator; roles are those that stay.
func (s *Service) keepAnAdmin(ctx context.Context, u *ent.User, roles []access.Role) error {
	before, after := &access.Viewer{Roles: rolesOf(u)}, &access.Viewer{Roles: roles}
	if !u.IsActive || !before.Has(access.Admin) || after.Has(access.Admin) {
		return nil
	}
	other, err := s.DB.Client.User.Query().
		Where(user.IDNEQ(u.ID), user.IsActive(true), func(q *sql.Selector) { q.Where(sqljson.ValueContains(user.FieldRoles, string(access.Admin))) }).
		Exist(access.System(ctx, "count administrators"))
	if err == nil && !other {
		err = errLastAdmin
	}
	return err
}
