package wallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/store"
)

var errNoTransaction = errors.New("wallet: the ledger is written in a transaction")

// state is what a wallet's row holds of its newest transaction.
type state struct {
	position, balance int64
	hash              string
}

// book are the wallets that a transaction of the database has locked, as it leaves them: nobody else moves them until it ends.
type book map[uuid.UUID]*state

type bookKey struct{ *store.DB }

// Lock makes the patients' wallets, where they lack, and locks them in the order of their ids until the transaction ends. It is for services that act as the
// system in a transaction and read what stands before they Post; all wallets that they will need go into one call, so that two of them never wait for
// each other.
func (s *Service) Lock(ctx context.Context, patientIDs ...uuid.UUID) error {
	if !store.InTx(ctx) {
		return errNoTransaction
	}
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		_, err := s.lock(ctx, patientIDs)
		return err
	})
}

func (s *Service) lock(ctx context.Context, patientIDs []uuid.UUID) (book, error) {
	held, err := store.Buffer(ctx, bookKey{s.DB}, func() book { return book{} })
	if err != nil {
		return nil, err
	}
	var lacking []uuid.UUID // of patients
	seen := make(map[uuid.UUID]bool, len(patientIDs))
	for _, patient := range patientIDs {
		id := IDOf(patient)
		if held[id] == nil && !seen[id] {
			seen[id] = true
			lacking = append(lacking, patient)
		}
	}
	slices.SortFunc(lacking, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for chunk := range slices.Chunk(lacking, batch) {
		if err := s.makeWallets(ctx, chunk); err != nil {
			return nil, err
		}
		if err := s.readLocked(ctx, held, chunk); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// haveWallets tells whether none lacks, as is so at nearly every posting: looking costs less than trying to make them.
func (s *Service) haveWallets(ctx context.Context, patients []uuid.UUID) (isSo bool, err error) {
	list := make([]uuid.UUID, len(patients))
	for i, p := range patients {
		list[i] = IDOf(p)
	}
	where, arg, err := s.among("id", list)
	if err != nil {
		return false, err
	}
	err = s.DB.Query(ctx, "look for wallets", statement{"SELECT count(*) FROM wallets WHERE " + where, []any{arg}}, func(row *entsql.Rows) error {
		var n int
		err := row.Scan(&n)
		isSo = n == len(patients)
		return err
	})
	return isSo, err
}

// makeWallets makes those that lack. Who makes one at the same time is waited for.
func (s *Service) makeWallets(ctx context.Context, patients []uuid.UUID) error {
	if haveAll, err := s.haveWallets(ctx, patients); err != nil || haveAll {
		return err
	}
	var made []audit.Event
	rows := make([][]any, len(patients))
	for i, p := range patients {
		rows[i] = []any{IDOf(p).String(), p.String()}
	}
	table, args, err := s.given(3, []column{{"id", "uuid"}, {"patient_id", "uuid"}}, rows)
	if err != nil {
		return err
	}
	insert := statement{"INSERT INTO wallets (created_at, currency, id, patient_id) SELECT " + s.mark(1, "timestamptz") + ", " + s.mark(2, "text") +
		", k.id, k.patient_id FROM " + table + " WHERE NOT EXISTS (SELECT 1 FROM wallets w WHERE w.id = k.id) ORDER BY k.id" +
		" ON CONFLICT DO NOTHING RETURNING id, patient_id", append([]any{s.DB.Now(), s.Currency}, args...)}
	err = s.DB.Query(ctx, "make wallets", insert, func(row *entsql.Rows) error {
		e := audit.Event{Action: auditevent.ActionCREATE, Entity: ent.TypeWallet}
		if err := row.Scan(&e.EntityID, &e.PatientID); err != nil {
			return err
		}
		made = append(made, e)
		return nil
	})
	if err != nil || len(made) == 0 {
		return err
	}
	return s.Audit.Record(ctx, made...)
}

// readLocked locks the patients' wallets and adds them to the book.
func (s *Service) readLocked(ctx context.Context, held book, patients []uuid.UUID) error {
	list := make([]uuid.UUID, len(patients))
	for i, p := range patients {
		list[i] = IDOf(p)
	}
	n := 0
	where, arg, err := s.among("id", list)
	if err != nil {
		return err
	}
	query := statement{"SELECT id, position, balance_minor, hash, currency FROM wallets WHERE " + where + " ORDER BY id", []any{arg}}
	if s.isPostgres() {
		query.text += " FOR NO KEY UPDATE"
	}
	err = s.DB.Query(ctx, "lock wallets", query, func(row *entsql.Rows) error {
		var id uuid.UUID
		var currency string
		w := &state{}
		if err := row.Scan(&id, &w.position, &w.balance, &w.hash, &currency); err != nil {
			return err
		}
		if currency != s.Currency {
			return fmt.Errorf("wallet %s is kept in %s, the practice's currency is %s", id, currency, s.Currency)
		}
		held[id] = w
		n++
		return nil
	})
	if err == nil && n != len(list) {
		err = fmt.Errorf("lock wallets: %d of %d are there", n, len(list))
	}
	return err
}
