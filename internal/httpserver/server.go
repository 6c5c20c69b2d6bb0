package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/caregraph/caregraph/internal/httpserver/explorer"
)

const (
	headerTimeout  = 10 * time.Second
	bodyTimeout    = 30 * time.Second
	writeTimeout   = 2 * time.Minute // of a whole answer; streams have none
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
	stopTimeout    = 15 * time.Second
	compressFrom   = 1 << 10 // smaller answers fit into a packet as they are
)

// Server serves the program over HTTP. It is made by New and serves once.
type Server struct {
	options  Options
	handler  http.Handler
	tls      *tls.Config // nil: plain HTTP
	forgery  *http.CrossOriginProtection
	limiter  *limiter
	floods   *floods // nil: they are not watched
	metrics  *metrics
	ready    readiness
	stopping chan struct{}
	stopOnce sync.Once
}

// New returns a server, or what is wrong with the options: something missing, an unsafe CORS set-up, unreadable TLS files.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		options:  options,
		limiter:  newLimiter(options.RequestsPerMinute, options.Clock),
		ready:    readiness{check: options.Ready},
		stopping: make(chan struct{}),
	}
	if options.Flood > 0 {
		s.floods = newFloods(options.Flood, options.Clock)
	}
	var err error
	if s.metrics, err = newMetrics(options.Registry); err != nil {
		return nil, err
	}
	if s.forgery, err = newForgeryProtection(options.CORSOrigins); err != nil {
		return nil, err
	}
	shareWith, err := newCORS(options.CORSOrigins)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	if options.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(options.TLSCert, options.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("TLS_CERT and TLS_KEY: %w", err)
		}
		s.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	inner := s.guard(shareWith(s.routes()))
	s.handler = s.begin(s.observe(secure(exceptStreams(compress, inner))))
	return s, nil
}

// Handler returns the server's handler.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern, name string, h http.Handler) { mux.Handle(pattern, named(name, h)) }
	handle("/graphql", "/graphql", s.signIn(s.limit(s.options.GraphQL)))
	handle("GET /schema.graphql", "/schema.graphql", http.HandlerFunc(s.serveSchema))
	handle("GET /healthz", "/healthz", http.HandlerFunc(serveHealth))
	handle("GET /readyz", "/readyz", http.HandlerFunc(s.serveReady))
	page := explorer.Handler()
	handle("GET /{$}", "/", page)
	handle("GET /explorer/", "/explorer/", page)
	if s.options.Registry != nil {
		handle("GET /metrics", "/metrics", promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{DisableCompression: true}))
	}
	if s.options.Webhook != nil {
		handle("POST /webhooks/payments/{provider}", "/webhooks/payments/", http.HandlerFunc(s.serveWebhook))
	}
	if s.options.VerifyEmail != nil {
		handle("GET /verify-email", "/verify-email", http.HandlerFunc(s.askToVerify))
		handle("POST /verify-email", "/verify-email", http.HandlerFunc(s.verifyEmail))
	}
	if s.options.ResetPassword != nil {
		handle("GET /reset-password", "/reset-password", http.HandlerFunc(s.askForPassword))
		handle("POST /reset-password", "/reset-password", http.HandlerFunc(s.resetPassword))
	}
	if s.options.DevMail != nil {
		handle("GET /dev/mail", "/dev/mail", http.HandlerFunc(s.serveDevMail))
	}
	for path, h := range s.options.Mounts {
		handle(path, path, s.signIn(h))
	}
	return mux
}

// named notes the route for log and metrics, whose labels must not be chosen by clients.
func named(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		callOf(r.Context()).route = route
		next.ServeHTTP(w, r)
	})
}

func (s *Server) serveSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write([]byte(s.options.Schema()))
}

// Serve answers requests on the listener until ctx ends, then stops: readiness goes off, no connection is taken any more, running
// requests have 15 seconds to finish, and whatever is left is closed. It returns nil after a stop.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx)) // requests outlive ctx until they are done or out of time
	defer cancel()
	srv := &http.Server{
		Handler:           s.handler,
		TLSConfig:         s.tls,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       withConn,
		ErrorLog:          slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() {
		if s.tls != nil {
			ended <- srv.ServeTLS(listener, "", "")
			return
		}
		ended <- srv.Serve(listener)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("the listener failed: %w", err)
	case <-ctx.Done():
	}
	s.stop(base, cancel, srv)
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the listener failed: %w", err)
	}
	return nil
}

func (s *Server) stop(base context.Context, cancel context.CancelFunc, srv *http.Server) {
	s.stopOnce.Do(func() { close(s.stopping) })
	patience, done := context.WithTimeout(base, stopTimeout)
	defer done()
	told := make(chan struct{})
	go func() {
		defer close(told)
		if s.options.OnStop != nil {
			s.options.OnStop(patience)
		}
	}()
	if err := srv.Shutdown(patience); err != nil {
		s.options.Log.Warn("requests were cut off: they took too long to finish after the stop")
		cancel()
		_ = srv.Close()
	}
	select {
	case <-told:
	case <-patience.Done():
	}
}

func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}
