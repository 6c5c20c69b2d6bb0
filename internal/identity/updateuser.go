package identity

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
)

// normalized reports all errors of the input's fields, or returns them as they are stored.
func (in UpdateUserInput) normalized() (UpdateUserInput, error) {
	var p problems
	text := func(value **string, field string, normalize func(string) (string, error)) {
		if *value != nil {
			normal, err := normalize(**value)
			p.add(err, field)
			*value = &normal
		}
	}
	text(&in.Email, "email", patient.NormalizeEmail)
	text(&in.GivenName, "givenName", patient.NormalizeName)
	text(&in.FamilyName, "familyName", patient.NormalizeName)
	if in.Phone != nil && *in.Phone != "" {
		text(&in.Phone, "phone", patient.NormalizePhone)
	}
	if in.Roles != nil {
		var err error
		in.Roles, err = normalRoles(in.Roles)
		p.add(err, "roles")
	}
	return in, p.join()
}

// UpdateUser changes an account, for administrators. New roles hold from the user's next request, and on open sockets at once, with profile or record
// where they need one; resetTotp takes a lost second factor away; a new address has to be proved again. Errors: NOT_FOUND, EMAIL_TAKEN, CONFLICT (with the present account), INVALID_INPUT (all
// fields at once), FORBIDDEN (also for the last administrator's role).
func (s *Service) UpdateUser(ctx context.Context, in UpdateUserInput) (*ent.User, error) {
	in, err := in.normalized()
	if err != nil {
		return nil, err
	}
	if v := access.From(ctx).Person(); v != nil && v.UserID == in.ID && in.resetsTotp() {
		return nil, errOwnFactor.At("resetTotp")
	}
	changed, err := s.changeUser(ctx, in.ID, func(ctx context.Context, u *ent.User) (*ent.User, error) {
		if in.ExpectedVersion != nil && *in.ExpectedVersion != u.Version {
			return u, fault.ErrConflict.At("expectedVersion")
		}
		return s.updateUser(ctx, u, in)
	})
	switch {
	case store.Violates(err, emailClaim):
		return nil, ErrEmailTaken
	case err != nil && !errors.Is(err, fault.ErrConflict):
		return nil, err
	}
	return changed, err
}

func (in UpdateUserInput) resetsTotp() bool { return in.ResetTotp != nil && *in.ResetTotp }

func (s *Service) updateUser(ctx context.Context, u *ent.User, in UpdateUserInput) (*ent.User, error) {
	update := s.DB.Client.User.UpdateOneID(u.ID).SetNillableGivenName(in.GivenName).SetNillableFamilyName(in.FamilyName).SetNillablePhone(in.Phone)
	if in.Roles != nil {
		if err := s.keepAnAdmin(ctx, u, in.Roles); err != nil {
			return nil, at(err, "roles")
		}
		update.SetRoles(textsOf(in.Roles))
	}
	moves := in.Email != nil && foldEmail(*in.Email) != u.EmailKey
	if in.Email != nil {
		update.SetEmail(*in.Email).SetEmailKey(foldEmail(*in.Email))
	}
	if moves {
		update.ClearEmailVerifiedAt()
	}
	changed, err := update.Save(ctx)
	if err != nil {
		return nil, err
	}
	ctx = access.System(ctx, "updateUser")
	if moves {
		if err := s.voidTokens(ctx, u.ID, emailtoken.PurposeRESET_PASSWORD); err != nil { // they were mailed to the former address
			return nil, err
		}
		if err := s.mailVerification(ctx, changed); err != nil {
			return nil, err
		}
	}
	if in.resetsTotp() && changed.HasTotp {
		if err := s.removeFactor(ctx, u.ID); err != nil {
			return nil, err
		}
		if changed, err = s.DB.Client.User.Get(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	if err := s.matchProfiles(ctx, changed); err != nil {
		return nil, err
	}
	return changed, s.tellUser(ctx, changed.ID)
}
