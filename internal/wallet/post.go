package wallet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

// Posting is a transaction to be.
type Posting struct {
	PatientID      uuid.UUID
	Kind           wallettransaction.Kind
	AmountMinor    int64 // signed: below zero is a debit
	CounterAccount wallettransaction.CounterAccount
	AdmissionID    *uuid.UUID
	ChargeDate     *civil.Date
	ChargeSequence *int
	Reference      string // unique in the ledger, at most 96 bytes; "" = made from the transaction's id
	Description    string // at most 2,000 bytes, which any 500 characters have
	ReversesID     *uuid.UUID
}

const (
	maxReference   = 96 // what reverses it puts four letters before it
	maxDescription = 2000
	batch          = 5000 // rows of one statement
	byUser         = "user"
)

// check refuses what the store could not keep, or not as it was hashed. These are mistakes of the program: inputs are checked before.
func (p Posting) check() error {
	if err := errors.Join(wallettransaction.KindValidator(p.Kind), wallettransaction.CounterAccountValidator(p.CounterAccount)); err != nil {
		return fmt.Errorf("wallet: a posting: %w", err)
	}
	longest := maxReference
	if p.ReversesID != nil {
		longest += len(reversalPrefix)
	}
	switch {
	case p.AmountMinor == 0:
		return errors.New("wallet: a posting of nothing")
	case len(p.Reference) > longest, len(p.Description) > maxDescription:
		return errors.New("wallet: a posting's reference or description is too long")
	case !isStorable(p.Reference), !isStorable(p.Description):
		return errors.New("wallet: a posting's reference or description is no text")
	case (p.Kind == wallettransaction.KindREVERSAL) != (p.ReversesID != nil):
		return errors.New("wallet: a reversal reverses something, and nothing else does")
	}
	return nil
}

// Post writes transactions in the order given and returns them; several of one wallet keep their order. It locks the wallets, makes those that lack, and
// tells the readers after the commit. It is for services that act as the system in a transaction, and checks nobody's rights. The amounts are in the
// practice's currency. Errors: INVALID_INPUT when a balance does not fit; what a constraint of the ledger refuses comes as the store's error.
func (s *Service) Post(ctx context.Context, postings []Posting) (rows []*ent.WalletTransaction, err error) {
	if !store.InTx(ctx) {
		return nil, errNoTransaction
	}
	if len(postings) == 0 {
		return nil, nil
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error { // joined: after a failure nothing stands, whatever the caller makes of it
		rows, err = s.post(ctx, postings)
		return err
	})
	return rows, err
}

func (s *Service) post(ctx context.Context, postings []Posting) ([]*ent.WalletTransaction, error) {
	patients := make([]uuid.UUID, len(postings))
	for i, p := range postings {
		if err := p.check(); err != nil {
			return nil, err
		}
		patients[i] = p.PatientID
	}
	held, err := s.lock(ctx, patients)
	if err != nil {
		return nil, err
	}
	rows, moved, err := s.chain(ctx, held, postings)
	if err != nil {
		return nil, err
	}
	if err := s.insert(ctx, rows); err != nil {
		return nil, err
	}
	if err := s.move(ctx, held, moved); err != nil {
		return nil, err
	}
	store.AfterCommit(ctx, func(context.Context) { s.Streams.Publish(eventsOf(rows, false)...) })
	return rows, s.Audit.Record(ctx, writtenEvents(rows)...)
}

// isStorable tells whether both engines keep the text as it is.
func isStorable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// chain numbers the postings, sums them up and hashes them. It moves the states of the wallets, whose ids it returns in the order of their first posting.
func (s *Service) chain(ctx context.Context, held book, postings []Posting) (rows []*ent.WalletTransaction, moved []uuid.UUID, err error) {
	now := s.DB.Now()
	actorID, actor := actorOf(ctx)
	rows = make([]*ent.WalletTransaction, len(postings))
	touched := make(map[uuid.UUID]bool, len(postings))
	for i, p := range postings {
		id := IDOf(p.PatientID)
		w := held[id]
		if !touched[id] {
			touched[id] = true
			moved = append(moved, id)
		}
		after, err := money.Amount{Minor: w.balance, Currency: s.Currency}.Add(money.Amount{Minor: p.AmountMinor, Currency: s.Currency})
		if err != nil {
			return nil, nil, err
		}
		t := &ent.WalletTransaction{
			ID: s.DB.NewID(ent.TypeWalletTransaction), CreatedAt: now, WalletID: id, PatientID: p.PatientID, Position: w.position + 1, Kind: p.Kind,
			AmountMinor: p.AmountMinor, BalanceAfterMinor: after.Minor, Currency: s.Currency, CounterAccount: p.CounterAccount,
			AdmissionID: p.AdmissionID, ChargeDate: p.ChargeDate, ChargeSequence: p.ChargeSequence,
			Reference: p.Reference, Description: p.Description, ReversesID: p.ReversesID, ActorID: actorID, Actor: actor,
		}
		if t.Reference == "" {
			t.Reference = referenceOf(t.ID)
		}
		t.Hash = Hash(w.hash, t)
		w.position, w.balance, w.hash = t.Position, t.BalanceAfterMinor, t.Hash
		rows[i] = t
	}
	return rows, moved, nil
}

// referenceOf writes an id as people can read it out.
func referenceOf(id uuid.UUID) string { return "TX-" + strings.ToUpper(id.String()) }

// actorOf tells who posts: the user who acts or on whose behalf the system does, or the job.
func actorOf(ctx context.Context) (id *uuid.UUID, name string) {
	v := access.From(ctx)
	if p := v.Person(); p != nil {
		return &p.UserID, byUser
	}
	if cause := audit.CauseOf(ctx); cause != "" {
		return nil, strings.TrimPrefix(cause, "job:")
	}
	return nil, v.Reason()
}

// Posted is the kind of the events of a wallet's stream.
const Posted = "POSTED"

// eventsOf are the events of transactions, which have their Values only when they were read from the store: others lead to no further rows.
func eventsOf(rows []*ent.WalletTransaction, areStored bool) []*stream.Event {
	events := make([]*stream.Event, len(rows))
	for i, t := range rows {
		events[i] = &stream.Event{Stream: t.WalletID, Position: t.Position, Kind: Posted, Subject: t.ID, OccurredAt: t.CreatedAt}
		if areStored {
			events[i].Value = t
		}
	}
	return events
}

// writtenEvents are the audit's events of new transactions. The rows never change, so the audit need not repeat them: the hash says what was posted, and
// Verify compares it with what stands.
func writtenEvents(rows []*ent.WalletTransaction) []audit.Event {
	events := make([]audit.Event, len(rows))
	for i, t := range rows {
		events[i] = audit.Event{
			Action: auditevent.ActionCREATE, Entity: ent.TypeWalletTransaction, EntityID: t.ID, PatientID: t.PatientID,
			Changes: []audit.Change{
				{Field: wallettransaction.FieldPosition, New: strconv.FormatInt(t.Position, 10)},
				{Field: wallettransaction.FieldAmountMinor, New: strconv.FormatInt(t.AmountMinor, 10)},
				{Field: wallettransaction.FieldHash, New: t.Hash},
			},
		}
	}
	return events
}
