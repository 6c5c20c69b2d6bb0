package wsclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit/wsclient"
)

// scripted starts a server that acknowledges every connection and then lets the script answer each message of the client.
func scripted(t *testing.T, script func(ws *websocket.Conn, m wsclient.Message)) (url string) {
	t.Helper()
	upgrader := websocket.Upgrader{Subprotocols: []string{wsclient.Subprotocol}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/graphql" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.Header.Get("Origin") == "https://elsewhere.test" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		for {
			var m wsclient.Message
			if ws.ReadJSON(&m) != nil {
				return
			}
			if m.Type == "connection_init" {
				say(ws, wsclient.Message{Type: "ping"})
				say(ws, wsclient.Message{Type: "connection_ack", Payload: []byte(`{"got": ` + string(orNull(m.Payload)) + `}`)})
				continue
			}
			if m.Type != "pong" {
				script(ws, m)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func orNull(b []byte) []byte {
	if len(b) == 0 {
		return []byte("null")
	}
	return b
}

func say(ws *websocket.Conn, m wsclient.Message) { _ = ws.WriteJSON(m) }

func dial(t *testing.T, url string, opts wsclient.Options) *wsclient.Conn {
	t.Helper()
	c, err := wsclient.Dial(soon(t), url, opts)
	require.NoError(t, err)
	t.Cleanup(c.Drop)
	return c
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// echo answers each operation once with its own payload and completes it.
func echo(ws *websocket.Conn, m wsclient.Message) {
	if m.Type == "subscribe" {
		say(ws, wsclient.Message{ID: m.ID, Type: "next", Payload: []byte(`{"data": ` + string(m.Payload) + `}`)})
		say(ws, wsclient.Message{ID: m.ID, Type: "complete"})
	}
}

func TestDial_SendsTheTokenAndReadsTheAck(t *testing.T) {
	t.Parallel()
	url := scripted(t, echo)
	require.Equal(t, "Bearer secret", dial(t, url, wsclient.Options{Token: "secret"}).Ack.Text("got.authorization"))
	require.Nil(t, dial(t, url, wsclient.Options{}).Ack.Get("got"))
}

func TestDial_Refused(t *testing.T) {
	t.Parallel()
	_, err := wsclient.Dial(soon(t), scripted(t, echo), wsclient.Options{Header: http.Header{"Origin": {"https://elsewhere.test"}}})
	var refused *wsclient.Refused
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusForbidden, refused.Status)
}

func TestDo(t *testing.T) {
	t.Parallel()
	c := dial(t, scripted(t, echo), wsclient.Options{})
	for range 3 {
		a, err := c.Do(soon(t), "{ a }", map[string]any{"n": 1})
		require.NoError(t, err)
		require.Equal(t, "{ a }", a.Text("query"))
		require.Equal(t, 1, a.Int("variables.n"))
	}
	require.NoError(t, c.Close())
	_, err := c.Do(soon(t), "{ a }", nil)
	require.Error(t, err)
}

func TestDo_AnErrorIsAnAnswerWithFaults(t *testing.T) {
	t.Parallel()
	c := dial(t, scripted(t, func(ws *websocket.Conn, m wsclient.Message) {
		say(ws, wsclient.Message{ID: m.ID, Type: "error", Payload: []byte(`[{"message": "no", "extensions": {"code": "NOT_FOUND"}}]`)})
	}), wsclient.Options{})
	a, err := c.Do(soon(t), "{ a }", nil)
	require.NoError(t, err)
	require.Equal(t, "NOT_FOUND", a.Code())
}

func TestSubscription_EndsAsTheServerSays(t *testing.T) {
	t.Parallel()
	ends := map[string]wsclient.Message{"complete": {Type: "complete"}, "error": {Type: "error", Payload: []byte(`[{"message": "slow", "extensions": {"code": "SLOW_CONSUMER"}}]`)}}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, scripted(t, func(ws *websocket.Conn, m wsclient.Message) {
				say(ws, wsclient.Message{ID: m.ID, Type: "next", Payload: []byte(`{"data": {"n": 1}}`)})
				end.ID = m.ID
				say(ws, end)
			}), wsclient.Options{})
			s, err := c.Subscribe("subscription { n }", nil)
			require.NoError(t, err)
			a, err := s.Next(soon(t))
			require.NoError(t, err)
			require.Equal(t, 1, a.Int("n"))
			_, err = s.Next(soon(t))
			if name == "complete" {
				require.ErrorIs(t, err, io.EOF)
				return
			}
			faults, ok := errors.AsType[wsclient.ErrFaults](err)
			require.True(t, ok)
			require.Equal(t, "SLOW_CONSUMER", faults.Code())
		})
	}
}

func TestSubscription_StopSaysCompleteAndForgivesWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	stopped := make(chan string, 1)
	c := dial(t, scripted(t, func(ws *websocket.Conn, m wsclient.Message) {
		if m.Type == "complete" {
			say(ws, wsclient.Message{ID: m.ID, Type: "next", Payload: []byte(`{"data": {}}`)})
			stopped <- m.ID
			return
		}
		if m.ID != "1" {
			echo(ws, m)
		}
	}), wsclient.Options{})
	s, err := c.Subscribe("subscription { n }", nil)
	require.NoError(t, err)
	require.NoError(t, s.Stop())
	require.NoError(t, s.Stop())
	require.Equal(t, "1", <-stopped)
	_, err = s.Next(soon(t))
	require.ErrorIs(t, err, wsclient.ErrStopped)
	_, err = c.Do(soon(t), "{ a }", nil)
	require.NoError(t, err, "the connection is good")
}

// TestConn_MistakesOfTheServerEndTheConnection: what follows an end, and what nobody asked for.
func TestConn_MistakesOfTheServerEndTheConnection(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]wsclient.Message{
		"next after complete": {ID: "1", Type: "next", Payload: []byte(`{"data": {}}`)}, "complete after complete": {ID: "1", Type: "complete"},
		"unknown operation": {ID: "7", Type: "next", Payload: []byte(`{"data": {}}`)}, "unknown message": {Type: "ka"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, scripted(t, func(ws *websocket.Conn, m wsclient.Message) {
				echo(ws, m)
				say(ws, wrong)
			}), wsclient.Options{})
			_, err := c.Do(soon(t), "{ a }", nil)
			require.NoError(t, err)
			require.Error(t, c.Err())
			require.Zero(t, wsclient.CloseCode(c.Err()))
		})
	}
}

func TestConn_SeesTheCloseCode(t *testing.T) {
	t.Parallel()
	c := dial(t, scripted(t, func(ws *websocket.Conn, _ wsclient.Message) {
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4401, "Unauthorized"), time.Time{})
	}), wsclient.Options{})
	s, err := c.Subscribe("subscription { n }", nil)
	require.NoError(t, err)
	_, err = s.Next(soon(t))
	require.Equal(t, 4401, wsclient.CloseCode(err))
	require.Equal(t, 4401, wsclient.CloseCode(c.Err()))
}

// TestConn_ClosesThoughTheServerWasFaster: the goodbye of one side and the end by the other cross.
func TestConn_ClosesThoughTheServerWasFaster(t *testing.T) {
	t.Parallel()
	c := dial(t, scripted(t, func(ws *websocket.Conn, _ wsclient.Message) {
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Time{})
	}), wsclient.Options{})
	_, err := c.Subscribe("subscription { n }", nil)
	require.NoError(t, err)
	require.Equal(t, websocket.CloseNormalClosure, wsclient.CloseCode(c.Err()))
	require.NoError(t, c.Close())
}

// TestConn_DropsThoughNobodyReadsItsEvents.
func TestConn_DropsThoughNobodyReadsItsEvents(t *testing.T) {
	t.Parallel()
	c := dial(t, scripted(t, func(ws *websocket.Conn, m wsclient.Message) {
		for range 1000 {
			say(ws, wsclient.Message{ID: m.ID, Type: "next", Payload: []byte(`{"data": {}}`)})
		}
	}), wsclient.Options{})
	_, err := c.Subscribe("subscription { n }", nil)
	require.NoError(t, err)
	c.Drop()
	require.Error(t, c.Err())
}
