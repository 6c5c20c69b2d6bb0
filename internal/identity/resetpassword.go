package identity

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/patient"
)

// RequestPasswordReset mails a link for a new password to the address of an active account; earlier links become worthless. Anybody may call it, three
// times an hour per e-mail address, whether or not there is an account: answer, limit and work do not tell. Errors: INVALID_INPUT, THROTTLED.
func (s *Service) RequestPasswordReset(ctx context.Context, in RequestPasswordResetInput) (bool, error) {
	email, err := patient.NormalizeEmail(in.Email)
	if err != nil {
		return false, at(err, "email")
	}
	key := foldEmail(email)
	err = s.DB.WithTx(access.System(ctx, "requestPasswordReset"), func(ctx context.Context) error {
		if err := s.Limits.Take(ctx, "reset mails per hour and address", key, s.ResetMailsPerHour, time.Hour); err != nil {
			return err
		}
		u, err := s.DB.Client.User.Query().Where(user.EmailKey(key), s.DB.ForUpdate).Only(ctx) // its address must not change meanwhile
		err = ent.MaskNotFound(err)
		switch {
		case err != nil:
			return err
		case u == nil || !u.IsActive:
			return s.pretendReset(ctx)
		default:
			return s.mailReset(ctx, u)
		}
	})
	return err == nil, err
}

// mailReset makes earlier links worthless and mails a new one. ctx is the system's, in a transaction.
func (s *Service) mailReset(ctx context.Context, u *ent.User) error {
	token, id, err := s.newToken(ctx, u.ID, emailtoken.PurposeRESET_PASSWORD, resetLifetime)
	if err != nil {
		return err
	}
	return s.Mail(ctx, Mail{
		Kind: "RESET_PASSWORD", UserID: &u.ID, To: u.Email, SubjectID: u.ID, Occurrence: id.String(),
		Subject: s.PracticeName + ": choose a new password",
		Body: "Somebody has asked for a new password for the account at " + s.PracticeName + " that has this address.\n\n" +
			"If it was you, choose it within 30 minutes:\n" + s.PublicURL + "/reset-password?token=" + url.QueryEscape(token) + "\n\n" +
			"If it was not you, do nothing: the password has not been changed.\n",
	})
}

// pretendReset writes as much as mailReset does, in rows that mean nothing and are soon swept, so that the time of the answer tells nothing either.
func (s *Service) pretendReset(ctx context.Context) error {
	if err := s.voidTokens(ctx, uuid.New(), emailtoken.PurposeRESET_PASSWORD); err != nil {
		return err
	}
	for range 3 { // the token, its line of the audit, and the mail
		if err := s.DB.Client.RateEvent.Create().SetKey("nothing:" + tokenHash(randomToken())[:16]).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ResetPassword sets a new password by the token that was mailed for it, once and within 30 minutes. It ends all sessions of the user, and proves the
// address; the second factor stays. Anybody may call it. A weak password does not use the token up. Errors: TOKEN_INVALID, WEAK_PASSWORD, THROTTLED.
func (s *Service) ResetPassword(ctx context.Context, in ResetPasswordInput) (bool, error) {
	err := s.Limits.Take(ctx, "verifications per minute and address", clientOf(ctx).network(), s.VerificationsPerMinute, time.Minute)
	if err != nil {
		return false, err
	}
	ctx = access.System(ctx, "resetPassword")
	token, err := s.DB.Client.EmailToken.Query().
		Where(emailtoken.TokenHash(tokenHash(in.Token)), emailtoken.PurposeEQ(emailtoken.PurposeRESET_PASSWORD),
			emailtoken.UsedAtIsNil(), emailtoken.ExpiresAtGT(s.DB.Now())).WithUser().Only(ctx)
	if ent.IsNotFound(err) {
		return false, ErrTokenInvalid
	}
	if err != nil {
		return false, err
	}
	if err := checkPassword(in.NewPassword, token.Edges.User.EmailKey); err != nil {
		return false, at(err, "newPassword")
	}
	hash, err := s.passwords.hash(ctx, in.NewPassword)
	if err != nil {
		return false, err
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error { return s.reset(ctx, token, hash) })
	if ent.IsNotFound(err) { // somebody was quicker
		return false, ErrTokenInvalid
	}
	return err == nil, err
}

// reset uses the token up and sets the password. ctx is the system's, in a transaction.
func (s *Service) reset(ctx context.Context, token *ent.EmailToken, hash string) error {
	if err := s.DB.Lock(ctx, user.Table, token.UserID); err != nil {
		return err
	}
	now := s.DB.Now()
	if err := s.DB.Client.EmailToken.UpdateOneID(token.ID).Where(emailtoken.UsedAtIsNil(), emailtoken.ExpiresAtGT(now)).SetUsedAt(now).Exec(ctx); err != nil {
		return err
	}
	u, err := s.DB.Client.User.Get(ctx, token.UserID)
	if err != nil {
		return err
	}
	if !u.IsActive {
		return ErrTokenInvalid
	}
	update := s.DB.Client.User.UpdateOneID(u.ID).SetPasswordHash(hash)
	if u.EmailVerifiedAt == nil { // who has the token reads the address
		update.SetEmailVerifiedAt(now)
	}
	if err := update.Exec(ctx); err != nil {
		return err
	}
	_, err = s.end(ctx, session.EndReasonPASSWORD_CHANGED, session.UserID(u.ID))
	return err
}
