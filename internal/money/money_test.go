package money_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
)

func TestParse_AcceptsPlainDecimals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, decimal, currency string
		minor                   int64
		written                 string
	}{
		{"two decimal places", "12.30", "AUD", 1230, "12.30"},
		{"one decimal place is filled up", "12.3", "AUD", 1230, "12.30"},
		{"no decimal places are filled up", "12", "AUD", 1200, "12.00"},
		{"negative", "-12.30", "AUD", -1230, "-12.30"},
		{"less than one unit", "0.05", "AUD", 5, "0.05"},
		{"less than one unit, negative", "-0.05", "AUD", -5, "-0.05"},
		{"zero", "0", "AUD", 0, "0.00"},
		{"minus zero is zero", "-0.00", "AUD", 0, "0.00"},
		{"yen have no decimal places", "1230", "JPY", 1230, "1230"},
		{"dinars have three", "1.005", "BHD", 1005, "1.005"},
		{"the largest", "92233720368547758.07", "AUD", math.MaxInt64, "92233720368547758.07"},
		{"the smallest", "-92233720368547758.08", "AUD", math.MinInt64, "-92233720368547758.08"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := money.Parse(c.decimal, c.currency)
			require.NoError(t, err)
			require.Equal(t, money.Amount{Minor: c.minor, Currency: c.currency}, got)
			require.Equal(t, c.written, got.Decimal())
			require.Equal(t, c.written+" "+c.currency, got.String())
		})
	}
}

func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, decimal, currency, message string }{
		{"a third digit of dollars", "12.305", "AUD", "decimal places"},
		{"a third digit even if it is zero", "12.300", "AUD", "decimal places"},
		{"any digit of yen after the point", "12.0", "JPY", "decimal places"},
		{"a fourth digit of dinars", "1.0005", "BHD", "decimal places"},
		{"one more than the largest", "92233720368547758.08", "AUD", "too large"},
		{"one less than the smallest", "-92233720368547758.09", "AUD", "too large"},
		{"a number that never ends", "99999999999999999999999999999999999999", "AUD", "too large"},
		{"nothing", "", "AUD", "plain decimal"},
		{"only a sign", "-", "AUD", "plain decimal"},
		{"only a point", ".", "AUD", "plain decimal"},
		{"no digit before the point", ".50", "AUD", "plain decimal"},
		{"no digit after the point", "12.", "AUD", "plain decimal"},
		{"two points", "1.2.3", "AUD", "plain decimal"},
		{"a plus", "+1.00", "AUD", "plain decimal"},
		{"a sign after the point", "1.-5", "AUD", "plain decimal"},
		{"an exponent", "1e3", "AUD", "plain decimal"},
		{"a comma", "1,000.00", "AUD", "plain decimal"},
		{"blanks", " 1.00", "AUD", "plain decimal"},
		{"an underscore", "1_000", "AUD", "plain decimal"},
		{"a leading zero", "01.00", "AUD", "plain decimal"},
		{"hexadecimal", "0x10", "AUD", "plain decimal"},
		{"digits of another script", "١٢", "AUD", "plain decimal"},
		{"a word", "NaN", "AUD", "plain decimal"},
		{"an unknown currency", "1.00", "ZZZ", "ISO 4217"},
		{"a currency in lower case", "1.00", "aud", "ISO 4217"},
		{"no currency", "1.00", "", "ISO 4217"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := money.Parse(c.decimal, c.currency)
			requireInvalid(t, err, c.message)
		})
	}
}

func TestParse_RoundTripsEveryAmountOfEveryCurrency(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := money.Amount{
			Minor:    rapid.Int64().Draw(t, "minor"),
			Currency: rapid.SampledFrom(currency.GetCurrencyCodes()).Draw(t, "currency"),
		}
		got, err := money.Parse(want.Decimal(), want.Currency)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestArithmetic_AgreesWithBigIntegers(t *testing.T) {
	t.Parallel()
	limit := []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}
	minor := rapid.OneOf(rapid.Int64(), rapid.SampledFrom(limit))
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{Minor: minor.Draw(t, "a"), Currency: "AUD"}
		b := money.Amount{Minor: minor.Draw(t, "b"), Currency: "AUD"}
		x, y := big.NewInt(a.Minor), big.NewInt(b.Minor)

		sum, err := a.Add(b)
		requireSame(t, new(big.Int).Add(x, y), sum, err)
		difference, err := a.Sub(b)
		requireSame(t, new(big.Int).Sub(x, y), difference, err)
		opposite, err := a.Neg()
		requireSame(t, new(big.Int).Neg(x), opposite, err)
		require.Equal(t, x.Sign(), a.Sign())
		require.Equal(t, x.Sign() == 0, a.IsZero())
	})
}

func TestArithmetic_RefusesTwoCurrencies(t *testing.T) {
	t.Parallel()
	aud, jpy := money.Amount{Minor: 1, Currency: "AUD"}, money.Amount{Minor: 1, Currency: "JPY"}
	_, err := aud.Add(jpy)
	requireInvalid(t, err, "different currencies")
	_, err = aud.Sub(jpy)
	requireInvalid(t, err, "different currencies")
	_, err = aud.Add(money.Amount{})
	requireInvalid(t, err, "different currencies")
}

func TestDecimal_OfNoCurrencyIsWhole(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0", money.Amount{}.String())
}

// requireSame checks a result against what unbounded integers say: the same number, or an error if it does not fit.
func requireSame(t require.TestingT, want *big.Int, got money.Amount, err error) {
	if !want.IsInt64() {
		requireInvalid(t, err, "too large")
		return
	}
	require.NoError(t, err)
	require.Equal(t, money.Amount{Minor: want.Int64(), Currency: "AUD"}, got)
}

func requireInvalid(t require.TestingT, err error, message string) {
	require.ErrorIs(t, err, fault.ErrInvalid)
	require.ErrorContains(t, err, message)
}
