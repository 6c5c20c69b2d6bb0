package httpserver_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/httpserver"
)

func TestAccessLog(t *testing.T) {
	t.Parallel()
	g := newRig(t, graphql(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "twelve bytes")
	}))
	r := request("POST", "/graphql?token=query-secret", "Authorization", "Bearer "+goodToken, "Cookie", cookie+"cookie-secret", "X-Api-Key", "header-secret")
	r.Body = io.NopCloser(strings.NewReader("body-secret"))
	got := g.serve(r)

	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(g.lineOf(t, `"msg":"request"`)), &line))
	require.GreaterOrEqual(t, line["duration_ms"], 0.0)
	delete(line, "duration_ms")
	delete(line, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "path": "/graphql", "status": 418.0, "bytes": 12.0,
		"request_id": got.Header.Get("X-Request-Id"), "user_id": alice.UserID.String(), "session_id": alice.SessionID.String(),
	}, line)
}

func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	g := newRig(t, graphql(func(_ http.ResponseWriter, r *http.Request) {
		httpserver.SetSessionCookie(r.Context(), "issued-secret")
		panic("boom")
	}))
	for _, header := range [][]string{
		{"Authorization", "Bearer header-secret"}, {"Cookie", cookie + "cookie-secret"}, {"Cookie", cookie + "cookie-secret", "Origin", evilOrigin},
	} {
		r := request("POST", "/graphql?token=query-secret", header...)
		r.Body = io.NopCloser(strings.NewReader("body-secret"))
		g.serve(r)
	}
	g.do("GET", "/nothing?token=query-secret")
	require.Contains(t, g.log.String(), "boom")
	require.NotContains(t, g.log.String(), "secret")
}

func TestAccessLog_Levels(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	for path, level := range map[string]string{"/healthz": "DEBUG", "/readyz": "DEBUG", "/metrics": "DEBUG", "/schema.graphql": "INFO", "/none": "INFO"} {
		g.do("GET", path)
		g.lineOf(t, `"path":"`+path+`"`, `"level":"`+level+`"`)
	}
	g.do("GET", "/"+strings.Repeat("x", 5000))
	require.Less(t, len(g.lineOf(t, "xxxx")), 500)
	g.do("GET", "/a%0ab%22c")
	g.lineOf(t, `"path":"/a\nb\"c"`)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	g := newRig(t, graphql(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "PUT" {
			panic("boom")
		}
		emptyData(w, r)
	}))
	g.do("POST", "/graphql")
	g.do("POST", "/graphql")
	g.do("PUT", "/graphql")
	g.do("GET", "/graphql", "Accept", "text/event-stream")
	g.do("GET", "/chosen-by-the-client")
	text := bodyOf(t, g.do("GET", "/metrics"))
	for _, want := range []string{
		`caregraph_http_requests_total{route="/graphql",status="200"} 3`,
		`caregraph_http_requests_total{route="/graphql",status="500"} 1`,
		`caregraph_http_requests_total{route="other",status="404"} 1`,
		`caregraph_http_request_duration_seconds_count{route="/graphql"} 3`,
		`caregraph_http_requests_in_flight 1`,
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "chosen-by-the-client")
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	g := newRig(t, graphql(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "PUT" {
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, `{"data":{"half":`)
		}
		panic("the reason")
	}))
	for _, encoding := range []string{"identity", "gzip"} {
		got := g.do("POST", "/graphql", "Accept-Encoding", encoding, "Origin", appOrigin)
		require.Equal(t, 500, got.StatusCode)
		require.Equal(t, appOrigin, got.Header.Get("Access-Control-Allow-Origin"), "a browser may read it")
		require.JSONEq(t, `{"errors":[{"message":"Something went wrong on our side.","extensions":{"code":"INTERNAL","requestId":"`+
			got.Header.Get("X-Request-Id")+`"}}]}`, bodyOf(t, got))
		g.lineOf(t, `"panic":"the reason"`, got.Header.Get("X-Request-Id"))
		g.lineOf(t, `"status":500`, got.Header.Get("X-Request-Id"))
	}

	server := httptest.NewServer(g.Handler())
	defer server.Close()
	for _, encoding := range []string{"identity", "gzip"} {
		r, err := http.NewRequestWithContext(t.Context(), "PUT", server.URL+"/graphql", nil)
		require.NoError(t, err)
		r.Header.Set("Accept-Encoding", encoding)
		got, err := server.Client().Do(r)
		if err == nil {
			_, err = io.ReadAll(got.Body)
			require.NoError(t, got.Body.Close())
		}
		require.Error(t, err, "half an answer is not taken for a whole one")
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`{"name":"value"},`, 500)
	g := newRig(t, graphql(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == "GET" {
			_, _ = io.WriteString(w, "short")
			return
		}
		_, _ = io.WriteString(w, long)
	}))
	got := g.do("POST", "/graphql", "Accept-Encoding", "gzip, zstd, br")
	require.Equal(t, "gzip", got.Header.Get("Content-Encoding"))
	unzipped, err := gzip.NewReader(bytes.NewReader([]byte(bodyOf(t, got))))
	require.NoError(t, err)
	text, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	require.Equal(t, long, string(text))

	require.Empty(t, g.do("GET", "/graphql", "Accept-Encoding", "gzip").Header.Get("Content-Encoding"), "a small answer")
	require.Empty(t, g.do("POST", "/graphql").Header.Get("Content-Encoding"), "not asked for")
	require.Empty(t, g.do("POST", "/graphql", "Accept-Encoding", "gzip", "Accept", "text/event-stream").Header.Get("Content-Encoding"), "a stream")
}
