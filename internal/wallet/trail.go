package wallet

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"strconv"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/audit"
)

const trailPage = 2000

// trace is a transaction as the ledger holds it, or as the audit has seen it posted.
type trace struct {
	place
	wallet   uuid.UUID
	position int64
	hash     string
}

// place is where a trace lies: by the transaction, and by the event of the audit. There is one event of each, unless somebody has put others beside it.
type place struct{ id, event uuid.UUID }

func (t trace) isSame(o trace) bool {
	return t.id == o.id && t.wallet == o.wallet && t.position == o.position && t.hash == o.hash
}

func (t trace) fault(problem string) *LedgerFault {
	return &LedgerFault{WalletID: t.wallet, Position: t.position, Problem: problem}
}

// trail compares the ledger with the audit: of one patient, or all of it when that is nil.
type trail struct {
	*Service
	patient *uuid.UUID
}

// verify goes along the transactions and what the audit saw posted, both in the order of the transactions' ids, and returns the first by wallet and
// position of those that differ; nil when none does. A wallet that the audit has not seen made is bad at its first position.
func (s trail) verify(ctx context.Context) (*LedgerFault, error) {
	first, err := s.compare(ctx)
	if err != nil {
		return nil, err
	}
	made, err := s.forgedWallet(ctx)
	if made != nil && (first == nil || made.isBefore(first)) {
		first = made
	}
	return first, err
}

func (s trail) compare(ctx context.Context) (first *LedgerFault, err error) {
	ledger, trail := &traces{read: s.postedRows}, &traces{read: s.auditedRows}
	for {
		row, err := ledger.peek(ctx)
		if err != nil {
			return nil, err
		}
		seen, err := trail.peek(ctx)
		if err != nil {
			return nil, err
		}
		var found *LedgerFault
		switch {
		case row == nil && seen == nil:
			return first, nil
		case seen == nil || row != nil && bytes.Compare(row.id[:], seen.id[:]) < 0:
			found, err = s.ifOnly(ctx, s.auditedRows, *row, "The transaction was inserted: the audit has not seen it posted.")
			ledger.take()
		case row == nil || bytes.Compare(seen.id[:], row.id[:]) < 0:
			found, err = s.ifOnly(ctx, s.postedRows, *seen, "The transaction is missing: the audit has seen it posted.")
			trail.take()
		default:
			found = seen.differs(*row)
			ledger.take()
			trail.take()
		}
		if err != nil {
			return nil, err
		}
		if found != nil && (first == nil || found.isBefore(first)) {
			first = found
		}
	}
}

// differs tells whether the ledger holds something else than was posted.
func (t trace) differs(row trace) *LedgerFault {
	if t.isSame(row) {
		return nil
	}
	found := t.fault("The transaction is not what the audit has seen posted: it was altered or moved.")
	if moved := row.fault(found.Problem); moved.isBefore(found) {
		return moved
	}
	return found
}

// ifOnly confirms that the other side has no such transaction: it may have been posted between the two reads. Another event of the audit for one that is there
// must tell the same.
func (s trail) ifOnly(ctx context.Context, other reader, t trace, problem string) (*LedgerFault, error) {
	there, err := other(ctx, func(q *entsql.Selector, id, _ string) { q.Where(entsql.EQ(q.C(id), t.id)) }, 1)
	if err != nil || len(there) == 0 {
		return t.fault(problem), err
	}
	return t.differs(there[0]), nil
}

// forgedWallet returns the first wallet that the audit has not seen made; nil when there is none.
func (s trail) forgedWallet(ctx context.Context) (found *LedgerFault, err error) {
	wallets, events := entsql.Table(entwallet.Table).As("w"), entsql.Table(auditevent.Table).As("a")
	query := s.DB.Build().Select(wallets.C(entwallet.FieldID)).From(wallets).Where(entsql.NotExists(
		s.DB.Build().Select(events.C(auditevent.FieldID)).From(events).Where(entsql.And(
			entsql.EQ(events.C(auditevent.FieldEntity), ent.TypeWallet), entsql.EQ(events.C(auditevent.FieldAction), auditevent.ActionCREATE),
			entsql.ColumnsEQ(events.C(auditevent.FieldEntityID), wallets.C(entwallet.FieldID)))))).OrderBy(wallets.C(entwallet.FieldID)).Limit(1)
	if s.patient != nil {
		query.Where(entsql.EQ(wallets.C(entwallet.FieldID), IDOf(*s.patient)))
	}
	err = s.DB.Query(ctx, "look for wallets that nobody made", query, func(row *entsql.Rows) error {
		var text string
		if err := row.Scan(&text); err != nil {
			return err
		}
		found = &LedgerFault{Position: 1, Problem: "The wallet was inserted: the audit has not seen it made."}
		found.WalletID, _ = readID(text)
		return nil
	})
	return found, err
}

// reader reads the first traces of one side that a condition on the columns of the transaction's and the event's id lets through.
type reader func(ctx context.Context, where func(q *entsql.Selector, id, event string), limit int) ([]trace, error)

// traces reads one side in pages.
type traces struct {
	read   reader
	page   []trace
	last   *place // of what was taken; nil before
	isOver bool
}

func (t *traces) peek(ctx context.Context) (*trace, error) {
	if len(t.page) == 0 && !t.isOver {
		page, err := t.read(ctx, func(q *entsql.Selector, id, event string) {
			switch {
			case t.last == nil:
			case event == "":
				q.Where(entsql.GT(q.C(id), t.last.id))
			default:
				q.Where(entsql.CompositeGT([]string{q.C(id), q.C(event)}, t.last.id, t.last.event))
			}
		}, trailPage)
		if err != nil {
			return nil, err
		}
		t.page, t.isOver = page, len(page) < trailPage
	}
	if len(t.page) == 0 {
		return nil, nil
	}
	return &t.page[0], nil
}

func (t *traces) take() {
	t.last, t.page = &t.page[0].place, t.page[1:]
}

// nowhere is the position of a transaction whose position was altered into something else.
const nowhere = math.MaxInt64

func (s trail) postedRows(ctx context.Context, where func(q *entsql.Selector, id, event string), limit int) (page []trace, err error) {
	from := entsql.Table(wallettransaction.Table)
	query := s.DB.Build().Select(from.C(wallettransaction.FieldID), from.C(wallettransaction.FieldWalletID), from.C(wallettransaction.FieldPosition),
		from.C(wallettransaction.FieldHash)).From(from).OrderBy(from.C(wallettransaction.FieldID)).Limit(limit)
	if s.patient != nil {
		query.Where(entsql.EQ(from.C(wallettransaction.FieldWalletID), IDOf(*s.patient)))
	}
	where(query, wallettransaction.FieldID, "")
	return page, s.DB.Query(ctx, "read the ledger", query, func(row *entsql.Rows) error {
		var t trace
		var id, wallet string
		var position any
		if err := row.Scan(&id, &wallet, &position, &t.hash); err != nil {
			return err
		}
		t.id, _ = readID(id)
		t.wallet, _ = readID(wallet)
		if number, ok := position.(int64); ok {
			t.position = number
		} else {
			t.position = nowhere
		}
		page = append(page, t)
		return nil
	})
}

func (s trail) auditedRows(ctx context.Context, where func(q *entsql.Selector, id, event string), limit int) (page []trace, err error) {
	from := entsql.Table(auditevent.Table)
	query := s.DB.Build().Select(from.C(auditevent.FieldEntityID), from.C(auditevent.FieldID), from.C(auditevent.FieldPatientID), from.C(auditevent.FieldChanges)).
		From(from).OrderBy(from.C(auditevent.FieldEntityID), from.C(auditevent.FieldID)).Limit(limit).
		Where(entsql.And(entsql.EQ(from.C(auditevent.FieldEntity), ent.TypeWalletTransaction), entsql.EQ(from.C(auditevent.FieldAction), auditevent.ActionCREATE),
			entsql.NotNull(from.C(auditevent.FieldEntityID))))
	if s.patient != nil {
		query.Where(entsql.EQ(from.C(auditevent.FieldPatientID), *s.patient))
	}
	where(query, auditevent.FieldEntityID, auditevent.FieldID)
	return page, s.DB.Query(ctx, "read the audit of the ledger", query, func(row *entsql.Rows) error {
		var t trace
		var patient uuid.NullUUID
		var changes sql.NullString
		if err := row.Scan(&t.id, &t.event, &patient, &changes); err != nil {
			return err
		}
		t.wallet = IDOf(patient.UUID)
		page = append(page, t.told(changes.String))
		return nil
	})
}

// told reads position and hash out of an event's changes.
func (t trace) told(changes string) trace {
	var list []audit.Change
	_ = json.Unmarshal([]byte(changes), &list) // what cannot be read differs from what was posted
	for _, c := range list {
		switch c.Field {
		case wallettransaction.FieldPosition:
			t.position, _ = strconv.ParseInt(c.New, 10, 64)
		case wallettransaction.FieldHash:
			t.hash = c.New
		}
	}
	return t
}
