package wallet

import (
	"log/slog"
	"time"

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

	Zone       *time.Location // the practice's: its calendar decides dates
	Currency   string         // ISO 4217 code of all wallets
	LowBalance money.Amount   // below which the patient and billers are told
}

// Service is the domain's entry.
type Service struct {
	Config
}

// New returns the service.
func New(c Config) *Service { return &Service{Config: c} }
