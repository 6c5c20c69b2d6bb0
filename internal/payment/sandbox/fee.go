package sandbox

import "github.com/bojanz/currency"

// The fee is a stand-in for that of a real provider: 1.75 % and 0.30 of the currency's unit.
const (
	feeBasisPoints = 175
	feeFixedCents  = 30
)

// fee returns what the provider keeps of a payment in minor units, rounded half up once, at the end.
func fee(amountMinor int64, currencyCode string) int64 {
	unit := int64(1) // minor units in one unit of the currency
	digits, _ := currency.GetDigits(currencyCode)
	for range digits {
		unit *= 10
	}
	whole, rest := amountMinor/10_000, amountMinor%10_000 // apart, so that no product overflows
	return whole*feeBasisPoints + (rest*feeBasisPoints+feeFixedCents*unit*100+5_000)/10_000
}
