package identity

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/patient"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

// Config is what the service needs; all members are obligatory but those of the last group.
type Config struct {
	DB       *store.DB
	Limits   *limit.Limiter
	Patients *patient.Service
	// Mail puts a mail into the outbox, in the transaction of ctx, at most once per kind, subject, occurrence and address.
	Mail func(ctx context.Context, m Mail) error
	// Notice puts a notice before a user, in the transaction of ctx, at most once per kind and subject. Without it nobody is told of suspicious sessions.
	Notice func(ctx context.Context, n Notice) error
	Log    *slog.Logger
	Keys   Keys

	TotpKeys         TotpKeys // without any there are no second factors
	RequireStaffTotp bool     // staff without a second factor can do nothing but set it up

	PatientTimeout time.Duration // without activity, after which a session ends
	StaffTimeout   time.Duration
	Warning        time.Duration // before the end

	LoginsPerMinute        int // that fail, per address and per account
	RegistrationsPerHour   int // per address
	VerificationsPerMinute int // per address
	ResetMailsPerHour      int // per e-mail address

	PublicURL    string // for links in mails
	PracticeName string // for mails
	Zone         *time.Location
	Identifiers  identifier.Mode

	Issuer, Audience string           // of tokens; "caregraph" and "caregraph-api" when empty
	HashParams       *argon2id.Params // nil = HashParams of this package
	MaxHashes        int              // how many passwords are hashed at once; 0 = one per processor

	// Streams tells all instances of ended sessions and changed rights, and tells this one. Without it, open sockets learn of ends by time alone.
	Streams *stream.Log
}

// Mail is a mail to be sent; it has the shape of the outbox's own.
type Mail struct {
	Kind       string     // what it tells
	UserID     *uuid.UUID // nil when the address has no account
	To         string
	SubjectID  uuid.UUID // the record that it is about
	Occurrence string    // tells mails of one kind about one record apart
	Subject    string
	Body       string
}

// Notice is a notice to a user.
type Notice struct {
	Kind        string
	UserID      uuid.UUID
	SubjectID   uuid.UUID
	Title, Text string
}

// Service is the domain's entry.
type Service struct {
	Config
	passwords *hasher
	tokens    *tokens
	activity  *activity
	live      *Live
	touches   touchGroup
}

const (
	absoluteTimeout = 24 * time.Hour
	tokenLifetime   = 24 * time.Hour   // of a token that proves an address
	resetLifetime   = 30 * time.Minute // of a token that sets a password
	keptSessions    = 30 * 24 * time.Hour
)

// New returns the service. Run it in the background, and Flush it at shutdown.
func New(c Config) (*Service, error) {
	if c.PatientTimeout <= 0 || c.StaffTimeout <= 0 {
		return nil, errors.New("identity: sessions need a timeout")
	}
	if c.Keys.signing == nil {
		return nil, errors.New("identity: there is no key to sign tokens with")
	}
	passwords, err := newHasher(c.HashParams, c.MaxHashes)
	if err != nil {
		return nil, err
	}
	s := &Service{Config: c, passwords: passwords, tokens: newTokens(c), activity: newActivity(min(maxLag, min(c.PatientTimeout, c.StaffTimeout)/4), c.Warning)}
	s.live = newLive(s)
	return s, nil
}

// Live returns what knows the sessions behind open sockets.
func (s *Service) Live() *Live { return s.live }

// timeout is how long a session of a user with these roles lasts without activity.
func (s *Service) timeout(v *access.Viewer) time.Duration {
	if v.Has(access.Patient) {
		return s.PatientTimeout
	}
	return s.StaffTimeout
}

func userType(v *access.Viewer) UserType {
	switch {
	case v.Has(access.Admin):
		return TypeAdmin
	case v.Has(access.Patient):
		return TypePatient
	default:
		return TypeStaff
	}
}

// foldEmail makes addresses comparable: they are unique without regard to case.
func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// earlier returns the earlier instant.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// later returns the later instant.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
