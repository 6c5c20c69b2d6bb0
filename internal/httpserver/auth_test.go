package httpserver_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

const cookie = httpserver.SessionCookie + "="

func TestAuthentication(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		header  []string
		who     *access.Viewer
		failure error
	}{
		"nothing":                          {nil, nil, nil},
		"bearer":                           {[]string{"Authorization", "Bearer " + goodToken}, alice, nil},
		"bearer in any case":               {[]string{"Authorization", "bEARER  " + goodToken}, alice, nil},
		"cookie":                           {[]string{"Cookie", cookie + goodToken}, alice, nil},
		"bearer before cookie":             {[]string{"Authorization", "Bearer " + goodToken, "Cookie", cookie + "bad"}, alice, nil},
		"a bad bearer is not helped":       {[]string{"Authorization", "Bearer bad", "Cookie", cookie + goodToken}, nil, fault.ErrUnauthenticated},
		"an empty bearer":                  {[]string{"Authorization", "Bearer"}, nil, fault.ErrUnauthenticated},
		"a bad cookie":                     {[]string{"Cookie", cookie + "bad"}, nil, fault.ErrUnauthenticated},
		"an empty cookie":                  {[]string{"Cookie", cookie}, nil, nil},
		"another scheme is for a proxy":    {[]string{"Authorization", "Basic abc", "Cookie", cookie + goodToken}, alice, nil},
		"the database is away":             {[]string{"Authorization", "Bearer away"}, nil, fault.ErrUnavailable},
		"nobody and no error":              {[]string{"Authorization", "Bearer nobody"}, nil, fault.ErrUnauthenticated},
		"a websocket's header":             {[]string{"Authorization", "Bearer " + goodToken, "Upgrade", "websocket"}, nil, nil},
		"a websocket's cookie":             {[]string{"Cookie", cookie + goodToken, "Upgrade", "WebSocket"}, alice, nil},
		"an upgrade to something else":     {[]string{"Authorization", "Bearer " + goodToken, "Upgrade", "h2c"}, alice, nil},
		"a token in the URL is not looked": {[]string{"X-Token", goodToken}, nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var who, after *access.Viewer
			var failure error
			g := newRig(t, graphql(func(_ http.ResponseWriter, r *http.Request) {
				who, failure = access.From(r.Context()), access.Failure(r.Context())
				access.Become(r.Context(), alice)
				after = access.From(r.Context())
			}))
			require.Equal(t, 200, g.do("POST", "/graphql?access_token="+goodToken, tc.header...).StatusCode)
			require.Equal(t, tc.who, who)
			require.Equal(t, tc.failure, failure)
			require.Equal(t, alice, after, "a sign-in counts for the rest of its document")
		})
	}
}

// Probes and public pages ask nobody who they are, so that they need no database.
func TestAuthentication_OnlyWhereItMatters(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(o *httpserver.Options) {
		o.Authenticate = func(context.Context, string) (*access.Viewer, error) { panic("asked") }
	})
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/schema.graphql", "/explorer/favicon.svg"} {
		require.Equal(t, 200, g.do("GET", path, "Authorization", "Bearer x", "Origin", evilOrigin, "Cookie", cookie+"x").StatusCode, path)
	}
}

func TestForgery(t *testing.T) {
	t.Parallel()
	own := "https://clinic.example"
	cases := map[string]struct {
		method string
		header []string
		want   int
	}{
		"cookie, same origin":                   {"POST", []string{"Cookie", cookie + goodToken, "Sec-Fetch-Site", "same-origin", "Origin", own}, 200},
		"cookie, no browser":                    {"POST", []string{"Cookie", cookie + goodToken}, 200},
		"cookie, an origin on the list":         {"POST", []string{"Cookie", cookie + goodToken, "Sec-Fetch-Site", "cross-site", "Origin", appOrigin}, 200},
		"cookie, another site":                  {"POST", []string{"Cookie", cookie + goodToken, "Sec-Fetch-Site", "cross-site", "Origin", evilOrigin}, 403},
		"cookie, another site, old browser":     {"POST", []string{"Cookie", cookie + goodToken, "Origin", evilOrigin}, 403},
		"cookie, a sibling's page":              {"POST", []string{"Cookie", cookie + goodToken, "Sec-Fetch-Site", "same-site", "Origin", "https://blog.clinic.example"}, 403},
		"cookie, a sandboxed frame":             {"POST", []string{"Cookie", cookie + goodToken, "Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403},
		"cookie, DELETE":                        {"DELETE", []string{"Cookie", cookie + goodToken, "Origin", evilOrigin}, 403},
		"bearer, another site":                  {"POST", []string{"Authorization", "Bearer " + goodToken, "Origin", evilOrigin, "Cookie", cookie + goodToken}, 200},
		"no cookie, another site":               {"POST", []string{"Origin", evilOrigin}, 200},
		"event stream, same origin":             {"GET", []string{"Cookie", cookie + goodToken, "Accept", "text/event-stream", "Sec-Fetch-Site", "same-origin"}, 200},
		"event stream, an origin on the list":   {"GET", []string{"Cookie", cookie + goodToken, "Accept", "text/event-stream", "Sec-Fetch-Site", "cross-site", "Origin", appOrigin}, 200},
		"event stream, another site":            {"GET", []string{"Cookie", cookie + goodToken, "Accept", "text/event-stream", "Sec-Fetch-Site", "cross-site", "Origin", evilOrigin}, 403},
		"websocket, own origin":                 {"GET", []string{"Cookie", cookie + goodToken, "Upgrade", "websocket", "Origin", own}, 200},
		"websocket, an origin on the list":      {"GET", []string{"Cookie", cookie + goodToken, "Upgrade", "websocket", "Origin", appOrigin}, 200},
		"websocket, another site":               {"GET", []string{"Cookie", cookie + goodToken, "Upgrade", "websocket", "Origin", evilOrigin}, 403},
		"websocket without cookie, another one": {"GET", []string{"Upgrade", "websocket", "Origin", evilOrigin}, 403},
		"websocket of a program":                {"GET", []string{"Upgrade", "websocket"}, 200},
		"a link from another site":              {"GET", []string{"Cookie", cookie + goodToken, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := false
			g := newRig(t, graphql(func(http.ResponseWriter, *http.Request) { called = true }))
			got := g.do(tc.method, "/graphql", tc.header...)
			require.Equal(t, tc.want, got.StatusCode)
			require.Equal(t, tc.want == 200, called)
			if tc.want == 403 {
				require.Contains(t, bodyOf(t, got), `"code":"FORBIDDEN"`)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	preflight := func(origin, method, header string) *http.Response {
		return g.do("OPTIONS", "/graphql", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", header)
	}
	for _, header := range []string{"authorization", "content-type", "x-caregraph-client", "x-caregraph-background", "apollo-require-preflight",
		"idempotency-key", "last-event-id", "authorization,content-type"} {
		got := preflight(appOrigin, "POST", header)
		require.Equal(t, 204, got.StatusCode, header)
		require.Equal(t, appOrigin, got.Header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "true", got.Header.Get("Access-Control-Allow-Credentials"))
		require.Contains(t, got.Header.Get("Access-Control-Allow-Headers"), strings.Split(header, ",")[0])
	}
	for name, got := range map[string]*http.Response{
		"another origin": preflight(evilOrigin, "POST", "content-type"),
		"null":           preflight("null", "POST", "content-type"),
		"a longer name":  preflight(appOrigin+".evil.example", "POST", "content-type"),
	} {
		require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"), name)
		require.Empty(t, got.Header.Get("Access-Control-Allow-Credentials"), name)
	}
	require.Empty(t, preflight(appOrigin, "POST", "x-other").Header.Get("Access-Control-Allow-Headers"))
	require.Empty(t, preflight(appOrigin, "DELETE", "").Header.Get("Access-Control-Allow-Methods"))

	got := g.do("POST", "/graphql", "Origin", appOrigin)
	require.Equal(t, appOrigin, got.Header.Get("Access-Control-Allow-Origin"))
	require.ElementsMatch(t, []string{"retry-after", "x-request-id"}, strings.Split(strings.ToLower(got.Header.Get("Access-Control-Expose-Headers")), ","))
	require.Contains(t, got.Header.Values("Vary"), "Origin")
	require.Empty(t, g.do("POST", "/graphql", "Origin", evilOrigin).Header.Get("Access-Control-Allow-Origin"))

	none := newRig(t, func(o *httpserver.Options) { o.CORSOrigins = nil })
	require.Empty(t, none.do("POST", "/graphql", "Origin", appOrigin).Header.Get("Access-Control-Allow-Origin"))
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	answer := func(t *testing.T, h http.HandlerFunc, header ...string) *http.Response {
		t.Helper()
		return newRig(t, graphql(h)).do("POST", "/graphql", header...)
	}
	t.Run("set before the first byte", func(t *testing.T) {
		t.Parallel()
		got := answer(t, func(w http.ResponseWriter, r *http.Request) {
			require.True(t, httpserver.SetSessionCookie(r.Context(), "first"))
			require.True(t, httpserver.SetSessionCookie(r.Context(), "ey.J0-_x"))
			_, _ = w.Write([]byte("{}"))
			require.False(t, httpserver.SetSessionCookie(r.Context(), "late"))
			require.False(t, httpserver.ClearSessionCookie(r.Context()))
		})
		require.Equal(t, []string{"caregraph_session=ey.J0-_x; Path=/; HttpOnly; SameSite=Lax"}, got.Header.Values("Set-Cookie"))
	})
	t.Run("set without a body", func(t *testing.T) {
		t.Parallel()
		got := answer(t, func(_ http.ResponseWriter, r *http.Request) { httpserver.SetSessionCookie(r.Context(), "tok") })
		require.Len(t, got.Cookies(), 1)
	})
	t.Run("set with compression", func(t *testing.T) {
		t.Parallel()
		got := answer(t, func(w http.ResponseWriter, r *http.Request) {
			httpserver.SetSessionCookie(r.Context(), "tok")
			_, _ = w.Write([]byte(strings.Repeat("text ", 1000)))
		}, "Accept-Encoding", "gzip")
		require.Equal(t, "gzip", got.Header.Get("Content-Encoding"))
		require.Len(t, got.Cookies(), 1)
	})
	t.Run("cleared", func(t *testing.T) {
		t.Parallel()
		got := answer(t, func(_ http.ResponseWriter, r *http.Request) {
			require.True(t, httpserver.ClearSessionCookie(r.Context()))
		})
		require.Equal(t, []string{"caregraph_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"}, got.Header.Values("Set-Cookie"))
	})
	for name, token := range map[string]string{"a line break": "a\r\nX-Evil: 1", "a semicolon": "a; Domain=evil.example", "not ASCII": "ä"} {
		t.Run("no injection by "+name, func(t *testing.T) {
			t.Parallel()
			got := answer(t, func(_ http.ResponseWriter, r *http.Request) {
				require.False(t, httpserver.SetSessionCookie(r.Context(), token))
			})
			require.Empty(t, got.Header.Values("Set-Cookie"))
			require.Empty(t, got.Header.Get("X-Evil"))
		})
	}
}
