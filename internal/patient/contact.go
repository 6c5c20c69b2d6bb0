package patient

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/caregraph/caregraph/internal/fault"
)

var (
	errName  = fault.ErrInvalid.Says("Give a name.")
	errText  = fault.ErrInvalid.Says("The text is too long or holds characters that cannot be stored.")
	errEmail = fault.ErrInvalid.Says("This is not an e-mail address.")
	errPhone = fault.ErrInvalid.Says("This is not a telephone number. Numbers from abroad need their country code, such as +64.")
)

// The columns' sizes, in bytes.
const (
	maxName  = 100
	maxEmail = 254
	maxPhone = 40 // as typed
)

// NormalizeText returns a line of text as it is stored, without blanks around; an INVALID_INPUT error when it has more bytes than that, or
// control characters.
func NormalizeText(s string, most int) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errText
	}
	return s, nil
}

// NormalizeName is NormalizeText for a name of a person, which cannot be empty.
func NormalizeName(s string) (string, error) {
	s, err := NormalizeText(s, maxName)
	if err == nil && s == "" {
		err = errName
	}
	return s, err
}

// address is the form of e-mail addresses that every mail server takes: letters of other scripts belong into the encoded form of a domain.
var address = regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
	`@([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])$`)

const maxLocalPart = 64

// NormalizeEmail returns an e-mail address as it is stored; an INVALID_INPUT error for what is none.
func NormalizeEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxEmail || strings.IndexByte(s, '@') > maxLocalPart || !address.MatchString(s) {
		return "", errEmail
	}
	return s, nil
}

// NormalizePhone returns a telephone number in E.164 form, reading it as an Australian one unless it has a country code; an INVALID_INPUT error
// for what is none.
func NormalizePhone(s string) (string, error) {
	if len(s) > maxPhone {
		return "", errPhone
	}
	number, err := phonenumbers.Parse(s, "AU")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", errPhone
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}
