package wallet

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/jobrun"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/notify"
)

// VerifyJob is the name of the job that verifies the ledger.
const VerifyJob = "verify-ledger"

// KindBroken is the kind of the notice that a row of the ledger is bad.
const KindBroken = "LEDGER_BROKEN"

// VerifyDue verifies the ledger for its job and tells administrators of the first bad row, once a day. A bad row is a finding and no error.
func (s *Service) VerifyDue(ctx context.Context) (Finding, error) {
	ctx = access.System(ctx, "verify the ledger")
	found, err := s.Verify(ctx)
	if err == nil && found.Fault != nil {
		err = s.tellBroken(ctx, found.Fault)
	}
	return found, err
}

// faultForm is how a run of the job tells which row is bad. Problems are fixed texts.
const faultForm = "wallet %s, position %d: "

// String says which row is bad, and why.
func (f LedgerFault) String() string {
	return fmt.Sprintf(faultForm, f.WalletID, f.Position) + f.Problem
}

// faultOf reads what String wrote; nil when it is something else.
func faultOf(text string) *LedgerFault {
	head, problem, ok := strings.Cut(text, ": ")
	var id string
	f := &LedgerFault{Problem: problem}
	n, err := fmt.Sscanf(head, "wallet %s position %d", &id, &f.Position)
	if !ok || err != nil || n != 2 {
		return nil
	}
	f.WalletID, err = uuid.Parse(strings.TrimSuffix(id, ","))
	if err != nil {
		return nil
	}
	return f
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

// Verification shows a run of the job, whichever instance it was.
func (s *Service) Verification(run *ent.JobRun) *LedgerVerification {
	bad := faultOf(run.Error)
	if run.State == jobrun.StateRUNNING || run.State == jobrun.StateFAILED && bad == nil {
		return &LedgerVerification{Run: run} // it did not get to the end
	}
	found := Finding{Wallets: run.Counts["wallets"], Transactions: run.Counts["transactions"], Fault: bad}
	return found.shown(run)
}

// shown is what clients see of a finding.
func (f *Finding) shown(run *ent.JobRun) *LedgerVerification {
	isWhole, wallets, transactions := f.Fault == nil, f.Wallets, f.Transactions
	return &LedgerVerification{Run: run, IsWhole: &isWhole, Wallets: &wallets, Transactions: &transactions, Fault: f.Fault}
}
