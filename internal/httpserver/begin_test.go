package httpserver_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/httpserver"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		remote string
		given  string
		isKept bool
	}{
		"from a trusted proxy":                 {proxyAddr, "abc-123.DEF:456=_", true},
		"from anybody else":                    {"192.0.2.10:5555", "abc-12345678", false},
		"too short":                            {proxyAddr, "abc", false},
		"too long":                             {proxyAddr, strings.Repeat("a", 129), false},
		"with a line break":                    {proxyAddr, "abcdefgh\r\nSet-Cookie: a=b", false},
		"with a quote":                         {proxyAddr, `abcdefgh"`, false},
		"none":                                 {proxyAddr, "", false},
		"a proxy that maps IPv4 into IPv6":     {"[::ffff:10.1.1.1]:80", "abcdefgh", true},
		"a peer without an address of its own": {"@", "abcdefgh", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen string
			g := newRig(t, graphql(func(_ http.ResponseWriter, r *http.Request) { seen = httpserver.RequestID(r.Context()) }))
			r := request("GET", "/graphql")
			r.RemoteAddr = tc.remote
			r.Header["X-Request-Id"] = []string{tc.given}
			got := g.serve(r).Header.Values("X-Request-Id")
			require.Equal(t, []string{seen}, got, "the answer echoes what the handler saw")
			if tc.isKept {
				require.Equal(t, tc.given, seen)
				return
			}
			require.NotEqual(t, tc.given, seen)
			require.Regexp(t, `^[A-Z2-7]{26}$`, seen)
			require.NotEqual(t, got[0], g.serve(r).Header.Get("X-Request-Id"), "each request has its own")
		})
	}
	require.Empty(t, httpserver.RequestID(t.Context()))
	require.Nil(t, httpserver.Stopping(t.Context()))
	require.NoError(t, httpserver.Admit(t.Context()))
	require.False(t, httpserver.SetSessionCookie(t.Context(), "x"))
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"no proxy":                             {"192.0.2.10:5555", nil, "192.0.2.10"},
		"a header from nobody we trust":        {"192.0.2.10:5555", []string{"203.0.113.7"}, "192.0.2.10"},
		"behind a proxy":                       {proxyAddr, []string{"203.0.113.7"}, "203.0.113.7"},
		"the client's own lies stand left":     {proxyAddr, []string{"1.1.1.1, 10.0.0.1, 203.0.113.7"}, "203.0.113.7"},
		"the lies in a header of their own":    {proxyAddr, []string{"1.1.1.1", "203.0.113.7"}, "203.0.113.7"},
		"a chain of proxies":                   {proxyAddr, []string{"1.1.1.1, 203.0.113.7, 10.0.0.2, 10.0.0.3"}, "203.0.113.7"},
		"only proxies":                         {proxyAddr, []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		"nonsense next to the proxy":           {proxyAddr, []string{"203.0.113.7, unknown"}, "10.0.0.9"},
		"nonsense left of a proxy":             {proxyAddr, []string{"evil, 10.0.0.2"}, "10.0.0.2"},
		"empty":                                {proxyAddr, []string{""}, "10.0.0.9"},
		"with a port":                          {proxyAddr, []string{"203.0.113.7:1234"}, "203.0.113.7"},
		"IPv6":                                 {"[fd00::1]:80", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":                     {proxyAddr, []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		"IPv6 in brackets":                     {proxyAddr, []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv6 with a zone":                     {proxyAddr, []string{"fe80::1%eth0"}, "fe80::1"},
		"IPv4 in IPv6":                         {"[::ffff:10.0.0.9]:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"a peer without an address of its own": {"@", []string{"203.0.113.7"}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got, agent string
			g := newRig(t, func(o *httpserver.Options) {
				o.SetClient = func(ctx context.Context, ip, userAgent string) context.Context {
					got, agent = ip, userAgent
					return ctx
				}
			})
			r := request("GET", "/graphql", "User-Agent", "Probe\x01\xff/1 "+strings.Repeat("ä", 300))
			r.RemoteAddr = tc.remote
			r.Header["X-Forwarded-For"] = tc.forwarded
			g.serve(r)
			require.Equal(t, tc.want, got)
			require.Regexp(t, `^Probe\x{FFFD}/1 ä{100,}$`, agent, "as the store can keep it")
			require.LessOrEqual(t, len(agent), 300)
		})
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		remote, proto string
		isSecure      bool
	}{
		"plain":                       {proxyAddr, "", false},
		"TLS at a proxy":              {proxyAddr, "https", true},
		"TLS at the first of proxies": {proxyAddr, "HTTPS, http", true},
		"plain at a proxy":            {proxyAddr, "http", false},
		"a claim of nobody we trust":  {"192.0.2.10:5555", "https", false},
		"both at a proxy, http first": {proxyAddr, "http, https", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, graphql(func(_ http.ResponseWriter, r *http.Request) { httpserver.SetSessionCookie(r.Context(), "tok") }))
			r := request("POST", "/graphql", "X-Forwarded-Proto", tc.proto)
			r.RemoteAddr = tc.remote
			got := g.serve(r)
			require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "no-referrer", got.Header.Get("Referrer-Policy"))
			require.Equal(t, "DENY", got.Header.Get("X-Frame-Options"))
			require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			require.Contains(t, got.Header.Get("Content-Security-Policy"), "default-src 'none'")
			require.Equal(t, tc.isSecure, got.Header.Get("Strict-Transport-Security") != "")
			require.Equal(t, tc.isSecure, got.Cookies()[0].Secure)
		})
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(o *httpserver.Options) {
		o.Mounts = map[string]http.Handler{"/sandbox/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			_, _ = w.Write([]byte(r.URL.Path))
		})}
	})
	for target, want := range map[string]struct {
		status      int
		contentType string
		body        string
	}{
		"GET /":                        {200, "text/html; charset=utf-8", "<!doctype html"},
		"GET /explorer/favicon.svg":    {200, "image/svg+xml", "<svg"},
		"GET /explorer/none":           {404, "", ""},
		"GET /schema.graphql":          {200, "text/plain; charset=utf-8", "type Query { é: Int }"},
		"GET /healthz":                 {200, "text/plain; charset=utf-8", "ok"},
		"HEAD /healthz":                {200, "text/plain; charset=utf-8", ""},
		"GET /readyz":                  {200, "text/plain; charset=utf-8", "ready"},
		"GET /metrics":                 {200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "caregraph_http_requests_in_flight 1"},
		"POST /graphql":                {200, "application/json", `{"data":{}}`},
		"PUT /graphql":                 {200, "application/json", `{"data":{}}`}, // the GraphQL handler's own business
		"GET /sandbox/pay":             {200, "text/plain; charset=utf-8", "/sandbox/pay"},
		"GET /dev/mail":                {404, "", ""},
		"POST /webhooks/payments/test": {404, "", ""},
		"GET /nothing":                 {404, "", ""},
		"POST /healthz":                {405, "", ""},
		"GET /graphql/../.git/config":  {307, "", ""}, // cleaned, then not found
	} {
		method, path, _ := strings.Cut(target, " ")
		got := g.do(method, path)
		require.Equal(t, want.status, got.StatusCode, target)
		if want.status == 200 {
			require.Equal(t, want.contentType, got.Header.Get("Content-Type"), target)
			require.Contains(t, strings.ToLower(bodyOf(t, got)), strings.ToLower(want.body), target)
		}
	}
	require.Equal(t, "default-src 'self'", g.do("GET", "/sandbox/x").Header.Get("Content-Security-Policy"), "a page sets its own")
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	_, err := httpserver.New(httpserver.Options{})
	for _, name := range []string{"GraphQL", "Schema", "Ready", "Authenticate", "RequestsPerMinute", "Clock", "Log"} {
		require.ErrorContains(t, err, name+" is missing", "all at once")
	}
	for name, with := range map[string]func(*httpserver.Options){
		"any origin":         func(o *httpserver.Options) { o.CORSOrigins = []string{"*"} },
		"a pattern":          func(o *httpserver.Options) { o.CORSOrigins = []string{"https://*.clinic.example"} },
		"a public suffix":    func(o *httpserver.Options) { o.CORSOrigins = []string{"https://*.com"} },
		"plain HTTP":         func(o *httpserver.Options) { o.CORSOrigins = []string{"http://app.clinic.example"} },
		"the null origin":    func(o *httpserver.Options) { o.CORSOrigins = []string{"null"} },
		"a path":             func(o *httpserver.Options) { o.CORSOrigins = []string{"https://app.clinic.example/"} },
		"no such TLS files":  func(o *httpserver.Options) { o.TLSCert, o.TLSKey = "/none/cert.pem", "/none/key.pem" },
		"metrics registered": func(o *httpserver.Options) { _, err = httpserver.New(*o) },
	} {
		o, _ := options(with)
		_, err := httpserver.New(o)
		require.Error(t, err, name)
	}
}
