package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

var liveSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "live.graphql", Input: `
directive @sameForAll on FIELD_DEFINITION
type Query { echo(text: String): String who: String fail: String! refused: String hang: String requestId: String boom: String background: Boolean }
type Mutation { touch: String hang: String }
type Subscription { ticks(room: String, after: Int): Tick @sameForAll session: Tick own: Tick broken: Tick }
type Tick { n: Int @sameForAll text(prefix: String): String @sameForAll viewer: String }
`})

// kit is a server with sockets, its world, and what was observed.
type kit struct {
	t       testing.TB
	server  *httptest.Server
	sockets *Websocket
	options WebsocketOptions

	rooms   map[string]*fakeSource
	session *fakeSource
	hang    chan struct{} // ends what hangs
	hanging chan struct{}

	mu       sync.Mutex
	sessions []*fakeSession
	refuse   error // of sessions
	admit    error

	open, subscribed, executed, begun atomic.Int64
}

func newKit(t testing.TB, change ...func(*WebsocketOptions)) *kit {
	t.Helper()
	k := &kit{
		t: t, rooms: map[string]*fakeSource{"": newSource(true)}, session: newSource(false),
		hang: make(chan struct{}), hanging: make(chan struct{}, 200),
	}
	k.session.isOfSession = true
	k.options = WebsocketOptions{
		Options: Options{RequestID: func(ctx context.Context) string { id, _ := ctx.Value(idKey{}).(string); return id }, MaxBody: 4096},
		Detach: func(_ context.Context, id string) context.Context {
			return context.WithValue(context.Background(), idKey{}, id)
		},
		Authenticate: authenticate, OpenSession: k.openSession,
		Admit:   func(context.Context) error { k.mu.Lock(); defer k.mu.Unlock(); return k.admit },
		Begin:   func(ctx context.Context) context.Context { k.begun.Add(1); return ctx },
		Cursor:  func(e *stream.Event) string { return "at " + strconv.FormatInt(e.Position, 10) },
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Log:     slog.New(slog.DiscardHandler),
		Sockets: func(n int) { k.open.Add(int64(n)) }, Subscriptions: func(n int) { k.subscribed.Add(int64(n)) },
	}
	for _, f := range change {
		f(&k.options)
	}
	k.sockets = NewWebsocket(k.options)
	srv := handler.New(&graphql.ExecutableSchemaMock{SchemaFunc: func() *ast.Schema { return liveSchema }, ExecFunc: k.exec})
	srv.SetErrorPresenter(presentCode)
	srv.AddTransport(k.sockets)
	srv.AddTransport(POST{k.options.Options})
	srv.AddTransport(GET{k.options.Options})
	srv.AddTransport(Other{k.options.Options})
	k.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), idKey{}, "r")
		if cookie, err := r.Cookie("who"); err == nil {
			if viewer, err := authenticate(ctx, cookie.Value); err == nil {
				ctx = access.As(ctx, viewer)
			} else {
				ctx = access.WithFailure(ctx, err)
			}
		}
		srv.ServeHTTP(w, r.WithContext(ctx))
	}))
	k.server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(8 << 10)
		return ctx
	}
	k.server.Start()
	t.Cleanup(func() {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		k.sockets.Close(gone)
		k.server.Close()
	})
	return k
}

type idKey struct{}

func presentCode(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	var f *fault.Error
	if errors.As(err, &f) {
		shown.Message = f.Message
		shown.Extensions = map[string]any{"code": f.Code}
	}
	return shown
}

// authenticate knows the tokens "good" and "good-<name>"; "away" is a database that is.
func authenticate(_ context.Context, token string) (*access.Viewer, error) {
	switch {
	case token == "away":
		return nil, fault.ErrUnavailable
	case token == "panic":
		panic("authenticate")
	case strings.HasPrefix(token, "good"):
		return &access.Viewer{UserID: uuid.New(), SessionID: uuid.New(), Email: token}, nil
	default:
		return nil, fault.ErrUnauthenticated
	}
}

type fakeSession struct {
	k      *kit
	mu     sync.Mutex
	viewer *access.Viewer
	err    error
	onEnd  func()
	closed bool
}

func (k *kit) openSession(_ context.Context, v *access.Viewer) (Session, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != nil {
		return nil, k.refuse
	}
	s := &fakeSession{k: k, viewer: v}
	k.sessions = append(k.sessions, s)
	return s, nil
}

func (s *fakeSession) ID() uuid.UUID        { return s.viewer.SessionID }
func (s *fakeSession) ExpiresAt() time.Time { return time.Date(2026, 1, 2, 3, 24, 5, 0, time.UTC) }
func (s *fakeSession) OnEnd(f func())       { s.mu.Lock(); defer s.mu.Unlock(); s.onEnd = f }
func (s *fakeSession) Close()               { s.mu.Lock(); defer s.mu.Unlock(); s.closed = true }
func (s *fakeSession) Viewer(context.Context) (*access.Viewer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewer, s.err
}

func (s *fakeSession) set(v *access.Viewer, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viewer, s.err = v, err
}

// end revokes the session.
func (s *fakeSession) end() {
	s.mu.Lock()
	s.err = fault.New(fault.Unauthenticated, "SESSION_EXPIRED", "Over.")
	f := s.onEnd
	s.mu.Unlock()
	f()
}

func (k *kit) lastSession() *fakeSession {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sessions[len(k.sessions)-1]
}

// fakeSource is a stream in memory.
type fakeSource struct {
	isOrdered, isOfSession bool

	mu     sync.Mutex
	stream uuid.UUID
	events []*stream.Event
	feeds  map[*fakeFeed]func()
	ended  bool
	nexts  error
	check  func(ctx context.Context) error
	after  int
	checks int
}

func newSource(isOrdered bool) *fakeSource {
	return &fakeSource{isOrdered: isOrdered, stream: uuid.New(), feeds: map[*fakeFeed]func(){}}
}

func (s *fakeSource) IsOrdered() bool   { return s.isOrdered }
func (s *fakeSource) IsOfSession() bool { return s.isOfSession }
func (s *fakeSource) Check(ctx context.Context) error {
	s.mu.Lock()
	s.checks++
	check := s.check
	s.mu.Unlock()
	if check == nil {
		return nil
	}
	return check(ctx)
}

func (s *fakeSource) Open(_ context.Context, wake func()) (stream.Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &fakeFeed{source: s, at: s.after}
	s.feeds[f] = wake
	return f, nil
}

func (s *fakeSource) change(f func()) {
	s.mu.Lock()
	f()
	var wakes []func()
	for _, wake := range s.feeds {
		wakes = append(wakes, wake)
	}
	s.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

func (s *fakeSource) publish(texts ...string) {
	s.change(func() {
		for _, text := range texts {
			s.events = append(s.events, &stream.Event{Stream: s.stream, Position: int64(len(s.events) + 1), Value: text})
		}
	})
}

func (s *fakeSource) readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.feeds)
}

type fakeFeed struct {
	source *fakeSource
	at     int
	busy   atomic.Bool
}

func (f *fakeFeed) alone() func() {
	if f.busy.Swap(true) {
		panic("a feed is used by two")
	}
	return func() { f.busy.Store(false) }
}

func (f *fakeFeed) Next(context.Context) ([]*stream.Event, error) {
	defer f.alone()()
	s := f.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nexts != nil {
		return nil, s.nexts
	}
	events := s.events[f.at:min(len(s.events), f.at+100)]
	f.at += len(events)
	if len(events) == 0 && s.ended {
		return nil, io.EOF
	}
	return append([]*stream.Event(nil), events...), nil
}

func (f *fakeFeed) Close() {
	defer f.alone()()
	f.source.mu.Lock()
	defer f.source.mu.Unlock()
	if _, ok := f.source.feeds[f]; !ok {
		panic("a feed is closed twice")
	}
	delete(f.source.feeds, f)
}

// exec answers by the names of the root fields.
func (k *kit) exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query", "Mutation", "Subscription"})
	if op.Operation.Operation == ast.Subscription {
		return k.subscription(ctx, op, fields[0])
	}
	var members []string
	for _, field := range fields {
		value := "null"
		switch field.Name {
		case "echo":
			text, _ := json.Marshal(field.ArgumentMap(op.Variables)["text"])
			value = string(text)
		case "who":
			if v := access.From(ctx); v != nil {
				value = strconv.Quote(v.Email)
			}
		case "requestId":
			value = strconv.Quote(k.options.RequestID(ctx))
		case "background":
			value = fmt.Sprint(op.Extensions["background"] == true)
		case "fail":
			return graphql.OneShot(&graphql.Response{Data: json.RawMessage("null"), Errors: gqlerror.List{{Message: "No.", Path: ast.Path{ast.PathName("fail")}}}})
		case "refused":
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Message: "No.", Extensions: map[string]any{"code": "SESSION_EXPIRED"}}}})
		case "boom":
			panic("boom")
		case "hang":
			k.hanging <- struct{}{}
			select {
			case <-k.hang:
			case <-ctx.Done():
			}
		}
		members = append(members, `"`+field.Alias+`":`+value)
	}
	return graphql.OneShot(&graphql.Response{Data: json.RawMessage("{" + strings.Join(members, ",") + "}")})
}

func (k *kit) subscription(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) graphql.ResponseHandler {
	args := field.ArgumentMap(op.Variables)
	out, err := Subscribe(ctx, func() (stream.Source, error) {
		switch field.Name {
		case "session":
			return k.session, nil
		case "broken":
			panic("broken")
		}
		room, _ := args["room"].(string)
		if k.rooms[room] == nil {
			return nil, fault.ErrNotFound
		}
		return k.rooms[room], nil
	}, func(_ context.Context, e *stream.Event) (*stream.Event, error) { k.executed.Add(1); return e, nil })
	if err != nil {
		graphql.AddError(ctx, err)
		return graphql.OneShot(nil)
	}
	return func(context.Context) *graphql.Response {
		e, ok := <-out
		if !ok {
			return nil
		}
		text, _ := e.Value.(string)
		switch text {
		case "boom":
			panic("boom")
		case "away":
			return &graphql.Response{Errors: gqlerror.List{{Message: "Later.", Extensions: map[string]any{"code": "UNAVAILABLE"}}}}
		}
		members := []string{}
		for _, f := range graphql.CollectFields(op, field.Selections, []string{"Tick"}) {
			value := strconv.FormatInt(e.Position, 10)
			switch f.Name {
			case "text":
				prefix, _ := f.ArgumentMap(op.Variables)["prefix"].(string)
				value = strconv.Quote(prefix + text)
			case "viewer":
				value = strconv.Quote(access.From(ctx).Email)
			}
			members = append(members, `"`+f.Alias+`":`+value)
		}
		return &graphql.Response{Data: json.RawMessage(`{"` + field.Alias + `":{` + strings.Join(members, ",") + "}}")}
	}
}

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
