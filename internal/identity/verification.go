package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/emailtoken"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
)

// randomToken returns 256 bits that nobody can guess.
func randomToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand crashes the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// VerifyEmail proves the address of an account by the token that was mailed to it, once. Anybody may call it. Errors: TOKEN_INVALID, THROTTLED.
func (s *Service) VerifyEmail(ctx context.Context, in VerifyEmailInput) (bool, error) {
	err := s.Limits.Take(ctx, "verifications per minute and address", clientOf(ctx).network(), s.VerificationsPerMinute, time.Minute)
	if err != nil {
		return false, err
	}
	err = s.DB.WithTx(access.System(ctx, "verifyEmail"), func(ctx context.Context) error {
		now := s.DB.Now()
		token, err := s.DB.Client.EmailToken.Query().
			Where(emailtoken.TokenHash(tokenHash(in.Token)), emailtoken.PurposeEQ(emailtoken.PurposeVERIFY_EMAIL)).Only(ctx)
		if err != nil {
			return err
		}
		if err := s.DB.Lock(ctx, user.Table, token.UserID); err != nil { // its address must not change meanwhile
			return err
		}
		err = s.DB.Client.EmailToken.UpdateOneID(token.ID).Where(emailtoken.UsedAtIsNil(), emailtoken.ExpiresAtGT(now)).SetUsedAt(now).Exec(ctx)
		if err != nil {
			return err
		}
		verified, err := s.DB.Client.User.UpdateOneID(token.UserID).SetEmailVerifiedAt(now).Save(ctx)
		if err != nil || !slices.Contains(rolesOf(verified), access.Patient) {
			return err
		}
		return s.Patients.OfferLink(ctx, verified.EmailKey)
	})
	if ent.IsNotFound(err) {
		return false, ErrTokenInvalid
	}
	return err == nil, err
}

// mailVerification makes earlier links worthless and mails a new one. ctx is the system's, in a transaction.
func (s *Service) mailVerification(ctx context.Context, u *ent.User) error {
	token, id, err := s.newToken(ctx, u.ID, emailtoken.PurposeVERIFY_EMAIL, tokenLifetime)
	if err != nil {
		return err
	}
	link := s.PublicURL + "/verify-email?token=" + url.QueryEscape(token)
	return s.Mail(ctx, Mail{
		Kind: "VERIFY_EMAIL", UserID: &u.ID, To: u.Email, SubjectID: u.ID, Occurrence: id.String(),
		Subject: s.PracticeName + ": please confirm your e-mail address",
		// No name: what strangers type into a registration must not reach others by our mail.
		Body: "Somebody has given this address for an account at " + s.PracticeName + ".\n\n" +
			"If it was you, confirm the address within 24 hours:\n" + link + "\n\n" +
			"If it was not you, do nothing: without the confirmation no documents are sent here.\n",
	})
}

// newToken makes a token, and earlier ones for the purpose worthless. ctx is the system's, in a transaction.
func (s *Service) newToken(ctx context.Context, userID uuid.UUID, purpose emailtoken.Purpose, lifetime time.Duration) (token string, id uuid.UUID, err error) {
	if err := s.voidTokens(ctx, userID, purpose); err != nil {
		return "", uuid.Nil, err
	}
	token = randomToken()
	row, err := s.DB.Client.EmailToken.Create().SetUserID(userID).SetPurpose(purpose).
		SetTokenHash(tokenHash(token)).SetExpiresAt(s.DB.Now().Add(lifetime)).Save(ctx)
	if err != nil {
		return "", uuid.Nil, err
	}
	return token, row.ID, nil
}

// voidTokens makes the tokens that were mailed to a user for the purpose worthless.
func (s *Service) voidTokens(ctx context.Context, userID uuid.UUID, purpose emailtoken.Purpose) error {
	_, err := s.DB.Client.EmailToken.Delete().Where(emailtoken.UserID(userID), emailtoken.PurposeEQ(purpose), emailtoken.UsedAtIsNil()).Exec(ctx)
	return err
}

// mailExists tells the owner of an address that somebody tried to register with it, at most once an hour. ctx is the system's, in a transaction.
func (s *Service) mailExists(ctx context.Context, u *ent.User) error {
	return s.Mail(ctx, Mail{
		Kind: "ACCOUNT_EXISTS", UserID: &u.ID, To: u.Email, SubjectID: u.ID, Occurrence: s.DB.Now().Format("2006-01-02T15"),
		Subject: s.PracticeName + ": you have an account already",
		Body: "Somebody has tried to register at " + s.PracticeName + " with this address, which has an account already.\n\n" +
			"If it was you, sign in with the password that you chose then; if you have forgotten it, ask for a new one.\n" +
			"If it was not you, there is nothing to do: nothing has been changed.\n",
	})
}
