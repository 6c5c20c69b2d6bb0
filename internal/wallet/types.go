package wallet

import (
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
)

// PaymentMethod is how money is paid in or back.
type PaymentMethod string

// The methods.
const (
	Cash PaymentMethod = "CASH"
	Card PaymentMethod = "CARD"
)

// WalletStatement is what was posted in a range of dates.
type WalletStatement struct {
	WalletID         uuid.UUID
	From, To         civil.Date
	Opening, Closing money.Amount
	HasMore          bool // than the 1,000 Entries
	Credits, Debits  money.Amount

	start, end time.Time
	upTo       int64 // position: what is posted while it is read stands behind
}

// LedgerVerification is what a verification has found; all but Run is nil while it goes on.
type LedgerVerification struct {
	Run                   *ent.JobRun
	IsWhole               *bool
	Wallets, Transactions *int
	Fault                 *LedgerFault
}

// LedgerFault is the first bad row.
type LedgerFault struct {
	WalletID uuid.UUID
	Position int64
	Problem  string
}

// TrialBalance are the sums of all accounts.
type TrialBalance struct {
	Wallets    AccountTotal
	Accounts   []AccountTotal
	Total      money.Amount
	IsBalanced bool
}

// AccountTotal is the sum of an account.
type AccountTotal struct {
	Account string
	Total   money.Amount
	Count   int
}
