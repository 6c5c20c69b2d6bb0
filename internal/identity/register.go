package identity

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
)

// RegisterPatient makes an account and a patient record and mails the link that proves the address; to the owner of an address that has an
// account it mails that. Anybody may call it; the answer is the same, and so is the work with the password. Who registers again with the same
// password before the address is proved gets a new link. The key of a retry does not cover the password, which is not to be hashed that
// quickly. Errors: WEAK_PASSWORD and INVALID_INPUT (all fields at once), THROTTLED, IDEMPOTENCY_KEY_REUSED.
func (s *Service) RegisterPatient(ctx context.Context, in RegisterPatientInput) (bool, error) {
	a, err := newAccount(in.Email, in.Password, in.GivenName, in.FamilyName, in.Phone, []access.Role{access.Patient})
	if err != nil {
		return false, err
	}
	err = s.Limits.Take(ctx, "registrations per hour and address", clientOf(ctx).network(), s.RegistrationsPerHour, time.Hour)
	if err != nil {
		return false, err
	}
	password := in.Password
	in.Password = ""
	ctx = access.System(ctx, "registerPatient")
	scope := "registerPatient from " + tokenHash(clientOf(ctx).network())[:16] // strangers may choose the same key
	for {
		answer, err := s.answerRegistration(ctx, a, password)
		if err != nil {
			return false, err
		}
		_, err = idem.Do(ctx, s.DB, scope, in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) { return nil, answer(ctx) })
		if !store.Violates(err, emailClaim) { // else somebody was quicker, and now there is an account
			return err == nil, err
		}
	}
}

// answerRegistration does the slow work with the password, once in each case, and returns what is to be done in the transaction.
func (s *Service) answerRegistration(ctx context.Context, a account, password string) (func(context.Context) error, error) {
	present, err := s.byEmail(ctx, a.key)
	if err != nil {
		return nil, err
	}
	if present == nil {
		hash, err := s.passwords.hash(ctx, password)
		return func(ctx context.Context) error {
			_, err := s.addAccount(ctx, a, hash)
			return err
		}, err
	}
	// A new link goes only to who knows the password: else the owner of the address could be made to confirm somebody else's account.
	isSame, err := s.passwords.matches(ctx, password, present.PasswordHash)
	tell := s.mailExists
	if isSame && present.EmailVerifiedAt == nil && present.IsActive {
		tell = s.mailVerification
	}
	return func(ctx context.Context) error { return tell(ctx, present) }, err
}
