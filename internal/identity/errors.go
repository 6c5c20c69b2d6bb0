package identity

import (
	"errors"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// The outcomes of this domain.
var (
	ErrInvalidCredentials = fault.New(fault.Invalid, "INVALID_CREDENTIALS", "E-mail address and password do not match an account, or the one-time code is wrong.")
	ErrTotpRequired       = fault.New(fault.Precondition, "TOTP_REQUIRED", "A one-time code is needed too.")
	ErrSessionExpired     = fault.New(fault.Unauthenticated, "SESSION_EXPIRED", "The session has ended. Sign in again.")
	ErrEmailTaken         = fault.New(fault.Conflict, "EMAIL_TAKEN", "This e-mail address belongs to another account.").At("email")
	ErrWeakPassword       = fault.New(fault.Invalid, "WEAK_PASSWORD", "The password is too weak.")
	ErrTokenInvalid       = fault.New(fault.Invalid, "TOKEN_INVALID", "This link is wrong, used or too old.").At("token")
	ErrIllegalStatus      = fault.New(fault.Precondition, "ILLEGAL_STATUS", "The second factor is not in a state that allows this.")
	ErrInvalidIdentifier  = fault.New(fault.Invalid, "INVALID_IDENTIFIER", "The identifier is not valid.")
)

var (
	errSelf         = fault.ErrForbidden.Says("Nobody deactivates the own account; ask another administrator.")
	errLastAdmin    = fault.ErrForbidden.Says("The last administrator cannot go. Make somebody else an administrator first.")
	errNoRole       = fault.ErrInvalid.Says("A user has at least one role.")
	errRole         = fault.ErrInvalid.Says("This is not a role.")
	errOwnFactor    = fault.ErrForbidden.Says("The own second factor is removed by disableTotp.")
	errOnlyPatients = fault.ErrForbidden.Says("Only patients have a record to join.")
	errNoTotpKey    = fault.ErrUnavailable.Says("This server is not set up for second factors.")
	errAlone        = fault.ErrInvalid.Says("PATIENT stands alone: staff who are patients too have a second account for that.")
)

// emailClaim is the unique folded address.
var emailClaim = store.Constraint{Postgres: "users_email_key_key", SQLite: "users.email_key"}

// at names the input field at fault.
func at(err error, field string) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return known.At(field)
	}
	return err
}

// problems gathers the errors of all fields.
type problems []error

// add notes an error, if there is one, as that of the field.
func (p *problems) add(err error, field string) {
	if err != nil {
		*p = append(*p, at(err, field))
	}
}

func (p problems) join() error { return errors.Join(p...) }
