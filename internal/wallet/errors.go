package wallet

import "github.com/caregraph/caregraph/internal/fault"

// The outcomes of this domain.
var (
	ErrAlreadyReversed = fault.New(fault.Conflict, "ALREADY_REVERSED", "The transaction has been reversed already.").At("transactionId")
	ErrIllegalStatus   = fault.New(fault.Precondition, "ILLEGAL_STATUS", "A reversal cannot be reversed: post what is right instead.").At("transactionId")
)
