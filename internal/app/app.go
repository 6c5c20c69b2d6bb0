// Package app builds the whole program once from its configuration: what the commands run and the tests drive.
package app

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/caregraph/caregraph/graph/transport"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/blob"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/httpserver"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/payment/sandbox"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// Options are what the configuration does not say.
type Options struct {
	Clock clock.Clock
	Log   *slog.Logger
	// HashParams makes password hashes cheaper in tests; nil = the product's own.
	HashParams *argon2id.Params
	// IsScratch is for a database that is gone with the program, and need not be safe on a disk.
	IsScratch bool
	// Wrap may stand between the database's pool and its driver, for tests that make writes fail; nil = nothing does.
	Wrap func(driver.Connector) driver.Connector
}

// App is a built program: its database, its services and its HTTP server.
type App struct {
	DB       *store.DB
	Identity *identity.Service
	Patients *patient.Service
	Booking  *booking.Service
	Calendar *booking.Calendar
	Chat     *chat.Service
	Wallets  *wallet.Service
	Hospital *hospital.Service
	Beds     *hospital.Board
	Streams  *stream.Log
	Jobs     *scheduler.Scheduler
	Notify   *notify.Service
	Audit    *audit.Recorder
	Sandbox  *sandbox.Provider // nil where Stripe takes the payments, and in production, unless the operator has given it a secret
	// Schema is the API's schema in SDL.
	Schema string

	cfg     config.Config
	log     *slog.Logger
	server  *httpserver.Server
	sockets *transport.Websocket
	pages   map[string]http.Handler // of the payment provider, by path
	files   *blob.Store             // nil when there are no attachments
	till    *demo.Till              // the sandbox as the demo's past needs it; nil in other environments, and with Stripe
}

const flushTime = 5 * time.Second

// Run serves on the listener until ctx ends, then stops in reverse order: the front door first, what is buffered last.
func (a *App) Run(ctx context.Context, listener net.Listener) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context){a.Identity.Run, a.Identity.Live().Run, a.Streams.Run, a.Audit.Run, a.Notify.Run} {
		loops.Go(func() { loop(background) })
	}
	err := a.Jobs.Start(background)
	if err == nil {
		loops.Go(debug.FreeOSMemory) // what building the program left behind
		err = a.server.Serve(ctx, listener)
	}
	err = errors.Join(err, a.Jobs.Stop(), a.stopChat(ctx)) // while the hub still tells other instances
	stop()
	loops.Wait()
	return errors.Join(err, a.Close(ctx))
}

// stopChat waits until the messages that were taken are stored.
func (a *App) stopChat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	return a.Chat.Stop(ctx)
}

// Close writes what is buffered and closes the database. Run does so itself.
func (a *App) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	err := errors.Join(a.Jobs.Stop(), a.stopChat(ctx), a.Identity.Flush(ctx), a.Audit.Close(ctx), a.DB.Close())
	if a.files != nil {
		err = errors.Join(err, a.files.Close())
	}
	return err
}
