package wallet

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// rowReader reads the transactions of a span in pages, by wallet and position.
type rowReader struct {
	client *ent.Client
	db     *store.DB
	part   span
	page   []*ent.WalletTransaction
	last   []any // the key of the last one that was read; nil before
	isOver bool
}

// wallet reads what belongs to a wallet and returns how many transactions that are, or the first bad one.
func (r *rowReader) wallet(ctx context.Context, w *ent.Wallet) (n int, found *LedgerFault, err error) {
	c := &chain{wallet: w}
	for {
		t, err := r.peek(ctx)
		if err != nil {
			found, err = unreadable(err, c.position+1)
			return n, found, err
		}
		if t == nil || t.WalletID != w.ID {
			return n, c.end(), nil
		}
		if found := c.next(t); found != nil {
			return n, found, nil
		}
		r.page = r.page[1:]
		n++
	}
}

// peek returns the transaction that follows; nil when there is none.
func (r *rowReader) peek(ctx context.Context) (*ent.WalletTransaction, error) {
	if len(r.page) == 0 && !r.isOver {
		for limit := rowPage; ; limit /= 2 {
			page, err := r.query(limit).All(ctx)
			if err == nil {
				r.page, r.isOver = page, len(page) < limit
				break
			}
			if known := (*fault.Error)(nil); errors.As(err, &known) || ctx.Err() != nil {
				return nil, err
			}
			if limit > 1 {
				continue
			}
			isSkipped, err := r.nameBad(ctx, err)
			if !isSkipped {
				return nil, err
			}
			limit = rowPage
		}
		if n := len(r.page); n > 0 {
			t := r.page[n-1]
			r.last = []any{t.WalletID, t.Position, t.ID}
		}
	}
	if len(r.page) == 0 {
		return nil, nil
	}
	return r.page[0], nil
}

func (r *rowReader) query(limit int) *ent.WalletTransactionQuery {
	return r.client.WalletTransaction.Query().Where(r.scope).Limit(limit).
		Order(wallettransaction.ByWalletID(), wallettransaction.ByPosition(), wallettransaction.ByID())
}

// scope is what has not been read of the span.
func (r *rowReader) scope(s *sql.Selector) {
	r.part.on(s, wallettransaction.FieldWalletID)
	if r.last != nil {
		s.Where(sql.CompositeGT([]string{s.C(wallettransaction.FieldWalletID), s.C(wallettransaction.FieldPosition), s.C(wallettransaction.FieldID)}, r.last...))
	}
}

// badRow is the error of a transaction with a column that is none.
type badRow struct {
	LedgerFault
	isNowhere bool // the position is none either
}

// Error implements error.
func (b badRow) Error() string { return b.Problem }

// nameBad says which transaction comes next, by the columns that say only that. One of no wallet is skipped: its own wallet lacks it, or the audit does.
func (r *rowReader) nameBad(ctx context.Context, cause error) (isSkipped bool, err error) {
	from := sql.Table(wallettransaction.Table)
	names := []string{from.C(wallettransaction.FieldWalletID), from.C(wallettransaction.FieldPosition), from.C(wallettransaction.FieldID)}
	query := r.db.Build().Select(names...).From(from)
	r.scope(query)
	query.OrderBy(names...).Limit(1)
	err = cause
	if failed := r.db.Query(ctx, "name a bad row", query, func(row *sql.Rows) error {
		var wallet, id string
		var position any
		if err := row.Scan(&wallet, &position, &id); err != nil {
			return err
		}
		bad := badRow{LedgerFault: LedgerFault{Problem: "The transaction cannot be read: it was altered."}}
		var hasPosition bool
		bad.Position, hasPosition = position.(int64)
		bad.isNowhere = !hasPosition
		if bad.WalletID, isSkipped = readID(wallet); isSkipped {
			r.last = []any{wallet, position, id}
		}
		err = bad
		return nil
	}); failed != nil {
		return false, errors.Join(cause, failed)
	}
	return isSkipped, err
}

// readID reads an id that may have been altered into something else. Who has none comes behind all others.
func readID(text string) (id uuid.UUID, isNone bool) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Max, true
	}
	return id, false
}

// wallets reads the first wallets of the span, and returns the id of the last of them when there may be more. When one cannot be read that is the last of them,
// with no more than its id, and what is wrong with it is returned too.
func (s *Service) wallets(ctx context.Context, part span) (page []*ent.Wallet, end *uuid.UUID, bad *LedgerFault, err error) {
	within := func(q *sql.Selector) { part.on(q, entwallet.FieldID) }
	page, err = s.DB.Client.Wallet.Query().Where(within).Order(entwallet.ByID()).Limit(walletPage).All(ctx)
	if err == nil {
		if len(page) == walletPage {
			end = &page[walletPage-1].ID
		}
		return page, end, nil, nil
	}
	if known := (*fault.Error)(nil); errors.As(err, &known) || ctx.Err() != nil {
		return nil, nil, nil, err
	}
	list, end, err := s.walletIDs(ctx, within)
	for _, id := range list { // slowly: this is the way to a bad one
		w, failed := s.DB.Client.Wallet.Get(ctx, id)
		if failed == nil {
			page = append(page, w)
		} else if !ent.IsNotFound(failed) {
			bad = &LedgerFault{WalletID: id, Position: 1, Problem: "The wallet's row cannot be read: it was altered."}
			return append(page, &ent.Wallet{ID: id}), &id, bad, err
		}
	}
	return page, end, nil, err
}

// walletIDs reads the ids alone. Those that are none are left out: the audit misses the wallets that had others.
func (s *Service) walletIDs(ctx context.Context, within func(*sql.Selector)) (list []uuid.UUID, end *uuid.UUID, err error) {
	from := sql.Table(entwallet.Table)
	query := s.DB.Build().Select(from.C(entwallet.FieldID)).From(from).OrderBy(from.C(entwallet.FieldID)).Limit(walletPage)
	within(query)
	n := 0
	err = s.DB.Query(ctx, "read the ids of wallets", query, func(row *sql.Rows) error {
		n++
		var text string
		if err := row.Scan(&text); err != nil {
			return err
		}
		if id, isNone := readID(text); !isNone {
			list = append(list, id)
		}
		return nil
	})
	if n == walletPage && len(list) > 0 {
		end = &list[len(list)-1]
	}
	return list, end, err
}

// goneWallet returns the first wallet of the span that the audit has seen made and that is not there; nil when all are.
func (s *Service) goneWallet(ctx context.Context, part span) (found *uuid.UUID, err error) {
	events, wallets := sql.Table(auditevent.Table).As("a"), sql.Table(entwallet.Table).As("w")
	made := sql.And(sql.EQ(events.C(auditevent.FieldEntity), ent.TypeWallet), sql.EQ(events.C(auditevent.FieldAction), auditevent.ActionCREATE),
		sql.NotExists(s.DB.Build().Select(wallets.C(entwallet.FieldID)).From(wallets).
			Where(sql.ColumnsEQ(wallets.C(entwallet.FieldID), events.C(auditevent.FieldEntityID)))))
	query := s.DB.Build().Select(events.C(auditevent.FieldEntityID)).From(events).Where(made).OrderBy(events.C(auditevent.FieldEntityID)).Limit(1)
	part.on(query, auditevent.FieldEntityID)
	err = s.DB.Query(ctx, "look for wallets that are gone", query, func(row *sql.Rows) error {
		found = &uuid.UUID{}
		return row.Scan(found)
	})
	return found, err
}
