package wallet

import (
	"bytes"
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/internal/access"
)

const (
	walletPage = 500
	rowPage    = 2000
)

// Finding is what a verification has found.
type Finding struct {
	Wallets, Transactions int          // that are whole, up to the bad row
	Fault                 *LedgerFault // the first bad row by wallet and position; nil when there is none
}

func (f *Finding) add(more Finding) {
	f.Wallets += more.Wallets
	f.Transactions += more.Transactions
	f.Fault = more.Fault
}

// Verify finds the first bad row of the ledger. It computes all positions, balances and hashes again, wallet by wallet in the order of their ids, compares each
// wallet's row with its newest transaction and the wallets with those that the audit has seen made; and it compares all transactions with those that the
// audit has seen posted, for damage that was mended so well that the ledger alone does not tell. It reads in pages while others post: what looks bad is looked
// at again. For administrators and the command line.
func (s *Service) Verify(ctx context.Context) (Finding, error) {
	ctx = access.System(ctx, "verify the ledger")
	found, err := s.verifyChains(ctx)
	if err == nil {
		err = found.compare(ctx, trail{s, nil})
	}
	return found, err
}

// compare adds what the audit has seen otherwise.
func (f *Finding) compare(ctx context.Context, with trail) error {
	other, err := with.verify(ctx)
	if other != nil && (f.Fault == nil || other.isBefore(f.Fault)) {
		f.Fault = other
	}
	return err
}

// isBefore tells which of two comes first, by wallet and position.
func (f *LedgerFault) isBefore(o *LedgerFault) bool {
	if c := bytes.Compare(f.WalletID[:], o.WalletID[:]); c != 0 {
		return c < 0
	}
	return f.Position < o.Position
}

// verifyChains walks along the wallets up to the first bad row.
func (s *Service) verifyChains(ctx context.Context) (found Finding, err error) {
	part := span{}
	for {
		seen, end, err := s.verifySpan(ctx, part)
		suspect := seen.Fault
		if suspect == nil || err != nil {
			found.add(seen)
			if err != nil || end == nil {
				return found, err
			}
			part.after = end
			continue
		}
		seen.Fault = nil
		found.add(seen)
		alone, err := s.verifyLocked(ctx, suspect.WalletID)
		found.add(alone)
		if err != nil || found.Fault != nil {
			return found, err
		}
		part.after = &suspect.WalletID // it was being written, and is whole
	}
}

// VerifyOne verifies one patient's wallet alone, at once. Where there never was one nothing is found. For administrators.
func (s *Service) VerifyOne(ctx context.Context, patientID uuid.UUID) (*LedgerVerification, error) {
	ctx = access.System(ctx, "verify a wallet")
	found, err := s.verifyLocked(ctx, IDOf(patientID))
	if err == nil {
		err = found.compare(ctx, trail{s, &patientID})
	}
	if err != nil {
		return nil, err
	}
	return found.shown(nil), nil
}

// verifyLocked verifies one wallet while nobody can post to it.
func (s *Service) verifyLocked(ctx context.Context, id uuid.UUID) (found Finding, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		if err := s.DB.Lock(ctx, entwallet.Table, id); err != nil {
			return err
		}
		found, _, err = s.verifySpan(ctx, span{only: &id})
		return err
	})
	return found, err
}

// span are the wallets with ids behind one, up to another, or one alone; nil = no bound.
type span struct{ after, upTo, only *uuid.UUID }

// on bounds a column with ids of wallets.
func (p span) on(s *sql.Selector, column string) {
	column = s.C(column)
	if p.only != nil {
		s.Where(sql.EQ(column, *p.only))
	}
	if p.after != nil {
		s.Where(sql.GT(column, *p.after))
	}
	if p.upTo != nil {
		s.Where(sql.LTE(column, *p.upTo))
	}
}

// verifySpan verifies the first wallets of the span, with all transactions and traces of wallets among theirs, up to the first bad row. It returns the id up
// to which it came; nil when that is the span's end.
func (s *Service) verifySpan(ctx context.Context, part span) (found Finding, end *uuid.UUID, err error) {
	wallets, end, bad, err := s.wallets(ctx, part)
	if err != nil {
		return found, nil, err
	}
	if end != nil {
		part.upTo = end
	}
	gone, err := s.goneWallet(ctx, part)
	if err != nil {
		return found, nil, err
	}
	rows := &rowReader{client: s.DB.Client, db: s.DB, part: part}
	for {
		t, err := rows.peek(ctx)
		if err != nil {
			found.Fault, err = unreadable(err, 1)
			return found, end, err
		}
		id := firstID(wallets, t, gone)
		switch {
		case id == nil:
			return found, end, nil
		case len(wallets) == 0 || wallets[0].ID != *id:
			found.Fault = lostWallet(*id, t)
			return found, end, nil
		case bad != nil && bad.WalletID == *id:
			found.Fault = bad
			return found, end, nil
		}
		n, fault, err := rows.wallet(ctx, wallets[0])
		if err != nil || fault != nil {
			found.Fault = fault
			return found, end, err
		}
		found.Wallets++
		found.Transactions += n
		wallets = wallets[1:]
	}
}

// firstID is the smallest id of a wallet that anything tells of; nil when nothing is left.
func firstID(wallets []*ent.Wallet, t *ent.WalletTransaction, gone *uuid.UUID) (first *uuid.UUID) {
	if len(wallets) > 0 {
		first = &wallets[0].ID
	}
	if t != nil && (first == nil || bytes.Compare(t.WalletID[:], first[:]) < 0) {
		first = &t.WalletID
	}
	if gone != nil && (first == nil || bytes.Compare(gone[:], first[:]) < 0) {
		first = gone
	}
	return first
}

// lostWallet tells of a wallet without a row; t is the next transaction of the ledger.
func lostWallet(id uuid.UUID, t *ent.WalletTransaction) *LedgerFault {
	if t != nil && t.WalletID == id {
		return &LedgerFault{WalletID: id, Position: t.Position, Problem: "The wallet of this transaction is not there: it was removed, or the transaction inserted."}
	}
	return &LedgerFault{WalletID: id, Position: 1, Problem: "The wallet was removed with all its transactions."}
}

// unreadable turns the error of a row that cannot be read into a fault, and leaves others as they are. A position that is none either is that which follows.
func unreadable(err error, next int64) (*LedgerFault, error) {
	var bad badRow
	if errors.As(err, &bad) {
		if bad.isNowhere {
			bad.Position = next
		}
		return &bad.LedgerFault, nil
	}
	return nil, err
}

// chain follows the transactions of a wallet.
type chain struct {
	wallet   *ent.Wallet
	position int64
	balance  int64
	hashes   []string // the newest ones
}

// lookBack is how far a broken chain is followed back to what was put into it.
const lookBack = 64

// next tells what is wrong with the transaction that follows; nil when nothing is.
func (c *chain) next(t *ent.WalletTransaction) *LedgerFault {
	after := c.balance + t.AmountMinor
	switch {
	case t.Position <= c.position:
		return c.fault(t.Position, "The transaction was inserted: there is another one at its position, or it has none.")
	case t.Position != c.position+1:
		return c.fault(c.position+1, "The transaction is missing: it was removed or given another position.")
	case t.PatientID != c.wallet.PatientID || t.Currency != c.wallet.Currency:
		return c.fault(t.Position, "The transaction is not of the wallet's patient or currency: it or the wallet's row was altered.")
	}
	hash := Hash(c.hash(), t)
	back := int64(0)
	if t.Hash != hash {
		back = c.inserted(t)
	}
	switch {
	case back > 0:
		return c.fault(t.Position-back, "The transaction was inserted: the one behind it follows from the one before it.")
	case t.Position > c.wallet.Position:
		return c.fault(t.Position, "The transaction lies behind what the wallet's row counts: it was inserted, or the wallet's row altered.")
	case t.BalanceAfterMinor != after:
		return c.fault(t.Position, "The balance after the transaction is not the sum: its amount or balance was altered, or it was inserted.")
	case t.Hash != hash:
		return c.fault(t.Position, "The hash does not follow from the content and the hash before: the transaction was altered, inserted or moved.")
	}
	if len(c.hashes) == 2*lookBack {
		c.hashes = append(c.hashes[:0], c.hashes[lookBack:]...)
	}
	c.position, c.balance, c.hashes = t.Position, after, append(c.hashes, hash)
	return nil
}

// inserted returns how many transactions before t were put in, right hashes and all, so that it does not follow from the last of them but from one before;
// 0 when that is not what is wrong.
func (c *chain) inserted(t *ent.WalletTransaction) int64 {
	for back := int64(1); back <= min(lookBack, int64(len(c.hashes))); back++ {
		moved, before := *t, ""
		moved.Position -= back
		if i := len(c.hashes) - 1 - int(back); i >= 0 {
			before = c.hashes[i]
		} else if moved.Position != 1 {
			break
		}
		if Hash(before, &moved) == t.Hash {
			return back
		}
	}
	return 0
}

// hash is that of the newest transaction so far.
func (c *chain) hash() string {
	if len(c.hashes) == 0 {
		return ""
	}
	return c.hashes[len(c.hashes)-1]
}

// end tells whether the wallet's row goes with its newest transaction; nil when it does.
func (c *chain) end() *LedgerFault {
	w := c.wallet
	switch {
	case c.position != w.Position:
		return c.fault(c.position+1, "The transaction is missing: the newest ones were removed, or the wallet's row was altered.")
	case w.BalanceMinor != c.balance:
		return c.fault(w.Position, "The wallet's row has another balance than its newest transaction.")
	case w.Hash != c.hash():
		return c.fault(w.Position, "The wallet's row has another hash than its newest transaction.")
	case w.ID != IDOf(w.PatientID):
		return c.fault(w.Position, "The wallet's row names another patient than its id.")
	}
	return nil
}

func (c *chain) fault(position int64, problem string) *LedgerFault {
	return &LedgerFault{WalletID: c.wallet.ID, Position: position, Problem: problem}
}
