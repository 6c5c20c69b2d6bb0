package wallet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/notify"
)

// VerifyJob is the name of the job that verifies the ledger.
const VerifyJob = "verify-ledger"

// KindBroken is the kind of the notice that a row of the ledger is bad.
const KindBroken = "LEDGER_BROKEN"

// ErrBroken ends a verification that has found a bad row; which one administrators are told.
var ErrBroken = fault.New(fault.Internal, "LEDGER_BROKEN", "A row of the ledger is not what was posted.")

// verified keeps what the newest verification of this instance has found. A run of the job has room for numbers alone.
type verified struct {
	mu    sync.Mutex
	at    time.Time
	found *Finding
}

// VerifyDue verifies the ledger for an occurrence of its job and returns how many wallets and transactions are whole. It tells administrators of the first bad
// row, once a day, and fails.
func (s *Service) VerifyDue(ctx context.Context, at time.Time) (wallets, transactions int, err error) {
	ctx = access.System(ctx, "verify the ledger")
	found, err := s.Verify(ctx)
	if err != nil {
		return found.Wallets, found.Transactions, err
	}
	s.verified.mu.Lock()
	s.verified.at, s.verified.found = at, &found
	s.verified.mu.Unlock()
	if found.Fault == nil {
		return found.Wallets, found.Transactions, nil
	}
	if err := s.tellBroken(ctx, found.Fault); err != nil {
		return found.Wallets, found.Transactions, err
	}
	bad := found.Fault
	return found.Wallets, found.Transactions, ErrBroken.Because(fmt.Errorf("wallet %s, position %d: %s", bad.WalletID, bad.Position, bad.Problem))
}

// tellBroken puts a notice before all administrators.
func (s *Service) tellBroken(ctx context.Context, bad *LedgerFault) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		admins, err := s.active(ctx, access.Admin)
		if err != nil {
			return err
		}
		notices := make([]notify.Notice, len(admins))
		for i, id := range admins {
			notices[i] = notify.Notice{
				Kind: KindBroken, UserID: id, SubjectID: bad.WalletID, Occurrence: fmt.Sprintf("%s %d", civil.DateOf(s.DB.Now(), s.Zone), bad.Position),
				Title: "The ledger is broken",
				Text:  fmt.Sprintf("The verification of the ledger has found a bad row: wallet %s, position %d. %s", bad.WalletID, bad.Position, bad.Problem),
			}
		}
		return s.Notify.Notices(ctx, notices...)
	})
}

// Verification shows a run of the job. Which row is bad is known to the instance that ran it last; others know that there is one.
func (s *Service) Verification(run *ent.JobRun) *LedgerVerification {
	v := &LedgerVerification{Run: run}
	if run.State == jobrun.StateRUNNING {
		return v
	}
	s.verified.mu.Lock()
	defer s.verified.mu.Unlock()
	if s.verified.found != nil && s.verified.at.Equal(run.Occurrence) {
		return s.verified.found.shown(run)
	}
	if run.State == jobrun.StateFAILED && run.Error != string(ErrBroken.Code) {
		return v // it did not get to the end
	}
	isWhole, wallets, transactions := run.State != jobrun.StateFAILED, run.Counts["wallets"], run.Counts["transactions"]
	v.IsWhole, v.Wallets, v.Transactions = &isWhole, &wallets, &transactions
	return v
}

// shown is what clients see of a finding.
func (f *Finding) shown(run *ent.JobRun) *LedgerVerification {
	isWhole, wallets, transactions := f.Fault == nil, f.Wallets, f.Transactions
	return &LedgerVerification{Run: run, IsWhole: &isWhole, Wallets: &wallets, Transactions: &transactions, Fault: f.Fault}
}
