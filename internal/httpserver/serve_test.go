package httpserver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/httpserver"
)

func TestServe_AStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	entered, release, told := make(chan struct{}), make(chan struct{}), make(chan struct{})
	l := listen(t)
	url := "http://" + l.Addr().String()
	s := run(t, l, nil, graphql(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		if r.Context().Err() == nil {
			_, _ = io.WriteString(w, "whole")
		}
	}), func(o *httpserver.Options) {
		o.OnStop = func(ctx context.Context) {
			_, hasDeadline := ctx.Deadline()
			require.True(t, hasDeadline)
			close(told)
		}
	})
	text, err := s.get(url + "/readyz")
	require.NoError(t, err)
	require.Equal(t, "200 ready\n", text)

	slow := s.getLater(url + "/graphql")
	<-entered
	s.stop()
	<-told
	got := s.do("GET", "/readyz")
	require.Equal(t, 503, got.StatusCode, "readiness is off")
	require.Contains(t, bodyOf(t, got), `"code":"STOPPING"`)
	require.Equal(t, 200, s.do("GET", "/healthz").StatusCode)

	close(release)
	answered := <-slow
	require.NoError(t, answered.err)
	require.Equal(t, "200 whole", answered.text)
	require.NoError(t, <-s.ended)
	_, err = s.get(url + "/healthz")
	require.Error(t, err, "nobody listens any more")
}

func TestServe_AStopCutsOffAfter15Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		entered, unblock := make(chan struct{}), make(chan struct{})
		l := newPipes()
		s := run(t, l, l.dial, graphql(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done() // it would take for ever
			require.ErrorIs(t, r.Context().Err(), context.Canceled)
		}), func(o *httpserver.Options) {
			o.OnStop = func(context.Context) { <-unblock } // and so would this
		})
		slow := s.getLater("http://clinic.example/graphql")
		<-entered
		stopped := time.Now() //nolint:forbidigo // the bubble's time
		s.stop()
		require.NoError(t, <-s.ended)
		require.Equal(t, 15*time.Second, time.Since(stopped)) //nolint:forbidigo // the bubble's time
		require.Error(t, (<-slow).err)
		s.lineOf(t, "requests were cut off")
		close(unblock)
	})
}

func TestServe_AStopTellsStreams(t *testing.T) {
	t.Parallel()
	opened := make(chan struct{})
	l := listen(t)
	s := run(t, l, nil, graphql(func(w http.ResponseWriter, r *http.Request) {
		close(opened)
		<-httpserver.Stopping(r.Context())
		_, _ = io.WriteString(w, "event: complete\n\n")
	}))
	stream := s.getLater("http://" + l.Addr().String() + "/graphql")
	<-opened
	s.stop()
	got := <-stream
	require.NoError(t, got.err)
	require.Equal(t, "200 event: complete\n\n", got.text)
	require.NoError(t, <-s.ended)
}

func TestServe_TheListenerFails(t *testing.T) {
	t.Parallel()
	l := newPipes()
	s := run(t, l, l.dial)
	require.NoError(t, l.Close())
	require.ErrorIs(t, <-s.ended, net.ErrClosed)
}

func TestServe_HeadersAreBounded(t *testing.T) {
	t.Parallel()
	l := listen(t)
	s := run(t, l, nil)
	url := "http://" + l.Addr().String() + "/healthz"
	text, err := s.get(url, "X-Large", strings.Repeat("x", 30<<10))
	require.NoError(t, err)
	require.Equal(t, "200 ok\n", text)
	text, err = s.get(url, "X-Huge", strings.Repeat("x", 64<<10))
	require.NoError(t, err)
	require.Contains(t, text, "431 ")
}

// A body that trickles in holds nobody up for longer than half a minute.
func TestServe_BodiesAreReadInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan error, 1)
		l := newPipes()
		run(t, l, l.dial, graphql(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			failed <- err
		}))
		conn, err := l.dial(t.Context(), "", "")
		require.NoError(t, err)
		begun := time.Now() //nolint:forbidigo // the bubble's time
		_, err = io.WriteString(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
		require.NoError(t, err)
		require.ErrorIs(t, <-failed, os.ErrDeadlineExceeded)
		require.Equal(t, 30*time.Second, time.Since(begun)) //nolint:forbidigo // the bubble's time
		require.NoError(t, conn.Close())
	})
}

// The deadline of the body does not end a request whose body was read, and the one of answers does not end a stream.
func TestServe_StreamsLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		s := run(t, l, l.dial, graphql(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			if r.Header.Get("Accept") == "" {
				_, _ = io.WriteString(w, "short")
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			for n := range 3 {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Minute):
				}
				_, _ = fmt.Fprintf(w, "data: %d\n\n", n)
				w.(http.Flusher).Flush()
			}
		}))
		post := func(accept string) *http.Response {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://clinic.example/graphql", strings.NewReader(`{"query":"x"}`))
			require.NoError(t, err)
			r.Header.Set("Accept", accept)
			r.Header.Set("Accept-Encoding", "gzip")
			if accept == "" {
				r.Header.Del("Accept")
			}
			got, err := s.client.Do(r)
			require.NoError(t, err)
			return got
		}
		got := post("") // leaves a write deadline on the connection
		require.Equal(t, "short", bodyOf(t, got))
		require.NoError(t, got.Body.Close())

		got = post("text/event-stream")
		lines := bufio.NewReader(got.Body)
		for n := range 3 {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("data: %d\n", n), line, "each event is sent as it comes")
			_, err = lines.ReadString('\n')
			require.NoError(t, err)
		}
		require.NoError(t, got.Body.Close())
		s.client.CloseIdleConnections()
		s.stop()
		require.NoError(t, <-s.ended)
	})
}

func TestServe_Websocket(t *testing.T) {
	t.Parallel()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	l := listen(t)
	s := run(t, l, nil, graphql(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		text := "cookie refused"
		if httpserver.SetSessionCookie(r.Context(), "tok") {
			text = "cookie set"
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte(text))
	}))
	conn, got, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+l.Addr().String()+"/graphql", http.Header{"Accept-Encoding": {"gzip"}, "Origin": {appOrigin}})
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, http.StatusSwitchingProtocols, got.StatusCode)
	_, message, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "cookie refused", string(message))

	_, got, err = websocket.DefaultDialer.DialContext(t.Context(), "ws://"+l.Addr().String()+"/graphql", http.Header{"Origin": {evilOrigin}})
	require.ErrorIs(t, err, websocket.ErrBadHandshake)
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	s.stop()
	require.NoError(t, <-s.ended)
	// A stop does not wait for a connection that left HTTP, and its line comes when its handler ends.
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), `"status":101`) }, 5*time.Second, time.Millisecond)
	s.lineOf(t, `"status":101`)
}

func TestServe_TLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	l := listen(t)
	s := run(t, l, nil, func(o *httpserver.Options) { o.TLSCert, o.TLSKey = cert, key },
		graphql(func(w http.ResponseWriter, r *http.Request) {
			httpserver.SetSessionCookie(r.Context(), "tok")
			_, _ = io.WriteString(w, r.Proto)
		}))
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+l.Addr().String()+"/graphql", nil)
	require.NoError(t, err)
	got, err := s.client.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Equal(t, "HTTP/2.0", bodyOf(t, got))
	require.NotEmpty(t, got.Header.Get("Strict-Transport-Security"))
	require.True(t, got.Cookies()[0].Secure)

	_, err = (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}).DialContext(t.Context(), "tcp", l.Addr().String())
	require.Error(t, err, "old versions are refused")
}
