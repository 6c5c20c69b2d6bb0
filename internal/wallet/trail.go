package wallet

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"strconv"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/audit"
)

const trailPage = 2000

// trace is a transaction as the ledger holds it, or as the audit has seen it posted.
type trace struct {
	id, wallet uuid.UUID
	position   int64
	hash       string
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
// position of those that differ; nil when none does.
func (s trail) verify(ctx context.Context) (first *LedgerFault, err error) {
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
			if *row != *seen {
				found = seen.fault("The transaction is not what the audit has seen posted: it was altered or moved.")
				if moved := row.fault(found.Problem); moved.isBefore(found) {
					found = moved
				}
			}
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

// ifOnly confirms that the other side has no such transaction: it may have been posted between the two reads.
func (s trail) ifOnly(ctx context.Context, other func(context.Context, uuid.UUID, int) ([]trace, error), t trace, problem string) (*LedgerFault, error) {
	before := t.id
	before[len(before)-1]-- // no transaction has such an id
	next, err := other(ctx, before, 1)
	if err != nil || len(next) > 0 && next[0].id == t.id {
		return nil, err
	}
	return t.fault(problem), nil
}

// traces reads one side in pages.
type traces struct {
	read   func(ctx context.Context, after uuid.UUID, limit int) ([]trace, error)
	page   []trace
	last   uuid.UUID
	isOver bool
}

func (t *traces) peek(ctx context.Context) (*trace, error) {
	if len(t.page) == 0 && !t.isOver {
		page, err := t.read(ctx, t.last, trailPage)
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
	t.last, t.page = t.page[0].id, t.page[1:]
}

func (s trail) postedRows(ctx context.Context, after uuid.UUID, limit int) (page []trace, err error) {
	of := entsql.GT(wallettransaction.FieldID, after)
	if s.patient != nil {
		of = entsql.And(of, entsql.EQ(wallettransaction.FieldWalletID, IDOf(*s.patient)))
	}
	query := s.DB.Build().Select(wallettransaction.FieldID, wallettransaction.FieldWalletID, "CAST(position AS BIGINT)", wallettransaction.FieldHash).
		From(entsql.Table(wallettransaction.Table)).Where(of).OrderBy(wallettransaction.FieldID).Limit(limit)
	return page, s.DB.Query(ctx, "read the ledger", query, func(row *entsql.Rows) error {
		var t trace
		err := row.Scan(&t.id, &t.wallet, &t.position, &t.hash)
		page = append(page, t)
		return err
	})
}

func (s trail) auditedRows(ctx context.Context, after uuid.UUID, limit int) (page []trace, err error) {
	of := entsql.And(entsql.EQ(auditevent.FieldEntity, ent.TypeWalletTransaction), entsql.EQ(auditevent.FieldAction, auditevent.ActionCREATE),
		entsql.GT(auditevent.FieldEntityID, after))
	if s.patient != nil {
		of = entsql.And(of, entsql.EQ(auditevent.FieldPatientID, *s.patient))
	}
	query := s.DB.Build().Select(auditevent.FieldEntityID, auditevent.FieldPatientID, auditevent.FieldChanges).
		From(entsql.Table(auditevent.Table)).Where(of).OrderBy(auditevent.FieldEntityID).Limit(limit)
	return page, s.DB.Query(ctx, "read the audit of the ledger", query, func(row *entsql.Rows) error {
		var t trace
		var patient uuid.UUID
		var changes sql.NullString
		if err := row.Scan(&t.id, &patient, &changes); err != nil {
			return err
		}
		t.wallet = IDOf(patient)
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
