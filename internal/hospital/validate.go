package hospital

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
)

const (
	maxName        = 100
	maxNumber      = 20
	maxText        = 8000
	maxDescription = 500
	largest        = "1000000" // units of the currency, of a rate or a charge
	longestPast    = 3660      // days that paperwork may be late: each of them is charged at once
)

// line returns a line of 1 to so many characters as it is stored, without blanks around.
func line(text string, most int, what, field string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n < 1 || n > most || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", fault.InvalidAt(fmt.Sprintf("%s has 1 to %d characters.", what, most), field)
	}
	return text, nil
}

// optional refuses a free text that is too long, or is none.
func optional(text *string, field string) error {
	if text != nil && (utf8.RuneCountInString(*text) > maxText || !utf8.ValidString(*text) || strings.ContainsRune(*text, 0)) {
		return fault.InvalidAt("This has at most 8,000 characters.", field)
	}
	return nil
}

// trimmed is a free text as it is stored; "" when it is left out.
func trimmed(text *string) string {
	if text == nil {
		return ""
	}
	return strings.TrimSpace(*text)
}

// nameKey is what makes names of wards the same, whatever the case and the way letters are composed.
func nameKey(name string) string {
	return norm.NFC.String(strings.ToLower(norm.NFKC.String(strings.Join(strings.Fields(name), " "))))
}

const maxNameKey = 600 // bytes

func wardNameOf(text string) (string, error) {
	name, err := line(text, maxName, "A name", "name")
	if err == nil && len(nameKey(name)) > maxNameKey {
		err = fault.InvalidAt("The name is too long.", "name")
	}
	return name, err
}

// amount reads an amount of the currency between 0, or just above it, and a million units.
func amount(text, currency string, isAboveZero bool, field string) (money.Amount, error) {
	a, err := money.Parse(text, currency)
	if list, known := fault.All(err); err != nil && known {
		return a, list[0].At(field)
	}
	if err != nil {
		return a, err
	}
	most, err := money.Parse(largest, currency)
	if err != nil {
		return a, err
	}
	switch {
	case a.Sign() < 0 || isAboveZero && a.IsZero():
		return a, fault.InvalidAt("The amount is too small.", field)
	case a.Minor > most.Minor:
		return a, fault.InvalidAt("An amount is at most 1,000,000.00.", field)
	}
	return a, nil
}

// instant is the given instant as it is stored, or now; it may not lie ahead, nor too far back.
func instant(given *time.Time, now time.Time, field string) (time.Time, error) {
	if given == nil {
		return now, nil
	}
	at := clock.Instant(*given)
	switch {
	case at.After(now):
		return at, ErrDateInFuture.At(field)
	case civil.DateOf(at, time.UTC).DaysUntil(civil.DateOf(now, time.UTC)) > longestPast:
		return at, fault.InvalidAt("This lies more than 3,660 days back.", field)
	}
	return at, nil
}

var registration = regexp.MustCompile(`^[A-Z0-9-]{3,30}$`)

// registrationNumber is the number of a membership as it is stored.
func registrationNumber(text string) (string, error) {
	number := strings.ToUpper(strings.TrimSpace(text))
	if !registration.MatchString(number) {
		return "", fault.InvalidAt("A number has 3 to 30 letters, digits and hyphens.", "registrationNumber")
	}
	return number, nil
}

// Validate reports all errors of the input's fields that do not depend on the time.
func (in AdmitPatientInput) Validate() error {
	problems := []error{optional(&in.Reason, "reason"), optional(in.Diagnosis, "diagnosis")}
	if strings.TrimSpace(in.Reason) == "" {
		problems = append(problems, fault.InvalidAt("Say why the patient is admitted.", "reason"))
	}
	return errors.Join(problems...)
}

// Validate reports all errors of the input's fields.
func (in AddAdmissionChargeInput) Validate(currency string) (description string, charge money.Amount, err error) {
	description, textErr := line(in.Description, maxDescription, "A description", "description")
	charge, amountErr := amount(in.Amount, currency, true, "amount")
	if in.IdempotencyKey == nil {
		err = idem.ErrRequired
	}
	return description, charge, errors.Join(err, textErr, amountErr)
}
