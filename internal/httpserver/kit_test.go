package httpserver_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appOrigin  = "https://app.clinic.example"
	evilOrigin = "https://evil.example"
	proxyAddr  = "10.0.0.9:4711"
	goodToken  = "good-token-of-alice"
)

var (
	alice = &access.Viewer{UserID: uuid.MustParse("01900000-0000-7000-8000-000000000001"), SessionID: uuid.MustParse("01900000-0000-7000-8000-000000000002")}
	start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
)

// logs is a log that tests read while others write.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// rig is a server for tests and what surrounds it.
type rig struct {
	*httpserver.Server
	clock *clock.Fake
	log   *logs
}

// graphql makes the handler behind /graphql.
func graphql(h http.HandlerFunc) func(*httpserver.Options) {
	return func(o *httpserver.Options) { o.GraphQL = h }
}

func options(with ...func(*httpserver.Options)) (httpserver.Options, *rig) {
	g := &rig{clock: clock.NewFake(start), log: &logs{}}
	o := httpserver.Options{
		GraphQL:           http.HandlerFunc(emptyData),
		Schema:            func() string { return "type Query { é: Int }" },
		Ready:             func() error { return nil },
		Authenticate:      authenticate,
		Registry:          prometheus.NewRegistry(),
		CORSOrigins:       []string{appOrigin},
		TrustedProxies:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		RequestsPerMinute: 100,
		Clock:             g.clock,
		Log:               slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range with {
		f(&o)
	}
	return o, g
}

func emptyData(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"data":{}}`)
}

func authenticate(_ context.Context, token string) (*access.Viewer, error) {
	switch token {
	case goodToken:
		return alice, nil
	case "away":
		return nil, fault.ErrUnavailable
	case "nobody":
		return nil, nil
	}
	return nil, fault.ErrUnauthenticated
}

func newRig(t *testing.T, with ...func(*httpserver.Options)) *rig {
	t.Helper()
	o, g := options(with...)
	s, err := httpserver.New(o)
	require.NoError(t, err)
	g.Server = s
	return g
}

// request makes a request; header values come in pairs.
func request(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "clinic.example"
	r.RemoteAddr = "192.0.2.10:5555"
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func (g *rig) serve(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return w.Result()
}

func (g *rig) do(method, target string, header ...string) *http.Response {
	return g.serve(request(method, target, header...))
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(text)
}

// lineOf returns the one line of the log that holds all the texts.
func (g *rig) lineOf(t *testing.T, texts ...string) string {
	t.Helper()
	var found []string
lines:
	for line := range strings.Lines(g.log.String()) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue lines
			}
		}
		found = append(found, line)
	}
	require.Len(t, found, 1, g.log.String())
	return found[0]
}
