package transport

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// client is a websocket client.
type client struct {
	t    testing.TB
	conn *websocket.Conn
}

func (k *kit) dial(protocols []string, header http.Header) *client {
	k.t.Helper()
	dialer := websocket.Dialer{Subprotocols: protocols, NetDial: func(network, address string) (net.Conn, error) {
		conn, err := net.Dial(network, address)
		if err == nil {
			_ = conn.(*net.TCPConn).SetReadBuffer(8 << 10)
		}
		return conn, err
	}}
	conn, response, err := dialer.Dial("ws"+strings.TrimPrefix(k.server.URL, "http"), header)
	require.NoError(k.t, err)
	_ = response.Body.Close()
	k.t.Cleanup(func() { _ = conn.Close() })
	return &client{t: k.t, conn: conn}
}

func (k *kit) connect() *client { return k.dial([]string{subprotocol}, nil) }

// signedIn returns a client that is.
func (k *kit) signedIn(token string) *client {
	c := k.connect()
	c.send(`{"type":"connection_init","payload":{"authorization":"Bearer ` + token + `"}}`)
	c.is("connection_ack", "")
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	require.NoError(c.t, c.conn.WriteMessage(websocket.TextMessage, []byte(text)))
}

func (c *client) subscribe(id, query string) {
	c.t.Helper()
	payload, _ := json.Marshal(map[string]any{"query": query})
	c.send(`{"id":"` + id + `","type":"subscribe","payload":` + string(payload) + `}`)
}

const patience = 10 * time.Second

func (c *client) read() (string, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience)) //nolint:forbidigo // the network's
	_, text, err := c.conn.ReadMessage()
	return string(text), err
}

// is reads a message and returns its payload.
func (c *client) is(kind, id string) string {
	c.t.Helper()
	text, err := c.read()
	require.NoError(c.t, err)
	var m struct {
		ID, Type string
		Payload  json.RawMessage
	}
	require.NoError(c.t, json.Unmarshal([]byte(text), &m), text)
	require.Equal(c.t, kind, m.Type, text)
	require.Equal(c.t, id, m.ID, text)
	return string(m.Payload)
}

// isClosed reads the close frame and ends the connection.
func (c *client) isClosed(code int, reason string) {
	c.t.Helper()
	text, err := c.read()
	var closed *websocket.CloseError
	require.ErrorAs(c.t, err, &closed, text)
	require.Equal(c.t, code, closed.Code)
	if reason != "" {
		require.Equal(c.t, reason, closed.Text)
	}
}

// isQuiet proves that nothing was sent: the answer to a ping comes first.
func (c *client) isQuiet() {
	c.t.Helper()
	c.send(`{"type":"ping"}`)
	c.is("pong", "")
}

func (k *kit) eventually(holds func() bool, what string) {
	k.t.Helper()
	require.Eventually(k.t, holds, patience, 2*time.Millisecond, what)
}
