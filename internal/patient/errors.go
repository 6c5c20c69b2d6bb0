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
	ErrInvalidIdentifier = fault.New(fault.Invalid, "INVALID_IDENTIFIER", "The identifier is not valid.")
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
