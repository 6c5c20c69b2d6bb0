package identity

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/recoverycode"
	"github.com/caregraph/caregraph/ent/secondfactor"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
)

// TotpSecret is a new generator, as it is shown once.
type TotpSecret struct{ Secret, URI string }

const (
	totpSecretSize = 20 // bytes, as RFC 4226 recommends
	recoveryCodes  = 10
)

// EnableTotp begins to set up a generator, pending until ConfirmTotp; a pending one is replaced. For every signed-in user. Wrong passwords count as
// failed sign-ins. Errors: INVALID_CREDENTIALS, ILLEGAL_STATUS (the factor is on, or a patient's address is not confirmed), THROTTLED, UNAUTHENTICATED, UNAVAILABLE (no key to encrypt with).
func (s *Service) EnableTotp(ctx context.Context, in EnableTotpInput) (*TotpSecret, error) {
	if len(s.TotpKeys.keys) == 0 {
		return nil, errNoTotpKey
	}
	var made *TotpSecret
	err := s.asOwner(ctx, "enableTotp", &in.Password, func(ctx context.Context, u *ent.User) error {
		if u.EmailVerifiedAt == nil && slices.Contains(rolesOf(u), access.Patient) { // who registered another's address would lock its owner out
			return ErrIllegalStatus.Says("Confirm your e-mail address first, by the mailed link.")
		}
		if u.HasTotp {
			return ErrIllegalStatus.Says("There is a second factor already: disable it first.")
		}
		if err := s.dropFactor(ctx, u.ID); err != nil {
			return err
		}
		key, err := totp.Generate(totp.GenerateOpts{
			Issuer: strings.ReplaceAll(s.PracticeName, ":", " "), AccountName: u.Email, SecretSize: totpSecretSize,
		})
		if err != nil {
			return err
		}
		sealed, keyID := s.TotpKeys.seal(u.ID, key.Secret())
		made = &TotpSecret{Secret: key.Secret(), URI: key.URL()}
		return s.DB.Client.SecondFactor.Create().SetUserID(u.ID).SetSealed(sealed).SetKeyID(keyID).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// ConfirmTotp turns the pending generator on by a first code, which is used up by it, and returns the recovery codes; the rest of the document runs
// with the rights that this brings. For every signed-in user. Wrong codes count as failed sign-ins. Errors: INVALID_CREDENTIALS, ILLEGAL_STATUS
// (none is pending), THROTTLED, UNAUTHENTICATED.
func (s *Service) ConfirmTotp(ctx context.Context, in ConfirmTotpInput) (codes []string, err error) {
	err = s.asOwner(ctx, "confirmTotp", nil, func(ctx context.Context, u *ent.User) error {
		codes = nil
		pending, err := s.DB.Client.SecondFactor.Query().Where(secondfactor.UserID(u.ID), secondfactor.ConfirmedAtIsNil()).Only(ctx)
		if ent.IsNotFound(err) {
			return ErrIllegalStatus.Says("No second factor waits to be confirmed: call enableTotp first.")
		}
		if err != nil {
			return err
		}
		if err := s.useTotp(ctx, pending, in.Code); err != nil {
			return err
		}
		if err := s.DB.Client.SecondFactor.UpdateOneID(pending.ID).SetConfirmedAt(s.DB.Now()).Exec(ctx); err != nil {
			return err
		}
		if codes, err = s.addRecoveryCodes(ctx, u.ID); err != nil {
			return err
		}
		return s.setHasTotp(ctx, u.ID, true)
	})
	if err != nil {
		return nil, err
	}
	_, err = s.refresh(ctx)
	return codes, err
}

// DisableTotp removes the viewer's second factor, given password and code. For every signed-in user; staff who must have one can do nothing but set up
// another from then on. Wrong passwords and codes count as failed sign-ins. Errors: INVALID_CREDENTIALS, ILLEGAL_STATUS (there is none),
// THROTTLED, UNAUTHENTICATED.
func (s *Service) DisableTotp(ctx context.Context, in DisableTotpInput) (bool, error) {
	err := s.asOwner(ctx, "disableTotp", &in.Password, func(ctx context.Context, u *ent.User) error {
		if !u.HasTotp {
			return ErrIllegalStatus.Says("There is no second factor.")
		}
		if err := s.useCode(ctx, u.ID, in.Code); err != nil {
			return err
		}
		return s.removeFactor(ctx, u.ID)
	})
	if err != nil {
		return false, err
	}
	_, err = s.refresh(ctx)
	return true, err
}

// asOwner runs fn as the system, in a transaction with the viewer's account locked, once the password is right; nil asks for none. What turns out
// wrong counts as a failed sign-in.
func (s *Service) asOwner(ctx context.Context, reason string, password *string, fn func(ctx context.Context, u *ent.User) error) error {
	v, err := signedIn(ctx)
	if err != nil {
		return err
	}
	try, err := s.reserveLogin(ctx, foldEmail(v.Email))
	if err != nil {
		return err
	}
	defer try.Close()
	checked, err := s.DB.Client.User.Get(access.System(ctx, reason), v.UserID) // who has no role does not see the own account
	if err != nil {
		return err
	}
	if password != nil {
		isMatch, err := s.passwords.matches(ctx, *password, checked.PasswordHash)
		if err != nil {
			return err
		}
		if !isMatch {
			return cmp.Or(try.Keep(ctx), error(ErrInvalidCredentials.At("password")))
		}
	}
	err = s.DB.WithTx(access.System(ctx, reason), func(ctx context.Context) error {
		fresh, err := s.lockUser(ctx, checked)
		if err != nil {
			return err
		}
		if err := fn(ctx, fresh); err != nil {
			return err
		}
		return try.Release(ctx)
	})
	switch {
	case errors.Is(err, errWrongCode):
		return cmp.Or(try.Keep(ctx), error(ErrInvalidCredentials.At("code")))
	case errors.Is(err, errChangedMeanwhile):
		return cmp.Or(try.Keep(ctx), error(ErrInvalidCredentials.At("password")))
	case err != nil:
		return cmp.Or(try.Release(ctx), err)
	}
	return nil
}

// lockUser locks an account whose password was checked, and returns it unless it was changed since.
func (s *Service) lockUser(ctx context.Context, checked *ent.User) (*ent.User, error) {
	if err := s.DB.Lock(ctx, user.Table, checked.ID); err != nil {
		return nil, err
	}
	fresh, err := s.DB.Client.User.Get(ctx, checked.ID)
	if err == nil && (!fresh.IsActive || fresh.PasswordHash != checked.PasswordHash) {
		err = errChangedMeanwhile
	}
	return fresh, err
}

// refresh returns the viewer with the rights of now, and makes it that of the rest of the document.
func (s *Service) refresh(ctx context.Context) (*access.Viewer, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.load(ctx, v.SessionID)
	if err != nil || found == nil {
		return v, err
	}
	access.Become(ctx, found.viewer)
	return found.viewer, nil
}

// removeFactor takes the second factor away for good. ctx is the system's, in a transaction.
func (s *Service) removeFactor(ctx context.Context, userID uuid.UUID) error {
	if err := s.dropFactor(ctx, userID); err != nil {
		return err
	}
	return s.setHasTotp(ctx, userID, false)
}

func (s *Service) dropFactor(ctx context.Context, userID uuid.UUID) error {
	if _, err := s.DB.Client.RecoveryCode.Delete().Where(recoverycode.UserID(userID)).Exec(ctx); err != nil {
		return err
	}
	_, err := s.DB.Client.SecondFactor.Delete().Where(secondfactor.UserID(userID)).Exec(ctx)
	return err
}

func (s *Service) setHasTotp(ctx context.Context, userID uuid.UUID, has bool) error {
	if err := s.DB.Client.User.UpdateOneID(userID).SetHasTotp(has).Exec(ctx); err != nil {
		return err
	}
	return s.tellUser(ctx, userID)
}
