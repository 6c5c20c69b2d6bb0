// Package money holds amounts as whole minor units of a currency, so that no sum is ever rounded.
//
// Amounts of different currencies never meet in a calculation, and a result that does not fit into 64 bits is an
// error instead of a wrong balance. Every error is a *fault.Error made from fault.ErrInvalid without a field: the
// caller knows which input it was (see fault.Error.At).
package money

import (
	"math"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"github.com/caregraph/caregraph/internal/fault"
)

// Amount is a sum of money. It may be negative. The zero Amount has no currency and belongs to no calculation.
type Amount struct {
	Minor    int64  // in the currency's smallest unit: 1230 is 12.30 AUD, 1230 JPY and 1.230 BHD
	Currency string // ISO 4217 code in upper case
}

// What can be wrong with an amount.
var (
	errCurrency = fault.ErrInvalid.Says("The currency is not a known ISO 4217 code.")
	errFormat   = fault.ErrInvalid.Says("An amount is written as a plain decimal number, such as 12.30.")
	errDigits   = fault.ErrInvalid.Says("The amount has more decimal places than its currency.")
	errOverflow = fault.ErrInvalid.Says("The amount is too large.")
	errMismatch = fault.ErrInvalid.Says("Amounts of different currencies cannot be added.")
)

// Parse reads a plain decimal number (an optional minus, digits without needless leading zeros, and optionally a
// point and more digits) as an amount of the currency. It refuses an unknown currency, any other notation, more
// decimal places than the currency has, even if they are zeros, and what does not fit into 64 bits.
func Parse(decimal, currencyCode string) (Amount, error) {
	digits, ok := currency.GetDigits(currencyCode)
	if !ok {
		return Amount{}, errCurrency
	}
	unsigned, negative := strings.CutPrefix(decimal, "-")
	whole, fraction, hasPoint := strings.Cut(unsigned, ".")
	switch {
	case !onlyDigits(whole), hasPoint && !onlyDigits(fraction), len(whole) > 1 && whole[0] == '0':
		return Amount{}, errFormat
	case len(fraction) > int(digits):
		return Amount{}, errDigits
	}
	minor := whole + fraction + strings.Repeat("0", int(digits)-len(fraction))
	if negative {
		minor = "-" + minor
	}
	n, err := strconv.ParseInt(minor, 10, 64)
	if err != nil {
		return Amount{}, errOverflow
	}
	return Amount{Minor: n, Currency: currencyCode}, nil
}

// Decimal returns the number alone, with exactly as many decimal places as the currency has: "-12.30". An unknown
// currency has none.
func (a Amount) Decimal() string {
	s := strconv.FormatInt(a.Minor, 10)
	digits, _ := currency.GetDigits(a.Currency)
	if digits == 0 {
		return s
	}
	s, negative := strings.CutPrefix(s, "-")
	if missing := int(digits) + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	point := len(s) - int(digits)
	s = s[:point] + "." + s[point:]
	if negative {
		return "-" + s
	}
	return s
}

// String returns the amount for people and logs: "-12.30 AUD".
func (a Amount) String() string { return strings.TrimSpace(a.Decimal() + " " + a.Currency) }

// Add returns a + b; an error if the currencies differ or the sum does not fit.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, errMismatch
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) {
		return Amount{}, errOverflow
	}
	return Amount{Minor: sum, Currency: a.Currency}, nil
}

// Sub returns a - b; an error if the currencies differ or the difference does not fit.
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, errMismatch
	}
	difference := a.Minor - b.Minor
	if (difference < a.Minor) != (b.Minor > 0) {
		return Amount{}, errOverflow
	}
	return Amount{Minor: difference, Currency: a.Currency}, nil
}

// Neg returns -a; an error for the one amount whose opposite does not fit.
func (a Amount) Neg() (Amount, error) {
	if a.Minor == math.MinInt64 {
		return Amount{}, errOverflow
	}
	return Amount{Minor: -a.Minor, Currency: a.Currency}, nil
}

// IsZero tells whether there is no money, in whatever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int {
	switch {
	case a.Minor < 0:
		return -1
	case a.Minor > 0:
		return 1
	}
	return 0
}

func onlyDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
