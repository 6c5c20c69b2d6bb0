// Package app builds the whole program once from its configuration: what the commands run and the tests drive.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/precheck"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/httpserver"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/payment/sandbox"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/scheduler"
)

// Options are what the configuration does not say.
type Options struct {
	Clock clock.Clock
	Log   *slog.Logger
	// HashParams makes password hashes cheaper in tests; nil = the product's own.
	HashParams *argon2id.Params
}

// App is a built program: its database, its services and its HTTP server.
type App struct {
	DB       *store.DB
	Identity *identity.Service
	Patients *patient.Service
	Booking  *booking.Service
	Notify   *notify.Service
	Audit    *audit.Recorder
	Sandbox  *sandbox.Provider
	// Schema is the API's schema in SDL.
	Schema string

	cfg    config.Config
	log    *slog.Logger
	server *httpserver.Server
}
