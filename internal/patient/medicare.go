package patient

import (
	"regexp"
	"strings"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identifier"
)

var (
	errIRN      = ErrInvalidIdentifier.Says("The individual reference number is a digit from 1 to 9.")
	errIRNOther = ErrInvalidIdentifier.Says("The individual reference number is another one than the card number ends with.")
	errIRNAlone = ErrInvalidIdentifier.Says("An individual reference number needs the number of its Medicare card.")
	errExpiry   = fault.ErrInvalid.Says("Give the month in which the card expires as YYYY-MM.")

	irn = regexp.MustCompile(`^[1-9]$`)
)

// bareNumber is the length of a card number without its IRN.
const bareNumber = 10

// medicare normalises the data of a Medicare card: an IRN at the end of the number becomes the IRN, and without a number there is neither IRN
// nor expiry.
func (p *problems) medicare(f *fields, mode identifier.Mode) {
	p.text(&f.medicareNumber, "medicareNumber", unlessEmpty(checked(identifier.Medicare, mode)))
	p.text(&f.medicareIRN, "medicareIrn", unlessEmpty(checkIRN))
	p.text(&f.expiry, "medicareExpiry", unlessEmpty(checkExpiry))
	if f.medicareNumber == nil {
		return
	}
	empty := ""
	number := *f.medicareNumber
	switch {
	case number == "" && isGiven(f.medicareIRN):
		p.add(errIRNAlone, "medicareIrn")
	case number == "":
		f.medicareIRN, f.expiry = &empty, &empty
	case len(number) > bareNumber:
		bare, own := number[:bareNumber], number[bareNumber:]
		if isGiven(f.medicareIRN) && *f.medicareIRN != own {
			p.add(errIRNOther, "medicareIrn")
		}
		f.medicareNumber, f.medicareIRN = &bare, &own
	}
}

func checkIRN(s string) (string, error) {
	if s = strings.TrimSpace(s); !irn.MatchString(s) {
		return "", errIRN
	}
	return s, nil
}

func checkExpiry(s string) (string, error) {
	if _, err := civil.ParseDate(s + "-01"); err != nil {
		return "", errExpiry
	}
	return s, nil
}

// fits tells whether the changes leave the record's IRN with a number.
func (f *fields) fits(current *ent.Patient) error {
	if isGiven(f.medicareIRN) && f.medicareNumber == nil && current.MedicareNumber == nil {
		return errIRNAlone.At("medicareIrn")
	}
	return nil
}
