package identity

import (
	"context"
	"crypto/subtle"
	"errors"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/recoverycode"
	"github.com/caregraph/caregraph/ent/secondfactor"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/onetime"
)

const (
	totpStep   = 30 // seconds
	totpWindow = 1  // steps that a code may be early or late
	totpDigits = 6
)

var (
	errNoCode    = errors.New("identity: a code is needed")
	errWrongCode = errors.New("identity: the code is wrong, used or too old")
)

// useCode uses up a one-time or a recovery code of a user. ctx is the system's, in a transaction that has the account locked.
func (s *Service) useCode(ctx context.Context, userID uuid.UUID, code string) error {
	code = onetime.Plain(code)
	if len(code) != totpDigits {
		return s.useRecovery(ctx, userID, code)
	}
	factor, err := s.DB.Client.SecondFactor.Query().Where(secondfactor.UserID(userID), secondfactor.ConfirmedAtNotNil()).Only(ctx)
	if err != nil {
		return err
	}
	return s.useTotp(ctx, factor, code)
}

// useTotp uses up the time step of a code, and with it all steps before. The row's own counter decides, so that of several callers one succeeds.
func (s *Service) useTotp(ctx context.Context, factor *ent.SecondFactor, code string) error {
	secret, err := s.TotpKeys.open(factor.UserID, factor.Sealed, factor.KeyID)
	if err != nil {
		return fault.ErrUnavailable.Because(err)
	}
	step, err := stepOf(secret, onetime.Plain(code), s.DB.Now().Unix()/totpStep, factor.LastCounter)
	if err != nil {
		return err
	}
	err = s.DB.Client.SecondFactor.UpdateOneID(factor.ID).Where(secondfactor.LastCounterLT(step)).SetLastCounter(step).Exec(ctx)
	if ent.IsNotFound(err) {
		return errWrongCode
	}
	return err
}

// stepOf returns the oldest time step after the last used one, around the present, that has the code.
func stepOf(secret, code string, now, last int64) (int64, error) {
	for step := max(now-totpWindow, last+1); step <= now+totpWindow; step++ {
		expected, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1}) // #nosec G115 -- instants after 1970
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(expected), []byte(code)) == 1 {
			return step, nil
		}
	}
	return 0, errWrongCode
}

func (s *Service) useRecovery(ctx context.Context, userID uuid.UUID, code string) error {
	row, err := s.DB.Client.RecoveryCode.Query().Where(recoverycode.UserID(userID), recoverycode.CodeHash(onetime.Hash(code))).Only(ctx)
	if err == nil {
		err = s.DB.Client.RecoveryCode.UpdateOneID(row.ID).Where(recoverycode.UsedAtIsNil()).SetUsedAt(s.DB.Now()).Exec(ctx)
	}
	if ent.IsNotFound(err) {
		return errWrongCode
	}
	return err
}

func (s *Service) addRecoveryCodes(ctx context.Context, userID uuid.UUID) ([]string, error) {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = onetime.New()
		if err := s.DB.Client.RecoveryCode.Create().SetUserID(userID).SetCodeHash(onetime.Hash(codes[i])).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return codes, nil
}
