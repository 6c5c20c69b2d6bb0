package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/payment/sandbox"
	"github.com/caregraph/caregraph/internal/payment/stripe"
	"github.com/caregraph/caregraph/internal/sms"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// New migrates the database if the configuration says so and builds the program. It waits for a PostgreSQL server that is away. Close or Run releases it.
func New(ctx context.Context, cfg config.Config, opts Options) (*App, error) {
	a := &App{cfg: cfg, log: opts.Log}
	if err := a.open(ctx, opts); err != nil {
		return nil, err
	}
	if err := a.build(opts); err != nil { //nolint:contextcheck // requests bring their own
		return nil, errors.Join(err, a.DB.Close())
	}
	return a, nil
}

// open opens the database once it is there.
func (a *App) open(ctx context.Context, opts Options) error {
	url := a.cfg.DatabaseURL.Reveal()
	say := func(text string) { a.log.WarnContext(ctx, text) }
	if err := folderExists(url); err != nil {
		return err
	}
	if !a.cfg.IsPostgres() && a.cfg.IsAutoMigrate {
		if _, err := store.Migrate(ctx, url); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	db, err := store.Open(ctx, store.Config{URL: url, IsScratch: opts.IsScratch, Wrap: opts.Wrap}, opts.Clock)
	if err != nil {
		return err
	}
	a.DB = db
	if err := db.WaitUntilReady(ctx, say); err != nil {
		return errors.Join(err, db.Close())
	}
	if a.cfg.IsPostgres() {
		if err := a.migratePostgres(ctx, url); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	return nil
}

// folderExists tells an operator what SQLite would not: that the database's folder is missing.
func folderExists(url string) error {
	if store.IsPostgres(url) || strings.HasPrefix(url, "file:") {
		return nil
	}
	folder := filepath.Dir(strings.TrimPrefix(url, "sqlite://"))
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("the database's folder %s cannot be used: create it, or name another file (%w)", folder, err)
	}
	return nil
}

// migratePostgres migrates, or refuses a schema that is not this program's.
func (a *App) migratePostgres(ctx context.Context, url string) error {
	if a.cfg.IsAutoMigrate {
		_, err := store.Migrate(ctx, url)
		return err
	}
	current, err := store.IsCurrent(ctx, url)
	if err == nil && !current {
		err = errors.New("the database does not have this program's schema: run caregraph migrate, or set MIGRATE=auto")
	}
	return err
}

func (a *App) build(opts Options) error {
	cfg, db := a.cfg, a.DB
	a.Audit = audit.New(db, a.log, audit.Options{Strict: cfg.IsAuditStrict})
	a.Audit.Install()
	var mailer mail.Mailer
	if smtp := cfg.SMTPURL.Reveal(); smtp != "" {
		var err error
		if mailer, err = mail.FromURL(smtp); err != nil {
			return err
		}
	}
	var texts sms.Sender = sms.Log{Log: a.log}
	if service := cfg.SMSURL.Reveal(); service != "" {
		var err error
		if texts, err = sms.FromURL(service); err != nil {
			return err
		}
	}
	a.Notify = notify.New(notify.Config{DB: db, Mailer: mailer, SMS: texts, Log: a.log, Audit: a.Audit})
	a.Streams = stream.New(db, stream.NewBus(db, a.log), a.log)
	keysText := signingKeys(cfg)
	files, err := a.openStorage()
	if err != nil {
		return err
	}
	a.Chat = chat.New(chat.Config{
		DB: db, Streams: a.Streams, Audit: a.Audit, Notify: a.Notify, Storage: files, FileKey: derivedKey(keysText, "links to files"),
		BaseURL: cfg.PublicURL, Log: a.log,
	})
	a.Patients = patient.New(patient.Config{
		DB: db, IdentifierMode: cfg.IdentifierChecks, PracticeZone: cfg.PracticeZone,
		Mail: patientMailTo(a.Notify), LinkMailsPerHour: cfg.Limits.ResetMailsPerHour, PracticeName: cfg.PracticeName,
	})
	if a.Identity, err = a.newIdentity(opts, keysText); err != nil {
		return err
	}
	a.Booking = booking.New(booking.Config{
		DB: db, Notify: a.Notify, Chat: a.Chat, Streams: a.Streams, Provider: a.provider(), Log: a.log, PracticeName: cfg.PracticeName,
		NewPatientFee: cfg.NewPatientFee, ReturningFee: cfg.ReturningPatientFee, BookingsPerHour: cfg.Limits.BookingsPerHour,
	})
	a.Calendar = booking.NewCalendar(db, a.Streams)
	a.Wallets = wallet.New(wallet.Config{
		DB: db, Streams: a.Streams, Notify: a.Notify, Audit: a.Audit, Log: a.log, PracticeName: cfg.PracticeName,
		Zone: cfg.PracticeZone, Currency: cfg.PracticeCurrency, LowBalance: cfg.LowBalance,
	})
	a.Hospital = hospital.New(hospital.Config{
		DB: db, Streams: a.Streams, Wallets: a.Wallets, Notify: a.Notify, Audit: a.Audit, Log: a.log,
		Zone: cfg.PracticeZone, Currency: cfg.PracticeCurrency, AdmissionFee: cfg.AdmissionFee, RunCharges: a.runCharges,
	})
	a.Wallets.MayReverse, a.Wallets.DailyRates, a.Wallets.IsExempt = a.Hospital.MayReverse, a.Hospital.DailyRates, a.Hospital.ExemptToday
	a.Beds = hospital.NewBoard(db, a.Streams)
	movable, _ := opts.Clock.(scheduler.Movable)
	if cfg.Environment != config.Demo {
		movable = nil
	}
	a.Jobs, err = scheduler.New(scheduler.Config{DB: db, Zone: cfg.PracticeZone, Log: a.log, Audit: a.Audit, Jobs: a.jobs(), Clock: movable})
	if err != nil {
		return err
	}
	return a.serveOver(opts)
}

// provider is who takes the payments: Stripe where its key is given, else the sandbox, which production must ask for.
func (a *App) provider() payment.Provider {
	cfg := a.cfg
	if !cfg.StripeSecretKey.IsZero() {
		p := stripe.New(stripe.Config{
			SecretKey: cfg.StripeSecretKey.Reveal(), WebhookSecret: cfg.StripeWebhookSecret.Reveal(), APIURL: cfg.StripeAPIURL,
			PublicURL: cfg.PublicURL, PracticeName: cfg.PracticeName, Clock: a.DB.Clock, Log: a.log,
		})
		a.pages = map[string]http.Handler{"/stripe/": p.Handler()}
		return p
	}
	if cfg.Environment == config.Production && cfg.SandboxSecret.IsZero() {
		return payment.Off{}
	}
	a.Sandbox = sandbox.New(sandbox.Config{
		DB: a.DB, Secret: []byte(orMadeUp(cfg.SandboxSecret)), PublicURL: cfg.PublicURL, PracticeName: cfg.PracticeName, Zone: cfg.PracticeZone, Log: a.log,
	})
	a.pages = map[string]http.Handler{"/sandbox/": a.Sandbox.Handler()}
	if cfg.Environment != config.Demo {
		return a.Sandbox
	}
	a.till = &demo.Till{Provider: a.Sandbox}
	return a.till
}

// orMadeUp is the secret, or one that is gone with the process.
func orMadeUp(s config.Secret) string {
	if s.IsZero() {
		return newSecret()
	}
	return s.Reveal()
}
