package config

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/money"
)

const (
	day     = 24 * time.Hour
	many    = 1 << 30 // no real bound
	anyRate = 1 << 20
)

// Row is one line of the documented table of settings.
type Row struct {
	Name    string
	Default string // as the documentation shows it; empty when there is none
	Meaning string
}

// Table returns all settings in the order in which they are documented.
func Table() []Row {
	rows := make([]Row, len(settings))
	for i, s := range settings {
		rows[i] = s.Row
	}
	return rows
}

// setting is a row and the way its value gets into a Config. The values are set in the table's order: a later one may rest on an
// earlier one, as the fees do on the currency.
type setting struct {
	Row
	set func(c *Config, value string) error
	// isDerived marks a default that follows from other settings (see complete), where the row's text only describes it.
	isDerived bool
}

func row(name, def, meaning string, set func(*Config, string) error) setting {
	return setting{Row: Row{Name: name, Default: def, Meaning: meaning}, set: set}
}

func (s setting) derived() setting {
	s.isDerived = true
	return s
}

// into makes a setter from the place of a value and the way to read it.
func into[T any](field func(*Config) *T, read func(string) (T, error)) func(*Config, string) error {
	return func(c *Config, value string) error {
		v, err := read(value)
		if err == nil {
			*field(c) = v
		}
		return err
	}
}

var settings = []setting{
	row("ENVIRONMENT", "production", "What the program runs for: `production`, `development` (made-up secrets, open introspection) or `demo`.",
		into(func(c *Config) *Environment { return &c.Environment }, oneOf(Production, Development, Demo))),
	row("LISTEN", "127.0.0.1:8080", "Address to listen on; port 0 takes a free one.",
		into(func(c *Config) *string { return &c.Listen }, hostPort)),
	row("PUBLIC_URL", "", "Where users reach the program, for links in mails; without it, the address it listens on.",
		into(func(c *Config) *string { return &c.PublicURL }, webURL)),
	row("DATABASE_URL", "caregraph.db", "`postgres://user:password@host/name`, or the path of an SQLite database.",
		into(func(c *Config) *Secret { return &c.DatabaseURL }, databaseURL)),
	row("MIGRATE", "auto on SQLite, manual on PostgreSQL", "`auto` migrates at the start; `manual` leaves it to `caregraph migrate`.",
		into(func(c *Config) *bool { return &c.IsAutoMigrate }, either("auto", "manual"))).derived(),
	row("JWT_KEYS", "", "Keys of access tokens: the newest signs, all verify. Needed in production; made up at each start elsewhere.",
		into(func(c *Config) *Secret { return &c.JWTKeys }, secret)),
	row("TOTP_KEYS", "", "Encrypt the secrets of second factors: random texts, comma-separated, the newest first. Without them there are none in production; elsewhere a well-known one is used.",
		into(func(c *Config) *Secret { return &c.TotpKeys }, secret)),
	row("REQUIRE_STAFF_TOTP", "false", "`true` lets staff without a second factor do nothing but set one up.",
		into(func(c *Config) *bool { return &c.IsStaffTotpRequired }, either("true", "false"))),
	row("CORS_ORIGINS", "", "Origins of browser clients, comma-separated and exact, such as `https://app.clinic.example`.",
		into(func(c *Config) *[]string { return &c.CORSOrigins }, list(origin))),
	row("TRUSTED_PROXIES", "", "Addresses or CIDR ranges of reverse proxies, comma-separated, whose X-Forwarded headers count.",
		into(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, list(network))),
	row("TLS_CERT", "", "File with the certificate chain, to serve TLS without a proxy; with TLS_KEY.",
		into(func(c *Config) *string { return &c.TLSCert }, text)),
	row("TLS_KEY", "", "File with the key of TLS_CERT.",
		into(func(c *Config) *string { return &c.TLSKey }, text)),
	row("SMTP_URL", "", "`smtp://user:password@host:587` or `smtps://...`; without it mails stay in the outbox.",
		into(func(c *Config) *Secret { return &c.SMTPURL }, smtpURL)),
	row("SMS_URL", "", "`https://ACCOUNT:TOKEN@host/path?from=NUMBER` of a Twilio-compatible service; without it text messages stay in the outbox.",
		into(func(c *Config) *Secret { return &c.SMSURL }, smsURL)),
	row("STRIPE_SECRET_KEY", "", "Key of Stripe's API (`sk_...` or `rk_...`); with it Stripe takes the payments, and STRIPE_WEBHOOK_SECRET is needed.",
		into(func(c *Config) *Secret { return &c.StripeSecretKey }, secretWith("sk_", "rk_"))),
	row("STRIPE_WEBHOOK_SECRET", "", "Signing secret (`whsec_...`) of the webhook endpoint `PUBLIC_URL/webhooks/payments/stripe`.",
		into(func(c *Config) *Secret { return &c.StripeWebhookSecret }, secretWith("whsec_"))),
	row("STRIPE_API_URL", "https://api.stripe.com", "Base URL of Stripe's API; another one is a stand-in for tests.",
		into(func(c *Config) *string { return &c.StripeAPIURL }, apiURL)),
	row("PAYMENT_SANDBOX_SECRET", "", "Signs the events of the sandbox payment provider, which is off in production without it, and wherever there is a STRIPE_SECRET_KEY.",
		into(func(c *Config) *Secret { return &c.SandboxSecret }, secret)),
	row("STORAGE_URL", "a folder beside the SQLite database", "Where attachments are kept: `file:///path`, `s3://bucket?region=...` or `mem://`. With PostgreSQL there are none without it.",
		into(func(c *Config) *Secret { return &c.StorageURL }, storageURL)).derived(),
	row("LOG_LEVEL", "info", "`debug`, `info`, `warn` or `error`.",
		into(func(c *Config) *slog.Level { return &c.LogLevel }, logLevel)),

	row("PRACTICE_NAME", "Caregraph Clinic", "Name of the practice, as patients read it.",
		into(func(c *Config) *string { return &c.PracticeName }, text)),
	row("PRACTICE_TIMEZONE", "Australia/Brisbane", "IANA time zone of the practice; its calendar decides dates.",
		into(func(c *Config) **time.Location { return &c.PracticeZone }, zone)),
	row("PRACTICE_CURRENCY", "AUD", "ISO 4217 currency of the practice.",
		into(func(c *Config) *string { return &c.PracticeCurrency }, currencyCode)),
	row("NEW_PATIENT_FEE", "80.00", "Price of a first appointment, in the practice's currency.",
		fee(func(c *Config) *money.Amount { return &c.NewPatientFee })),
	row("RETURNING_PATIENT_FEE", "50.00", "Price of any later appointment.",
		fee(func(c *Config) *money.Amount { return &c.ReturningPatientFee })),
	row("ADMISSION_FEE", "0", "Fee of an admission to a ward; `0` is none.",
		noneOrMore(func(c *Config) *money.Amount { return &c.AdmissionFee })),
	row("WALLET_LOW_BALANCE_THRESHOLD", "100", "Balance below which a patient and billers are told that a wallet is low.",
		noneOrMore(func(c *Config) *money.Amount { return &c.LowBalance })),
	row("IDENTIFIER_CHECKS", "strict", "`strict` refuses wrong check digits; `lenient` checks length and characters, for invented data.",
		into(func(c *Config) *identifier.Mode { return &c.IdentifierChecks }, oneOf(identifier.Strict, identifier.Lenient))),
	row("AUDIT_READS", "buffered", "`buffered` writes audit rows of reads within a second; `strict` before the answer.",
		into(func(c *Config) *bool { return &c.IsAuditStrict }, either("strict", "buffered"))),

	row("PATIENT_SESSION_TIMEOUT", "1200", "Seconds without activity after which a patient's session ends.",
		into(func(c *Config) *time.Duration { return &c.PatientSessionTimeout }, span(time.Minute, day))),
	row("STAFF_SESSION_TIMEOUT", "1200", "The same for staff.",
		into(func(c *Config) *time.Duration { return &c.StaffSessionTimeout }, span(time.Minute, day))),
	row("SESSION_TIMEOUT_WARNING", "300", "Seconds before the end of a session at which clients are warned.",
		into(func(c *Config) *time.Duration { return &c.SessionTimeoutWarning }, span(time.Second, day))),

	row("MAX_BODY_BYTES", "1048576", "Largest request body.",
		into(func(c *Config) *int64 { return &c.Limits.BodyBytes }, whole[int64](1<<10, many))),
	row("QUERY_MAX_TOKENS", "5000", "Tokens of a document.",
		into(func(c *Config) *int { return &c.Limits.QueryTokens }, whole[int](1, many))),
	row("QUERY_MAX_DEPTH", "12", "Depth of a document.",
		into(func(c *Config) *int { return &c.Limits.QueryDepth }, whole[int](1, many))),
	row("QUERY_MAX_ALIASES", "30", "Aliases of a document.",
		into(func(c *Config) *int { return &c.Limits.QueryAliases }, whole[int](1, many))),
	row("QUERY_MAX_ROOT_FIELDS", "20", "Root fields of an operation.",
		into(func(c *Config) *int { return &c.Limits.QueryRootFields }, whole[int](1, many))),
	row("QUERY_MAX_COST", "20000", "Cost of an operation; a connection costs its page size times its node.",
		into(func(c *Config) *int { return &c.Limits.QueryCost }, whole[int](1, many))),
	row("OPERATION_TIMEOUT", "10s", "Time that one operation may take.",
		into(func(c *Config) *time.Duration { return &c.Limits.OperationTimeout }, span(100*time.Millisecond, time.Hour))),
	row("API_REQUESTS_PER_MINUTE", "100", "Requests per user; callers who are not signed in share ten times as many per address.",
		into(func(c *Config) *int { return &c.Limits.APIRequestsPerMinute }, whole[int](1, anyRate))),
	row("MAX_SOCKETS", "20000", "Websockets and event streams that are open at once on one instance; one more is closed with 4429, or answered 503.",
		into(func(c *Config) *int { return &c.Limits.Sockets }, whole[int](1, many))),
	row("MAX_SUBSCRIPTIONS_PER_SOCKET", "100", "Operations that are open at once on one websocket; one more is answered LIMIT.",
		into(func(c *Config) *int { return &c.Limits.OperationsPerSocket }, whole[int](1, many))),
	row("LOGIN_ATTEMPTS_PER_MINUTE", "5", "Failed sign-ins per address and per account.",
		into(func(c *Config) *int { return &c.Limits.LoginAttemptsPerMinute }, whole[int](1, anyRate))),
	row("REGISTRATIONS_PER_HOUR", "10", "Registrations per address.",
		into(func(c *Config) *int { return &c.Limits.RegistrationsPerHour }, whole[int](1, anyRate))),
	row("VERIFICATIONS_PER_MINUTE", "10", "Verifications of prescriptions and mailed codes per address.",
		into(func(c *Config) *int { return &c.Limits.VerificationsPerMinute }, whole[int](1, anyRate))),
	row("RESET_MAILS_PER_HOUR", "3", "Mails per e-mail address that let a password be reset; and as many with codes that join records to accounts.",
		into(func(c *Config) *int { return &c.Limits.ResetMailsPerHour }, whole[int](1, anyRate))),
	row("PATIENT_SUSPICIOUS_REQUESTS", "300", "Requests of a patient's session in 60 seconds, refused ones included; one more ends the session.",
		into(func(c *Config) *int { return &c.Limits.PatientSuspiciousRequests }, whole[int](1, anyRate))),
	row("BOOKINGS_PER_HOUR", "3", "Successful bookings per patient.",
		into(func(c *Config) *int { return &c.Limits.BookingsPerHour }, whole[int](1, anyRate))),
}
