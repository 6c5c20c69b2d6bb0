package app

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/precheck"
	"github.com/caregraph/caregraph/graph/transport"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/httpserver"
	"github.com/caregraph/caregraph/internal/identity"
)

const devMails = 100

// serveOver builds the HTTP server over the services.
func (a *App) serveOver(opts Options) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	introspection := graph.Open
	if a.cfg.Environment == config.Production {
		introspection = graph.StaffOnly
	}
	limits := a.cfg.Limits
	resolver := &graph.Resolver{
		DB: a.DB, Identity: a.Identity, Patients: a.Patients, Booking: a.Booking, Notify: a.Notify, Audit: a.Audit, Log: a.log,
		Calendar: a.Calendar, Chat: a.Chat, Hospital: a.Hospital, Wallets: a.Wallets, Beds: a.Beds, Live: a.Identity.Live(), Jobs: a.Jobs, IdentifierMode: a.cfg.IdentifierChecks, Cookies: cookies{},
	}
	a.sockets = graph.Sockets(resolver, a.socketOptions(registry))
	api, schema := graph.New(resolver, graph.Options{
		Sockets:   a.sockets,
		RequestID: httpserver.RequestID, Log: a.log, MaxBody: limits.BodyBytes, Timeout: limits.OperationTimeout, Introspection: introspection,
		Limits: precheck.Limits{
			Tokens: limits.QueryTokens, Depth: limits.QueryDepth, Aliases: limits.QueryAliases, RootFields: limits.QueryRootFields, Cost: int64(limits.QueryCost),
		},
		Observe: operationMetrics(registry),
	})
	a.Schema = schema
	options := httpserver.Options{
		GraphQL: api, Schema: func() string { return schema }, Ready: a.DB.Ready, Authenticate: a.Identity.Authenticate, SetClient: withClient,
		VerifyEmail: func(ctx context.Context, token string) error {
			_, err := a.Identity.VerifyEmail(ctx, identity.VerifyEmailInput{Token: token})
			return err
		},
		ResetPassword: func(ctx context.Context, token, password string) error {
			_, err := a.Identity.ResetPassword(ctx, identity.ResetPasswordInput{Token: token, NewPassword: password})
			return err
		},
		Flood: limits.PatientSuspiciousRequests, OnFlood: a.Identity.EndSuspicious,
		Webhook: a.Booking.Webhook, Registry: registry, OnStop: a.sockets.Close,
		CORSOrigins: a.cfg.CORSOrigins, TrustedProxies: a.cfg.TrustedProxies, TLSCert: a.cfg.TLSCert, TLSKey: a.cfg.TLSKey,
		RequestsPerMinute: limits.APIRequestsPerMinute, Clock: opts.Clock, Log: a.log,
	}
	files := a.Chat.FilesHandler()
	options.Mounts = map[string]http.Handler{"/uploads/": files, "/files/": files}
	if a.cfg.Environment == config.Demo {
		options.DevMail = a.devMail
	}
	maps.Copy(options.Mounts, a.pages)
	if a.Sandbox != nil {
		a.Sandbox.SetDeliver(a.deliver)
	}
	server, err := httpserver.New(options)
	a.server = server
	return err
}

func (a *App) socketOptions(registry *prometheus.Registry) transport.WebsocketOptions {
	sockets, subscriptions := socketMetrics(registry)
	return transport.WebsocketOptions{
		Options: transport.Options{RequestID: httpserver.RequestID, MaxBody: a.cfg.Limits.BodyBytes},
		Detach:  httpserver.Detach, Admit: httpserver.Admit, Watch: httpserver.Watch, Sockets: sockets, Subscriptions: subscriptions,
		OpenSession: a.openSession,
		MaxSockets:  a.cfg.Limits.Sockets, MaxOperations: a.cfg.Limits.OperationsPerSocket, Timeout: a.cfg.Limits.OperationTimeout,
	}
}

// openSession follows the session behind a socket.
func (a *App) openSession(ctx context.Context, v *access.Viewer) (transport.Session, error) {
	live, err := a.Identity.Live().Open(ctx, v)
	if err != nil {
		return nil, err // and not a session that is nil
	}
	return live, nil
}

// withClient tells the domains who calls.
func withClient(ctx context.Context, ip, userAgent string) context.Context {
	ctx = identity.WithClient(ctx, identity.Client{IP: ip, UserAgent: userAgent})
	return audit.WithRequest(ctx, audit.Request{ID: httpserver.RequestID(ctx), IP: ip, UserAgent: userAgent})
}

// deliver sends a webhook of the sandbox provider through the program's own front door.
func (a *App) deliver(ctx context.Context, header http.Header, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://caregraph/webhooks/payments/"+a.Sandbox.Name(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header = header
	request.RemoteAddr = "127.0.0.1:0"
	answer := httptest.NewRecorder()
	a.server.Handler().ServeHTTP(answer, request)
	return answer.Code, nil
}

// devMail lists the mails that the demo keeps.
func (a *App) devMail(ctx context.Context) ([]httpserver.DevMailItem, error) {
	kept, err := a.Notify.Recent(access.System(ctx, "dev mail"), devMails)
	if err != nil {
		return nil, err
	}
	items := make([]httpserver.DevMailItem, len(kept))
	for i, m := range kept {
		items[i] = httpserver.DevMailItem{At: m.CreatedAt, To: m.Address, Subject: m.Subject, Text: m.Body}
	}
	return items, nil
}

// Handler is the whole HTTP server, for tests.
func (a *App) Handler() http.Handler { return a.server.Handler() }

// cookies are the session cookies of package httpserver.
type cookies struct{}

// Set implements graph.Cookies.
func (cookies) Set(ctx context.Context, token string) { httpserver.SetSessionCookie(ctx, token) }

// Clear implements graph.Cookies.
func (cookies) Clear(ctx context.Context) { httpserver.ClearSessionCookie(ctx) }
