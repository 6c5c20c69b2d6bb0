package wallet

import (
	"github.com/google/uuid"
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
	// What the wallet is credited (above zero) or debited (below zero); not zero.
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
