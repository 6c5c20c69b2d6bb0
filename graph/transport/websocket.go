package transport

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// Session is the signed-in session behind a socket.
type Session interface {
	// ID returns the session's id.
	ID() uuid.UUID
	// Viewer returns who asks, with the rights of now: another pointer when they have changed. An error of kind UNAUTHENTICATED tells that the
	// session is over.
	Viewer(ctx context.Context) (*access.Viewer, error)
	// ExpiresAt returns when the session ends if nothing extends it.
	ExpiresAt() time.Time
	// OnEnd has f called once when the session is over, at once if it is already. f returns at once.
	OnEnd(f func())
	// Close lets the session go; f is not called any more.
	Close()
}

// WebsocketOptions are the settings of the websocket transport. A zero number means its default.
type WebsocketOptions struct {
	Options // RequestID works in the ctx that Detach returns; MaxBody bounds a message

	// Detach returns a ctx with what the request of ctx tells about its client, under another id, that outlives the request and keeps none of
	// its buffers.
	Detach func(ctx context.Context, requestID string) context.Context
	// Authenticate returns who a token belongs to.
	Authenticate func(ctx context.Context, token string) (*access.Viewer, error)
	// OpenSession follows the viewer's session.
	OpenSession func(ctx context.Context, viewer *access.Viewer) (Session, error)
	// Admit counts an operation for the general request limit. Optional.
	Admit func(ctx context.Context) error
	// Begin returns the ctx of a subscription, for what it keeps from event to event. Optional.
	Begin func(ctx context.Context) context.Context
	// Cursor shows where an event stands; empty when no log keeps it. Optional.
	Cursor func(event *stream.Event) string
	// Resume has a source go on behind the event with the id, which Cursor has shown; one without ids begins anew. Optional.
	Resume func(source stream.Source, id string) error
	// Watch has the connection of a request end soon after its peer has gone without a word. Optional.
	Watch func(ctx context.Context)
	// Now tells the time of the acknowledgement.
	Now func() time.Time
	Log *slog.Logger
	// Sockets and Subscriptions are told of every change of how many are open. Optional.
	Sockets, Subscriptions func(change int)

	MaxSockets    int // 20,000
	MaxOperations int // on one socket; 100

	Timeout      time.Duration // of one reading of a stream; 10 s
	InitTimeout  time.Duration // 10 s
	PingEvery    time.Duration // 12 s
	DeadAfter    time.Duration // since the last sign of life; 25 s
	WriteTimeout time.Duration // 10 s
	SlowAfter    time.Duration // that a reader may be behind; 10 s
}

func (o *WebsocketOptions) fill() {
	orElse(&o.MaxBody, defaultMaxBody)
	orElse(&o.MaxSockets, 20_000)
	orElse(&o.MaxOperations, 100)
	for _, d := range []*time.Duration{&o.Timeout, &o.InitTimeout, &o.WriteTimeout, &o.SlowAfter} {
		orElse(d, 10*time.Second)
	}
	orElse(&o.PingEvery, 12*time.Second)
	orElse(&o.DeadAfter, 25*time.Second)
	count := func(f *func(int)) {
		if *f == nil {
			*f = func(int) {}
		}
	}
	count(&o.Sockets)
	count(&o.Subscriptions)
	if o.Admit == nil {
		o.Admit = func(context.Context) error { return nil }
	}
	if o.Begin == nil {
		o.Begin = func(ctx context.Context) context.Context { return ctx }
	}
	if o.Resume == nil {
		o.Resume = func(stream.Source, string) error { return nil }
	}
	if o.Cursor == nil {
		o.Cursor = func(*stream.Event) string { return "" }
	}
}

func orElse[T int | int64 | time.Duration](n *T, otherwise T) {
	if *n == 0 {
		*n = otherwise
	}
}

const subprotocol = "graphql-transport-ws"

const (
	readBuffer  = 1 << 10 // of each socket for as long as it is open
	writeBuffer = 4 << 10 // shared by those that write at the moment
)

// Websocket serves graphql-transport-ws. It is made by NewWebsocket and added before the transports of plain requests.
type Websocket struct {
	options  WebsocketOptions
	upgrader websocket.Upgrader
	wheel    *wheel

	mu      sync.Mutex
	sockets map[*socket]struct{}
	isOff   bool
	left    chan struct{} // a token for Close when the last socket has left
}

// NewWebsocket returns the transport.
func NewWebsocket(options WebsocketOptions) *Websocket {
	options.fill()
	return &Websocket{
		options: options,
		upgrader: websocket.Upgrader{
			ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &sync.Pool{},
			HandshakeTimeout: options.WriteTimeout, Subprotocols: []string{subprotocol},
			CheckOrigin: func(*http.Request) bool { return true }, // the server has, before anything else
			Error:       refuseUpgrade(options.Options),
		},
		wheel:   newWheel(min(options.InitTimeout, options.PingEvery, options.DeadAfter, options.SlowAfter)),
		sockets: map[*socket]struct{}{},
		left:    make(chan struct{}, 1),
	}
}

// Supports implements graphql.Transport.
func (*Websocket) Supports(r *http.Request) bool { return isWebsocket(r) }

func refuseUpgrade(options Options) func(http.ResponseWriter, *http.Request, int, error) {
	return func(w http.ResponseWriter, r *http.Request, status int, _ error) {
		x := &exchange{w: w, r: r, options: options, media: typeJSON}
		x.refuse(&refusal{status: status, cause: fault.ErrInvalid.Says("The websocket's handshake is not valid.")})
	}
}

// Do implements graphql.Transport. It returns as soon as the socket stands: net/http's buffers and goroutine are not needed any more.
func (t *Websocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	s, refused := t.admit(exec)
	if s == nil {
		x := &exchange{w: w, r: r, options: t.options.Options, media: typeJSON}
		x.refuse(&refusal{status: http.StatusServiceUnavailable, cause: fault.ErrUnavailable})
		return
	}
	conn, err := t.upgrader.Upgrade(w, r, nil)
	if err != nil { // and answered
		t.forget(s)
		return
	}
	s.prepare(frames{conn}, r)
	switch {
	case refused:
		s.end(closeTooMany, "Too many sockets")
	case conn.Subprotocol() != subprotocol:
		s.end(closeSubprotocol, "Subprotocol not acceptable")
	default:
		t.wheel.add(s)
	}
	go s.read(conn)
}

// admit makes a socket. One that is beyond the limit does not take a place: it is only told so. There is none after Close.
func (t *Websocket) admit(exec graphql.GraphExecutor) (s *socket, refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isOff {
		return nil, false
	}
	s = &socket{t: t, exec: exec}
	if len(t.sockets) >= t.options.MaxSockets {
		return s, true
	}
	t.sockets[s] = struct{}{}
	t.options.Sockets(1)
	return s, false
}

func (t *Websocket) forget(s *socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.sockets[s]; !ok {
		return
	}
	delete(t.sockets, s)
	t.options.Sockets(-1)
	if t.isOff && len(t.sockets) == 0 {
		select {
		case t.left <- struct{}{}:
		default:
		}
	}
}

// Close tells all sockets to come back elsewhere, once the operations that run have been answered, and returns when they are gone or ctx ends.
// New ones are refused from then on.
func (t *Websocket) Close(ctx context.Context) {
	t.mu.Lock()
	t.isOff = true
	open := make([]*socket, 0, len(t.sockets))
	for s := range t.sockets {
		open = append(open, s)
	}
	t.mu.Unlock()
	if len(open) == 0 {
		return
	}
	for _, s := range open {
		s.leave() //nolint:contextcheck // the worker has contexts of its own
	}
	select {
	case <-t.left:
		return
	case <-ctx.Done():
	}
	for _, s := range open {
		s.abort()
	}
}
