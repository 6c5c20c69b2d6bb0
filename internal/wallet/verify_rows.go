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
	last   *ent.WalletTransaction // of what was read; nil before
	isOver bool
}

// wallet reads what belongs to a wallet and returns how many transactions that are, or the first bad one.
func (r *rowReader) wallet(ctx context.Context, w *ent.Wallet) (n int, found *LedgerFault, err error) {
	c := &chain{wallet: w}
	for {
		t, err := r.peek(ctx)
		if err != nil {
			found, err = unreadable(err)
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
			if limit == 1 {
				return nil, r.nameBad(ctx, err)
			}
		}
		if n := len(r.page); n > 0 {
			r.last = r.page[n-1]
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
	if r.last != nil {
		s.Where(sql.CompositeGT([]string{s.C(wallettransaction.FieldWalletID), s.C(wallettransaction.FieldPosition), s.C(wallettransaction.FieldID)},
			r.last.WalletID, r.last.Position, r.last.ID))
	} else {
		s.Where(sql.GT(s.C(wallettransaction.FieldWalletID), r.part.after))
	}
	if r.part.upTo != nil {
		s.Where(sql.LTE(s.C(wallettransaction.FieldWalletID), *r.part.upTo))
	}
}

// badRow is the error of a transaction with a column that is none.
type badRow struct{ LedgerFault }

// Error implements error.
func (b badRow) Error() string { return b.Problem }

// nameBad says which transaction comes next, by the columns that say only that.
func (r *rowReader) nameBad(ctx context.Context, cause error) error {
	from := sql.Table(wallettransaction.Table)
	query := r.db.Build().Select(from.C(wallettransaction.FieldWalletID), "CAST("+from.C(wallettransaction.FieldPosition)+" AS BIGINT)").From(from)
	r.scope(query)
	query.OrderBy(from.C(wallettransaction.FieldWalletID), from.C(wallettransaction.FieldPosition), from.C(wallettransaction.FieldID)).Limit(1)
	bad, err := badRow{LedgerFault{Problem: "The transaction cannot be read: it was altered."}}, cause
	if failed := r.db.Query(ctx, "name a bad row", query, func(row *sql.Rows) error {
		if err := row.Scan(&bad.WalletID, &bad.Position); err != nil {
			return err
		}
		err = bad
		return nil
	}); failed != nil {
		return errors.Join(cause, failed)
	}
	return err
}

// goneWallet returns the first wallet of the span that the audit has seen made and that is not there; nil when all are.
func (s *Service) goneWallet(ctx context.Context, part span) (found *uuid.UUID, err error) {
	events, wallets := sql.Table(auditevent.Table).As("a"), sql.Table(entwallet.Table).As("w")
	made := sql.And(sql.EQ(events.C(auditevent.FieldEntity), ent.TypeWallet), sql.EQ(events.C(auditevent.FieldAction), auditevent.ActionCREATE),
		sql.GT(events.C(auditevent.FieldEntityID), part.after),
		sql.NotExists(s.DB.Build().Select(wallets.C(entwallet.FieldID)).From(wallets).
			Where(sql.ColumnsEQ(wallets.C(entwallet.FieldID), events.C(auditevent.FieldEntityID)))))
	if part.upTo != nil {
		made = sql.And(made, sql.LTE(events.C(auditevent.FieldEntityID), *part.upTo))
	}
	query := s.DB.Build().Select(events.C(auditevent.FieldEntityID)).From(events).Where(made).OrderBy(events.C(auditevent.FieldEntityID)).Limit(1)
	err = s.DB.Query(ctx, "look for wallets that are gone", query, func(row *sql.Rows) error {
		found = &uuid.UUID{}
		return row.Scan(found)
	})
	return found, err
}
