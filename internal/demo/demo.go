package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/counter"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/notify"
	records "github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// Clock is a clock that can be set, also back.
type Clock interface {
	clock.Clock
	Set(t time.Time)
}

// HashParams make the demo's passwords, which are no secrets, quick to hash.
var HashParams = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Config is what a Seeder works with: the services of the program, and the hands of people who use its pages.
type Config struct {
	DB       *store.DB
	Clock    Clock          // the store's
	Zone     *time.Location // of the practice
	Identity *identity.Service
	Patients *records.Service
	Booking  *booking.Service
	Chat     *chat.Service
	Hospital *hospital.Service
	Wallets  *wallet.Service
	Notify   *notify.Service
	Till     *Till // the payment provider of Booking
	Jobs     *scheduler.Scheduler
	// Click chooses pay, decline or cancel on the page of a checkout.
	Click func(ctx context.Context, url, action string) error
}

// Seeder makes the clinic.
type Seeder struct {
	Config
	now           time.Time // the present, where the past ends
	viewers       map[string]*access.Viewer
	patients      map[string]uuid.UUID
	practitioners map[string]*ent.Practitioner
	slots         map[slotKey]*ent.Slot
	questions     []*ent.Question
	inHospital
	steps  []step
	broken error // of a script that makes no sense
}

// New returns a Seeder for one Seed.
func New(cfg Config) *Seeder { return &Seeder{Config: cfg} }

// past is how long the clinic has been open.
const past = 50 * 24 * time.Hour

// cause is what the audit says where no person acts.
const cause = "command:demo"

// ErrUnfinished is the error for a database that somebody else is filling, or did not fill to the end.
var ErrUnfinished = errors.New("demo: the database is being filled by another process, or one was stopped while it did so: wait, or start with an empty database")

// Seed fills an empty database and leaves the clock where it was; one that has users is left as it is. Errors: ErrUnfinished.
func (s *Seeder) Seed(ctx context.Context) error {
	ctx = audit.Cause(access.System(ctx, "demo"), cause)
	isMine, err := s.claim(ctx)
	if err != nil || !isMine {
		return err
	}
	s.now = s.Clock.Now()
	defer func() { s.Clock.Set(s.now) }()
	s.Clock.Set(s.now.Add(-past))
	if err := s.DB.WithTx(ctx, s.open); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	s.pastVisits()
	s.visitsAhead()
	s.unpaidVisits()
	s.refunds()
	s.inpatients()
	s.everyDay()
	s.midnights()
	if err := s.tell(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if _, _, err := s.Notify.Deliver(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return s.finish(ctx)
}

// open makes what a clinic begins with.
func (s *Seeder) open(ctx context.Context) error {
	s.viewers, s.patients = map[string]*access.Viewer{}, map[string]uuid.UUID{}
	s.practitioners, s.slots, s.questions = map[string]*ent.Practitioner{}, map[slotKey]*ent.Slot{}, nil
	s.inHospital = inHospital{wards: map[string]*ent.Ward{}, beds: map[string]uuid.UUID{}}
	for _, make := range []func(context.Context) error{s.addStaff, s.addPatients, s.addQuestions, s.addCalendars, s.addWards} {
		if err := make(ctx); err != nil {
			return err
		}
	}
	return nil
}

const claimed = "demo"

// claim tells whether the database is empty and ours to fill.
func (s *Seeder) claim(ctx context.Context) (isMine bool, err error) {
	filled, err := s.DB.Client.User.Query().Exist(ctx)
	if err != nil {
		return false, err
	}
	present, err := s.DB.Client.Counter.Query().Where(counter.Name(claimed)).Only(ctx)
	switch {
	case err == nil && present.Value == 0:
		return false, ErrUnfinished
	case err == nil, !ent.IsNotFound(err):
		return false, err
	case filled:
		return false, nil
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		return s.DB.Client.Counter.Create().SetName(claimed).SetValue(0).Exec(ctx)
	})
	if store.Violates(err, claimOnce) {
		err = ErrUnfinished
	}
	return err == nil, err
}

// claimOnce decides who fills a database.
var claimOnce = store.Constraint{Postgres: "counters_name_key", SQLite: "counters.name"}

// finish says that all is done.
func (s *Seeder) finish(ctx context.Context) error {
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		return s.DB.Client.Counter.Update().Where(counter.Name(claimed)).SetValue(1).Exec(ctx)
	})
}

// as returns a ctx in which the person acts.
func (s *Seeder) as(ctx context.Context, key string) context.Context {
	v := s.viewers[key]
	ctx = identity.WithClient(ctx, identity.Client{IP: v.IP, UserAgent: v.UserAgent})
	return audit.WithRequest(access.As(ctx, v), audit.Request{IP: v.IP, UserAgent: v.UserAgent})
}
