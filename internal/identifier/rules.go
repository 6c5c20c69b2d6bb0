package identifier

import (
	"regexp"
	"strings"
)

// rule is what makes a normalised value an identifier of one kind.
type rule struct {
	form       *regexp.Regexp            // length and characters: all that Lenient asks for
	formReason string                    // what the form is, for people
	check      func(value string) string // the reason why not, or ""; it may rely on the form. nil if nothing is public
}

const wrongCheck = "The check digit does not match the number."

var rules = map[Kind]rule{
	Medicare: {
		form:       regexp.MustCompile(`^[0-9]{10,11}$`),
		formReason: "A Medicare number has 10 digits, or 11 with the individual reference number.",
		check:      checkMedicare,
	},
	IHI:  healthcareIdentifier("An IHI", "800360"),
	HPII: healthcareIdentifier("An HPI-I", "800361"),
	HPIO: healthcareIdentifier("An HPI-O", "800362"),
	Provider: {
		form:       regexp.MustCompile(`^[0-9]{6}[` + providerLocations + `][` + providerChecks + `]$`),
		formReason: "A provider number has 6 digits, a location character and a check character.",
		check:      checkProvider,
	},
	Prescriber: {
		form:       regexp.MustCompile(`^[0-9]{7}$`),
		formReason: "A prescriber number has 7 digits.",
		check:      checkPrescriber,
	},
	AHPRA: {
		form:       regexp.MustCompile(`^[A-Z]{3}[0-9]{10}$`),
		formReason: "An AHPRA registration number has 3 letters and 10 digits.",
	},
	PBS: {
		form:       regexp.MustCompile(`^[0-9]{2,5}[A-Z]$`),
		formReason: "A PBS item code has 2 to 5 digits and a letter.",
	},
	ARTG: {
		form:       regexp.MustCompile(`^(AUST(R|L|L\(A\)))?[0-9]{1,7}$`),
		formReason: "An ARTG number has up to 7 digits, alone or after AUST R, AUST L or AUST L(A).",
	},
	APN: {
		form:       regexp.MustCompile(`^[0-9]{13}$`),
		formReason: "An APN has 13 digits.",
		check:      checkEAN13,
	},
}

// healthcareIdentifier is the rule of the national health identifiers, which differ in their prefix only.
func healthcareIdentifier(name, prefix string) rule {
	return rule{
		form:       regexp.MustCompile(`^[0-9]{16}$`),
		formReason: name + " has 16 digits.",
		check: func(value string) string {
			if !strings.HasPrefix(value, prefix) {
				return name + " begins with " + prefix + "."
			}
			return unless(luhn(value), wrongCheck)
		},
	}
}

func checkMedicare(value string) string {
	switch {
	case value[0] < '2' || value[0] > '6':
		return "A Medicare number begins with a digit from 2 to 6."
	case weighted(value, 1, 3, 7, 9, 1, 3, 7, 9)%10 != digit(value[8]):
		return wrongCheck
	case value[9] == '0':
		return "The issue number, the 10th digit, is from 1 to 9."
	case len(value) == 11 && value[10] == '0':
		return "The individual reference number, the 11th digit, is from 1 to 9."
	}
	return ""
}

// The characters of a provider number; their positions are their values. Those that look like others are left out.
const (
	providerLocations = "0123456789ABCDEFGHJKLMNPQRTUVWXY"
	providerChecks    = "YXWTLKJHFBA"
)

func checkProvider(value string) string {
	location := strings.IndexByte(providerLocations, value[6])
	sum := weighted(value, 3, 5, 8, 4, 2, 1) + 6*location
	return unless(providerChecks[sum%11] == value[7], "The check character does not match the number.")
}

func checkPrescriber(value string) string {
	if value[0] == '0' {
		// A remainder of 10 has no digit, so it never matches: such numbers are not issued.
		return unless(weighted(value, 0, 5, 8, 4, 2, 1)%11 == digit(value[6]), wrongCheck)
	}
	return unless(weighted(value, 1, 3, 7, 9, 1, 3)%10 == digit(value[6]), wrongCheck)
}

func checkEAN13(value string) string {
	return unless(weighted(value, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)%10 == 0, wrongCheck)
}

// luhn is the check of ISO/IEC 7812: from the right, every second digit counts double, and a double above 9 counts the
// sum of its digits; all together are a multiple of 10.
func luhn(value string) bool {
	sum := 0
	for i := range len(value) {
		d := digit(value[len(value)-1-i])
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

// weighted is the sum of the first digits of value, each times its weight.
func weighted(value string, weights ...int) (sum int) {
	for i, w := range weights {
		sum += digit(value[i]) * w
	}
	return sum
}

func digit(c byte) int { return int(c - '0') }

func unless(ok bool, reason string) string {
	if ok {
		return ""
	}
	return reason
}
