package wallet

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/money"
)

// TopUpWalletInput is the input of topUpWallet.
type TopUpWalletInput struct {
	// The patient.
	PatientID uuid.UUID
	// What is paid in; above zero, at most 1,000,000.00.
	Amount string
	// How it is paid.
	Method PaymentMethod
	// Reference of the receipt, or a note; at most 200 characters.
	Note *string
	// Makes a repeated call return the first result instead of moving money twice; kept for 24 hours.
	IdempotencyKey *string
}

// AdjustWalletInput is the input of adjustWallet.
type AdjustWalletInput struct {
	// The patient.
	PatientID uuid.UUID
	// What the wallet is credited (above zero) or debited (below zero); not zero, at most 1,000,000.00 either way.
	Amount string
	// Why; 1 to 400 characters.
	Reason string
	// How money is paid back to the patient; the amount is below zero then. Left out for a correction.
	RefundBy *PaymentMethod
	// Makes a repeated call return the first result instead of moving money twice; kept for 24 hours.
	IdempotencyKey *string
}

// ReverseWalletTransactionInput is the input of reverseWalletTransaction.
type ReverseWalletTransactionInput struct {
	// The transaction.
	TransactionID uuid.UUID
	// Why; 1 to 400 characters.
	Reason string
	// Makes a repeated call return the first result instead of moving money twice; kept for 24 hours.
	IdempotencyKey *string
}

const (
	maxAmount = "1000000" // of what people post, in whole units of the currency: no number of them overflows a sum
	maxNote   = 200       // characters
	maxReason = 400
)

// Validate reports all errors of the input's fields and returns the amount.
func (in TopUpWalletInput) Validate(currency string) (money.Amount, error) {
	errs := []error{needsKey(in.IdempotencyKey), knownMethod(in.Method, "method")}
	if in.Note != nil && !fitsIn(*in.Note, 0, maxNote) {
		errs = append(errs, fault.InvalidAt("A note has at most 200 characters.", "note"))
	}
	amount, err := amountIn(in.Amount, currency)
	if err == nil && (amount.Sign() <= 0 || amount.Minor > mostOf(currency)) {
		err = fault.InvalidAt("What is paid in is above zero and at most 1,000,000.00.", "amount")
	}
	return amount, errors.Join(append(errs, err)...)
}

// Validate reports all errors of the input's fields and returns the amount.
func (in AdjustWalletInput) Validate(currency string) (money.Amount, error) {
	errs := []error{needsKey(in.IdempotencyKey), hasReason(in.Reason)}
	amount, err := amountIn(in.Amount, currency)
	if err == nil && amount.IsZero() {
		err = fault.InvalidAt("The amount is not zero.", "amount")
	}
	if most := mostOf(currency); err == nil && (amount.Minor > most || amount.Minor < -most) {
		err = fault.InvalidAt("The amount is at most 1,000,000.00, above or below zero.", "amount")
	}
	if in.RefundBy != nil {
		errs = append(errs, knownMethod(*in.RefundBy, "refundBy"))
		if err == nil && amount.Sign() > 0 {
			err = fault.InvalidAt("Money that is paid back to the patient has an amount below zero.", "amount")
		}
	}
	return amount, errors.Join(append(errs, err)...)
}

// Validate reports all errors of the input's fields.
func (in ReverseWalletTransactionInput) Validate() error {
	return errors.Join(needsKey(in.IdempotencyKey), hasReason(in.Reason))
}

// mostOf is the largest amount in minor units.
func mostOf(currency string) int64 {
	most, _ := money.Parse(maxAmount, currency)
	return most.Minor
}

func amountIn(text, currency string) (money.Amount, error) {
	amount, err := money.Parse(text, currency)
	var f *fault.Error
	if errors.As(err, &f) {
		return amount, f.At("amount")
	}
	return amount, err
}

func needsKey(key *string) error {
	if key == nil {
		return idem.ErrRequired
	}
	return nil
}

func hasReason(reason string) error {
	if !fitsIn(reason, 1, maxReason) {
		return fault.InvalidAt("A reason has 1 to 400 characters.", "reason")
	}
	return nil
}

func knownMethod(m PaymentMethod, field string) error {
	if m != Cash && m != Card {
		return fault.InvalidAt("One pays by CASH or CARD.", field)
	}
	return nil
}

// fitsIn tells whether a text has so many characters, white space around it aside.
func fitsIn(text string, least, most int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	return isStorable(text) && n >= least && n <= most
}
