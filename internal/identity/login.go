package identity

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/loginattempt"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/onetime"
)

// LoginResult is a new session with its token, and who is signed in.
type LoginResult struct {
	Token     string
	Session   *ent.Session
	Viewer    *access.Viewer
	UseCookie bool // the session is to be set as a cookie too
}

// Login signs in, for everybody; the rest of the document runs as the new viewer. Every try is recorded. Errors: INVALID_CREDENTIALS (also for
// deactivated accounts, and for wrong codes), TOTP_REQUIRED (the password is right, the account has a second factor and no code was given), THROTTLED, each
// call being one try.
func (s *Service) Login(ctx context.Context, in LoginInput) (*LoginResult, error) {
	key, sys := foldEmail(in.Email), access.System(ctx, "login")
	try, err := s.reserveLogin(sys, key)
	if err != nil {
		if errors.Is(err, fault.ErrThrottled) {
			err = cmp.Or(s.recordAttempt(sys, key, nil, nil, loginattempt.OutcomeTHROTTLED), err)
		}
		return nil, err
	}
	defer try.Close()
	u, outcome, err := s.checkCredentials(sys, key, in.Password)
	if err != nil {
		return nil, err
	}
	var opened *ent.Session
	if outcome == loginattempt.OutcomeSUCCESS {
		opened, err = s.open(sys, u, in.Totp, key, try)
		if outcome, err = outcomeOf(err); err != nil {
			return nil, err
		}
	}
	if outcome != loginattempt.OutcomeSUCCESS {
		return nil, s.fail(sys, u, key, outcome, try)
	}
	result, err := s.welcome(ctx, opened)
	if err == nil {
		result.UseCookie = in.UseCookie != nil && *in.UseCookie
	}
	return result, err
}

// outcomeOf tells what became of a try whose password was right.
func outcomeOf(err error) (loginattempt.Outcome, error) {
	switch {
	case errors.Is(err, errChangedMeanwhile):
		return loginattempt.OutcomeWRONG_CREDENTIALS, nil
	case errors.Is(err, errWrongCode):
		return loginattempt.OutcomeWRONG_TOTP, nil
	case errors.Is(err, errNoCode):
		return loginattempt.OutcomeTOTP_REQUIRED, nil
	default:
		return loginattempt.OutcomeSUCCESS, err
	}
}

// reserveLogin counts a check of a password against the limits until it turns out right. Names of accounts count whether or not there is one.
func (s *Service) reserveLogin(ctx context.Context, emailKey string) (*limit.Reservation, error) {
	return s.Limits.Reserve(ctx,
		limit.Use{Name: "failed sign-ins per minute and address", Subject: clientOf(ctx).network(), Max: s.LoginsPerMinute, Window: time.Minute},
		limit.Use{Name: "failed sign-ins per minute and account", Subject: emailKey, Max: s.LoginsPerMinute, Window: time.Minute})
}

// checkCredentials does the same work whether or not there is such an account. The user is nil when there is none.
func (s *Service) checkCredentials(ctx context.Context, emailKey, password string) (*ent.User, loginattempt.Outcome, error) {
	u, err := s.byEmail(ctx, emailKey)
	if err != nil {
		return nil, "", err
	}
	hash := ""
	if u != nil {
		hash = u.PasswordHash
	}
	isMatch, err := s.passwords.matches(ctx, password, hash)
	switch {
	case err != nil:
		return nil, "", err
	case !isMatch:
		return u, loginattempt.OutcomeWRONG_CREDENTIALS, nil
	case !u.IsActive:
		return u, loginattempt.OutcomeINACTIVE, nil
	default:
		return u, loginattempt.OutcomeSUCCESS, nil
	}
}

// byEmail returns the account of the folded address; nil when there is none. ctx is the system's.
func (s *Service) byEmail(ctx context.Context, key string) (*ent.User, error) {
	u, err := s.DB.Client.User.Query().Where(user.EmailKey(key)).Only(ctx)
	return u, ent.MaskNotFound(err)
}

var errChangedMeanwhile = errors.New("identity: the account was changed while its password was checked")

// open makes the session, unless the account has been deactivated or got another password since the check, or has a second factor whose code is
// missing or wrong. A right code is used up with the session that it opens.
func (s *Service) open(ctx context.Context, u *ent.User, code *string, emailKey string, try *limit.Reservation) (opened *ent.Session, err error) {
	client := clientOf(ctx)
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		fresh, err := s.lockUser(ctx, u)
		if err != nil {
			return err
		}
		if err := s.askCode(ctx, fresh, code); err != nil {
			return err
		}
		now := s.DB.Now()
		endsAt := now.Add(absoluteTimeout)
		opened, err = s.DB.Client.Session.Create().SetUserID(u.ID).SetCreatedAt(now).SetLastActivityAt(now).
			SetExpiresAt(earlier(now.Add(s.timeout(&access.Viewer{Roles: rolesOf(fresh)})), endsAt)).SetEndsAt(endsAt).
			SetIP(client.IP).SetUserAgent(client.UserAgent).Save(ctx)
		if err != nil {
			return err
		}
		if err := s.recordAttempt(ctx, emailKey, u, opened, loginattempt.OutcomeSUCCESS); err != nil {
			return err
		}
		return try.Release(ctx)
	})
	return opened, err
}

// askCode uses up the code of an account that has a second factor.
func (s *Service) askCode(ctx context.Context, u *ent.User, code *string) error {
	switch {
	case !u.HasTotp:
		return nil
	case code == nil || onetime.Plain(*code) == "":
		return errNoCode
	default:
		return s.useCode(ctx, u.ID, *code)
	}
}

// fail records a try that came to nothing, and counts it unless only the code was missing.
func (s *Service) fail(ctx context.Context, u *ent.User, emailKey string, outcome loginattempt.Outcome, try *limit.Reservation) error {
	err := s.DB.WithTx(ctx, func(ctx context.Context) error {
		settle := try.Keep
		if outcome == loginattempt.OutcomeTOTP_REQUIRED {
			settle = try.Release
		}
		if err := settle(ctx); err != nil {
			return err
		}
		return s.recordAttempt(ctx, emailKey, u, nil, outcome)
	})
	if err == nil {
		err = ErrInvalidCredentials
		if outcome == loginattempt.OutcomeTOTP_REQUIRED {
			err = ErrTotpRequired
		}
	}
	return err
}

// recordAttempt writes the login history. The address is hashed: people type passwords into that field.
func (s *Service) recordAttempt(ctx context.Context, emailKey string, u *ent.User, opened *ent.Session, outcome loginattempt.Outcome) error {
	client, sum := clientOf(ctx), sha256.Sum256([]byte(emailKey))
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		row := s.DB.Client.LoginAttempt.Create().SetEmailHash(hex.EncodeToString(sum[:])).SetIP(client.IP).SetUserAgent(client.UserAgent).SetOutcome(outcome)
		if u != nil {
			row.SetUserID(u.ID)
		}
		if opened != nil {
			row.SetSessionID(opened.ID)
		}
		return row.Exec(ctx)
	})
}

// welcome makes the user of a new session the viewer of the document, and signs the token.
func (s *Service) welcome(ctx context.Context, opened *ent.Session) (*LoginResult, error) {
	s.activity.opened(opened.ID, opened.CreatedAt)
	found, err := s.load(ctx, opened.ID)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, ErrSessionExpired
	}
	token, err := s.tokens.sign(opened, found.viewer.Roles)
	if err != nil {
		return nil, err
	}
	access.Become(ctx, found.viewer)
	return &LoginResult{Token: token, Session: opened, Viewer: found.viewer}, nil
}

func rolesOf(u *ent.User) []access.Role {
	roles := make([]access.Role, len(u.Roles))
	for i, role := range u.Roles {
		roles[i] = access.Role(role)
	}
	return roles
}
