package patient

import (
	"errors"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// The outcomes of this domain.
var (
	// ErrDuplicate says no more than that the database refused: whose record it is may be hidden from the caller.
	ErrDuplicate         = fault.New(fault.Conflict, "DUPLICATE_PATIENT", "This identifier cannot be used: a record may exist already. Ask the practice to check it.")
	ErrTokenInvalid      = fault.New(fault.Invalid, "TOKEN_INVALID", "This code is wrong, used or too old.").At("code")
	ErrIllegalStatus     = fault.New(fault.Precondition, "ILLEGAL_STATUS", "The record is not in a state that allows this.")
	ErrInvalidIdentifier = fault.New(fault.Invalid, "INVALID_IDENTIFIER", "The identifier is not valid.")
)

var (
	errNotOne    = ErrIllegalStatus.Says("The two records cannot become one by themselves: both have a history, or they tell of different people. Ask the practice.").At("code")
	errLinked    = ErrIllegalStatus.Says("The record belongs to an account already.").At("sendLinkCode")
	errNoAddress = ErrIllegalStatus.Says("The record has no e-mail address to mail a code to.").At("sendLinkCode")
	errNotStaff  = fault.ErrForbidden.Says("Codes are mailed by staff.").At("sendLinkCode")
)

// The claims that the database decides.
var (
	medicareCard = store.Constraint{Postgres: "patient_medicare_number_medicare_irn", SQLite: "patients.medicare_number, patients.medicare_irn"}
	ihiClaim     = store.Constraint{Postgres: "patients_ihi_key", SQLite: "patients.ihi"}
)

// clash turns the violation of a claim into the outcome that clients are told.
func clash(err error) error {
	switch {
	case store.Violates(err, medicareCard):
		return ErrDuplicate.At("medicareNumber").Because(err)
	case store.Violates(err, ihiClaim):
		return ErrDuplicate.At("ihi").Because(err)
	default:
		return err
	}
}

// problems gathers the errors of all fields.
type problems []error

// add notes an error, if there is one, as that of the field.
func (p *problems) add(err error, field string) {
	if err == nil {
		return
	}
	var known *fault.Error
	if errors.As(err, &known) {
		err = known.At(field)
	}
	*p = append(*p, err)
}

func (p problems) join() error { return errors.Join(p...) }
