package wallet

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

// Config is what the service needs.
type Config struct {
	DB      *store.DB
	Streams *stream.Log
	Notify  *notify.Service
	Audit   *audit.Recorder
	Log     *slog.Logger

	PracticeName string

	Zone       *time.Location // the practice's: its calendar decides dates
	Currency   string         // ISO 4217 code of all wallets
	LowBalance money.Amount   // below which the patient and billers are told

	// What the inpatient side, which stands above the wallets, knows of them; nil = nothing. They are called as the system, set before the first use.

	// MayReverse refuses a correction by hand that the next run of the daily charges would undo.
	MayReverse func(ctx context.Context, t *ent.WalletTransaction) error
	// DailyRates returns what a day in the present bed costs the patients; who is not in hospital or pays nothing is left out.
	DailyRates func(ctx context.Context, patientIDs []uuid.UUID) (map[uuid.UUID]money.Amount, error)
	// IsExempt tells whose stays are paid by the national scheme today.
	IsExempt func(ctx context.Context, patientIDs []uuid.UUID) (map[uuid.UUID]bool, error)
}

// Service is the domain's entry.
type Service struct{ Config }

// New returns the service. From then on the database's client refuses to change or remove transactions, for everybody; triggers refuse it too.
func New(c Config) *Service {
	c.DB.Client.WalletTransaction.Use(immutable)
	s := &Service{Config: c}
	c.Streams.Keep(ent.TypeWallet, ledger{s})
	return s
}

var errImmutable = errors.New("wallet: transactions are never changed or removed: reverse them")

func immutable(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if !m.Op().Is(ent.OpCreate) {
			return nil, errImmutable
		}
		return next.Mutate(ctx, m)
	})
}
