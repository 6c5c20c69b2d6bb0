package graph

import (
	"log/slog"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// Resolver is what the resolvers call.
type Resolver struct {
	DB              *store.DB
	Identity        *identity.Service
	Patients        *patient.Service
	Booking         *booking.Service
	Notify          *notify.Service
	Calendar        *booking.Calendar
	Chat            *chat.Service
	Hospital        *hospital.Service
	Wallets         *wallet.Service
	Beds            *hospital.Board
	Live            *identity.Live
	Jobs            *scheduler.Scheduler
	Audit           *audit.Recorder
	Log             *slog.Logger
	IdentifierMode  identifier.Mode
	Cookies         Cookies
	permissionTable permissions
}

func (r *Resolver) client() *ent.Client { return r.DB.Client }

// amount shows minor units as Money.
func amount(minor int64, currency string) *money.Amount {
	return &money.Amount{Minor: minor, Currency: currency}
}
