package identity

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/limit"
)

// ChangePassword replaces the viewer's password, given the old one, and ends the viewer's other sessions; it returns how many. Wrong old
// passwords count as failed sign-ins. Errors: INVALID_CREDENTIALS, WEAK_PASSWORD, THROTTLED, UNAUTHENTICATED.
func (s *Service) ChangePassword(ctx context.Context, in ChangePasswordInput) (ended int, err error) {
	v, err := signedIn(ctx)
	if err != nil {
		return 0, err
	}
	key := foldEmail(v.Email)
	if err := checkPassword(in.NewPassword, key); err != nil {
		return 0, at(err, "newPassword")
	}
	try, err := s.reserveLogin(ctx, key)
	if err != nil {
		return 0, err
	}
	defer try.Close()
	u, err := s.DB.Client.User.Get(ctx, v.UserID)
	if err != nil {
		return 0, err
	}
	isMatch, err := s.passwords.matches(ctx, in.CurrentPassword, u.PasswordHash)
	if err != nil {
		return 0, err
	}
	if !isMatch {
		if err := try.Keep(ctx); err != nil {
			return 0, err
		}
		return 0, ErrInvalidCredentials.At("currentPassword")
	}
	hash, err := s.passwords.hash(ctx, in.NewPassword)
	if err != nil {
		return 0, err
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) (err error) {
		ended, err = s.replacePassword(ctx, v, u.PasswordHash, hash, try)
		return err
	})
	if ent.IsNotFound(err) { // another change came first
		return 0, ErrInvalidCredentials.At("currentPassword")
	}
	return ended, err
}

// replacePassword does so only where the hash is still the one that was checked.
func (s *Service) replacePassword(ctx context.Context, v *access.Viewer, checked, hash string, try *limit.Reservation) (int, error) {
	if err := s.DB.Client.User.UpdateOneID(v.UserID).Where(user.PasswordHash(checked)).SetPasswordHash(hash).Exec(ctx); err != nil {
		return 0, err
	}
	if err := try.Release(ctx); err != nil {
		return 0, err
	}
	ctx = access.System(ctx, "changePassword")
	if err := s.voidTokens(ctx, v.UserID, emailtoken.PurposeRESET_PASSWORD); err != nil {
		return 0, err
	}
	return s.end(ctx, session.EndReasonPASSWORD_CHANGED, session.UserID(v.UserID), session.IDNEQ(v.SessionID))
}
