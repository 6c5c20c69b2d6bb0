package notify

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/sms"
	"github.com/caregraph/caregraph/internal/store"
)

// Config is what a Service is made of.
type Config struct {
	DB     *store.DB
	Mailer mail.Mailer // nil = mails are kept, not sent
	SMS    sms.Sender  // nil = text messages are kept, not sent
	Log    *slog.Logger
	Audit  *audit.Recorder // records new notices; nil = it does not
	// Poll is the pause after which Run looks for due mails by itself; 0 = 3 s.
	Poll time.Duration
	// Timeout bounds one sending; 0 = 20 s. The lease of a row is three times as long.
	Timeout time.Duration
}

// Service tells people.
type Service struct {
	db      *store.DB
	mailer  mail.Mailer
	sms     sms.Sender
	log     *slog.Logger
	audit   *audit.Recorder
	poll    time.Duration
	timeout time.Duration
	wake    chan struct{}
}

// New returns a service. Mails and text messages are delivered while Run runs.
func New(cfg Config) *Service {
	if cfg.Poll == 0 {
		cfg.Poll = 3 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	return &Service{
		db: cfg.DB, mailer: cfg.Mailer, sms: cfg.SMS, log: cfg.Log, audit: cfg.Audit, poll: cfg.Poll, timeout: cfg.Timeout, wake: make(chan struct{}, 1),
	}
}

// Run delivers mails and text messages until ctx ends; what is being sent then is finished first.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	failing := false
	for {
		_, _, err := s.Deliver(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.ErrorContext(ctx, "mails wait: the outbox cannot be read or written", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// nudge wakes the worker once the transaction of ctx has committed.
func (s *Service) nudge(ctx context.Context) {
	store.AfterCommit(ctx, func(context.Context) {
		select {
		case s.wake <- struct{}{}:
		default: // awake already
		}
	})
}
