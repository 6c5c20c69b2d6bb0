package hospital

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/wallet"
)

// Config is what the service needs.
type Config struct {
	DB      *store.DB
	Streams *stream.Log
	Wallets *wallet.Service
	Notify  *notify.Service
	Audit   *audit.Recorder
	Log     *slog.Logger

	Zone         *time.Location // the practice's: its calendar decides dates
	Currency     string         // ISO 4217 code of rates and charges
	AdmissionFee money.Amount   // posted at an admission; zero = none

	// RunCharges has the job daily-admission-charges charge a date, waits for it for some seconds, and returns its run.
	RunCharges func(ctx context.Context, d civil.Date) (*ent.JobRun, error)
}

// Service is the domain's entry.
type Service struct {
	Config

	perBatch int                     // admissions that are charged in one transaction
	dryTime  time.Duration           // that a dry run has
	spoil    func(ChargeEntry) error // makes a charge fail, in tests; nil = none does
}

// New returns the service.
func New(c Config) *Service { return &Service{Config: c, perBatch: chargeBatch, dryTime: dryTime} }
