package wallet

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	entpatient "github.com/caregraph/caregraph/ent/patient"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// ledger keeps the wallets' streams: the transactions are the log. The id of a stream is the wallet's, and an event's position the transaction's.
type ledger struct{ *Service }

var _ stream.Keeper = ledger{}

// Events implements stream.Keeper.
func (l ledger) Events(ctx context.Context, id uuid.UUID, after int64, limit int) ([]*stream.Event, error) {
	rows, err := l.DB.Client.WalletTransaction.Query().Where(wallettransaction.WalletID(id), wallettransaction.PositionGT(after)).
		Order(wallettransaction.ByPosition()).Limit(limit).All(ctx)
	return eventsOf(rows, true), err
}

// Heads implements stream.Keeper.
func (l ledger) Heads(ctx context.Context, wallets []uuid.UUID) (map[uuid.UUID]int64, error) {
	where, arg, err := l.among("id", wallets)
	if err != nil {
		return nil, err
	}
	heads := make(map[uuid.UUID]int64, len(wallets))
	query := statement{"SELECT id, position FROM wallets WHERE " + where, []any{arg}}
	return heads, l.DB.Query(ctx, "read the heads of wallets", query, func(row *entsql.Rows) error {
		var id uuid.UUID
		var position int64
		if err := row.Scan(&id, &position); err != nil {
			return err
		}
		heads[id] = position
		return nil
	})
}

// loadEvents reads the transactions that events tell of and that did not come with them.
func (s *Service) loadEvents(ctx context.Context, events []*stream.Event) error {
	byID := make(map[uuid.UUID]*stream.Event, len(events))
	var wanted []uuid.UUID
	for _, e := range events {
		if e.Value == nil {
			byID[e.Subject], wanted = e, append(wanted, e.Subject)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	rows, err := s.DB.Client.WalletTransaction.Query().Where(wallettransaction.IDIn(wanted...)).All(ctx)
	for _, t := range rows {
		byID[t.ID].Value = t
	}
	return err
}

// followers see wallets of others.
var followers = []access.Role{access.Nurse, access.Biller, access.Admin}

// Activity returns what is posted in a patient's wallet behind the cursor, or from now on when it is nil, for whoever may see the wallet, whether or not
// there is one yet; that is for the source's Check. Errors: INVALID_INPUT for a cursor that is none of the wallet's; of the source: NOT_FOUND, RESUME_EXPIRED.
func (s *Service) Activity(_ context.Context, patientID uuid.UUID, after *ent.Cursor) (stream.Source, error) {
	source := &stream.LogSource{
		Log: s.Streams, Stream: IDOf(patientID), Refetch: "walletStatement", Loader: s.loadEvents,
		Access: func(ctx context.Context) error { return s.mayFollow(ctx, patientID) },
	}
	if after == nil {
		return source, nil
	}
	return source, source.Resume(*after)
}

// mayFollow answers NOT_FOUND unless the viewer may see the patient's wallet.
func (s *Service) mayFollow(ctx context.Context, patientID uuid.UUID) error {
	v := access.From(ctx)
	if !v.Has(followers...) && (v == nil || v.PatientID != patientID) {
		return fault.ErrNotFound.At("patientId")
	}
	there, err := s.DB.Client.Patient.Query().Where(entpatient.ID(patientID)).Exist(ctx)
	if err == nil && !there {
		err = fault.ErrNotFound.At("patientId")
	}
	return err
}

// Told returns the transaction that an event of a wallet's stream tells of.
func Told(e *stream.Event) (*ent.WalletTransaction, error) {
	t, ok := e.Value.(*ent.WalletTransaction)
	if !ok {
		return nil, fmt.Errorf("an event of a wallet is no %T", e.Value)
	}
	return t, nil
}
