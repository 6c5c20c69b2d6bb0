package config

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/money"
)

// Environment says what the program runs for.
type Environment string

// The environments.
const (
	Demo        Environment = "demo"        // an invented clinic on an embedded database, with a clock that can be advanced
	Development Environment = "development" // for those who write clients: open introspection, secrets made up at each start
	Production  Environment = "production"  // real patients
)

// Config is the settings of one process, all of them checked.
type Config struct {
	Environment Environment
	Listen      string // host:port
	PublicURL   string // where users reach the program, without a slash at its end; empty when it was not told
	LogLevel    slog.Level

	DatabaseURL   Secret // postgres://..., or the path of an SQLite database
	IsAutoMigrate bool

	JWTKeys       Secret // empty outside production: keys are made up
	TotpKeys      Secret // empty in production: no second factors
	SandboxSecret Secret // of the sandbox payment provider; empty: off in production, made up elsewhere
	SMTPURL       Secret // empty: mails stay in the outbox
	SMSURL        Secret // empty: text messages stay in the outbox

	StripeSecretKey     Secret // empty: the sandbox takes the payments, if anything does
	StripeWebhookSecret Secret // given with StripeSecretKey
	StripeAPIURL        string // without a slash at its end
	StorageURL          Secret // empty: a folder beside an SQLite database, or no attachments

	TLSCert, TLSKey string         // files; both or none
	TrustedProxies  []netip.Prefix // whose X-Forwarded headers count
	CORSOrigins     []string       // exact origins

	PracticeName        string
	PracticeZone        *time.Location
	PracticeCurrency    string
	NewPatientFee       money.Amount
	ReturningPatientFee money.Amount
	AdmissionFee        money.Amount // zero: none
	LowBalance          money.Amount // of wallets; below it people are told

	PatientSessionTimeout time.Duration
	StaffSessionTimeout   time.Duration
	SessionTimeoutWarning time.Duration

	IsStaffTotpRequired bool // staff set up a second factor before anything else

	IdentifierChecks identifier.Mode
	IsAuditStrict    bool // reads are answered after their audit row is written

	Limits Limits
}

// Limits bound what callers may ask for.
type Limits struct {
	BodyBytes        int64
	QueryTokens      int
	QueryDepth       int
	QueryAliases     int
	QueryRootFields  int
	QueryCost        int
	OperationTimeout time.Duration

	APIRequestsPerMinute   int
	Sockets                int
	OperationsPerSocket    int
	LoginAttemptsPerMinute int
	RegistrationsPerHour   int
	VerificationsPerMinute int
	ResetMailsPerHour      int
	// PatientSuspiciousRequests is how many requests a patient's session may send in 60 seconds, refused ones included, without being ended.
	PatientSuspiciousRequests int
	BookingsPerHour           int
}

// IsPostgres tells whether the database is a PostgreSQL server.
func (c Config) IsPostgres() bool { return isPostgres(c.DatabaseURL.Reveal()) }
