// Package wsclient speaks graphql-transport-ws with a running server. Raw sends and reads single messages, for tests of the protocol; Conn carries operations, one
// goroutine reading for all of them. Neither needs a test, so programs that tests start use them too.
package wsclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/clock"
)

// Subprotocol is the only one that the server speaks.
const Subprotocol = "graphql-transport-ws"

// writeTime bounds one write: a server that does not read any more must not hold its client for ever.
const writeTime = 10 * time.Second

// Options say how to dial.
type Options struct {
	// Token is sent as bearer in connection_init, when not empty.
	Token string
	// Header is that of the HTTP request, as for a cookie or an Origin.
	Header http.Header
	// Subprotocols are offered instead of the usual one; an empty, non-nil list offers none.
	Subprotocols []string
	// ReadBuffer is the size of the kernel's receive buffer, so that a reader that stops is felt early; 0 = the system's.
	ReadBuffer int
}

// Message is one message of the protocol.
type Message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Refused is the answer of a server that did not make a websocket of the request.
type Refused struct{ Status int }

// Error implements error.
func (r *Refused) Error() string { return fmt.Sprintf("the server answered HTTP %d", r.Status) }

// Raw is a websocket on which the caller does what it likes. One goroutine may read and others write.
type Raw struct {
	ws *websocket.Conn
	mu sync.Mutex // of writes
}

// DialRaw opens a websocket with the server whose base or endpoint URL is given (http or ws), without connection_init. The error is a *Refused when the server answered.
func DialRaw(ctx context.Context, url string, opts Options) (*Raw, error) {
	dialer := websocket.Dialer{Subprotocols: opts.Subprotocols, HandshakeTimeout: writeTime, NetDialContext: opts.dial}
	if opts.Subprotocols == nil {
		dialer.Subprotocols = []string{Subprotocol}
	}
	ws, answer, err := dialer.DialContext(ctx, Endpoint(url), opts.Header)
	if err != nil {
		if answer != nil {
			_ = answer.Body.Close()
			return nil, &Refused{answer.StatusCode}
		}
		return nil, err
	}
	return &Raw{ws: ws}, nil
}

func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok && o.ReadBuffer > 0 {
		err = errors.Join(err, tcp.SetReadBuffer(o.ReadBuffer))
	}
	return conn, err
}

// Endpoint returns the websocket's address for a server's base URL, http or ws.
func Endpoint(url string) string {
	url = strings.TrimSuffix(strings.TrimSuffix(url, "/"), "/graphql") + "/graphql"
	if rest, ok := strings.CutPrefix(url, "http"); ok {
		return "ws" + rest
	}
	return url
}

// Protocol returns the subprotocol that the server chose.
func (r *Raw) Protocol() string { return r.ws.Subprotocol() }

// WS is the websocket itself, for frames that a client should not send.
func (r *Raw) WS() *websocket.Conn { return r.ws }

// Send writes a message.
func (r *Raw) Send(m Message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return r.SendFrame(websocket.TextMessage, text)
}

// SendFrame writes a frame of the given type as it is.
func (r *Raw) SendFrame(kind int, content []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.ws.SetWriteDeadline(clock.System{}.Now().Add(writeTime)) // an error shows in the write
	return r.ws.WriteMessage(kind, content)
}

// Init sends connection_init, with the token when it is not empty.
func (r *Raw) Init(token string) error {
	m := Message{Type: "connection_init"}
	if token != "" {
		m.Payload = payload(map[string]any{"authorization": "Bearer " + token})
	}
	return r.Send(m)
}

// Subscribe sends a subscribe message. vars may be nil.
func (r *Raw) Subscribe(id, query string, vars map[string]any) error {
	return r.Send(Message{ID: id, Type: "subscribe", Payload: payload(map[string]any{"query": query, "variables": vars})})
}

// Read returns the next message, whatever it is. It waits at most for within; 0 = for ever. After an error nothing more can be read. The error is a
// *websocket.CloseError when the server has closed: see CloseCode.
func (r *Raw) Read(within time.Duration) (Message, error) {
	var deadline time.Time
	if within > 0 {
		deadline = clock.System{}.Now().Add(within)
	}
	if err := r.ws.SetReadDeadline(deadline); err != nil {
		return Message{}, err
	}
	_, text, err := r.ws.ReadMessage()
	if err != nil {
		return Message{}, err
	}
	var m Message
	if err := json.Unmarshal(text, &m); err != nil {
		return Message{}, fmt.Errorf("not a message of the protocol: %q: %w", text, err)
	}
	return m, nil
}

// Close says goodbye with the code and ends the connection without waiting for the server's own. A connection that is over is left as it is: whoever reads from it
// may have seen the server's answer, and ended it, between the two.
func (r *Raw) Close(code int) error {
	said := r.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), clock.System{}.Now().Add(time.Second))
	return errors.Join(unlessOver(said), r.Drop())
}

// Drop ends the connection without a word, as a network does.
func (r *Raw) Drop() error { return unlessOver(r.ws.Close()) }

func unlessOver(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// CloseCode returns the code with which the server closed, or 0 when err tells of something else.
func CloseCode(err error) int {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return closed.Code
	}
	return 0
}

// payload marshals what the package itself makes up or a caller's variables; what JSON cannot say is the caller's mistake.
func payload(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
