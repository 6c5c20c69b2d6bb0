package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
)

// Options are what the server serves and how. Fields without the mark "optional" are needed.
type Options struct {
	// GraphQL answers /graphql for all methods; it bounds the body itself. An event stream has no write deadline of the server's.
	GraphQL http.Handler
	// Schema returns the schema's text.
	Schema func() string
	// Ready tells whether the program can serve. It must not wait for the database.
	Ready func() error
	// Authenticate returns who a token belongs to.
	Authenticate func(ctx context.Context, token string) (*access.Viewer, error)
	// SetClient puts the client's address and program into the ctx of every request; RequestID works in it. Optional.
	SetClient func(ctx context.Context, ip, userAgent string) context.Context
	// Webhook takes the raw body of a payment provider's event. Optional: without it there is no such route.
	Webhook func(ctx context.Context, provider string, header http.Header, body []byte) error
	// VerifyEmail proves an address by the token of a mailed link, which leads to /verify-email. Optional: without it there is no such page.
	VerifyEmail func(ctx context.Context, token string) error
	// ResetPassword sets a password by the token of a mailed link, which leads to /reset-password. Optional: without it there is no such page.
	ResetPassword func(ctx context.Context, token, password string) error
	// Mounts are further handlers by path ("/sandbox/"); callers are authenticated for them. A page of theirs sets its own
	// Content-Security-Policy: the default allows nothing. Optional.
	Mounts map[string]http.Handler
	// DevMail returns the mails that were not sent, newest first, for /dev/mail. Optional: without it there is no such route.
	DevMail func(ctx context.Context) ([]DevMailItem, error)
	// Registry is served at /metrics and takes the server's own. Optional.
	Registry *prometheus.Registry
	// CORSOrigins are the exact origins of browser clients. Optional.
	CORSOrigins []string
	// TrustedProxies are the networks whose X-Forwarded headers count. Optional.
	TrustedProxies []netip.Prefix
	// TLSCert and TLSKey name files; with them Serve speaks TLS. Optional.
	TLSCert, TLSKey string
	// OnStop is called when a stop begins, to end sockets and streams; its ctx ends with the time for it. Optional.
	OnStop func(ctx context.Context)
	// RequestsPerMinute is the general request limit of a user; an address from which nobody is signed in has ten times as much.
	RequestsPerMinute int
	// Flood bounds the requests of one session of a patient in 60 seconds, those beyond the general limit included; 0 = it does not. Optional.
	Flood int
	// OnFlood is called for a session that sent more; it returns what the request is answered with. Needed with Flood.
	OnFlood func(ctx context.Context, v *access.Viewer) error
	// Clock tells the time of the request limit.
	Clock clock.Clock
	// Log takes the access log and what goes wrong.
	Log *slog.Logger
}

func (o Options) validate() error {
	var problems []error
	need := func(given bool, name string) {
		if !given {
			problems = append(problems, errors.New("httpserver: "+name+" is missing"))
		}
	}
	need(o.GraphQL != nil, "GraphQL")
	need(o.Schema != nil, "Schema")
	need(o.Ready != nil, "Ready")
	need(o.Authenticate != nil, "Authenticate")
	need(o.RequestsPerMinute > 0, "RequestsPerMinute")
	need(o.Clock != nil, "Clock")
	need(o.Log != nil, "Log")
	need(o.Flood == 0 || o.OnFlood != nil, "OnFlood")
	return errors.Join(problems...)
}
