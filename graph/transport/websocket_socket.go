package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
)

// socket is one connection. Its reader runs as long as it; a worker runs while there is something to write, and is the only one who writes
// messages; each operation runs in a goroutine until it has its answer.
//
// What calls in from outside (wake, sessionOver, look) takes mu and never waits for the network. Feeds are never called under mu.
type socket struct {
	t        *Websocket
	exec     graphql.GraphExecutor
	wire     wire
	isStream bool            // of events: one subscription, and a client that says nothing
	id       string          // of the request that became the socket
	client   context.Context // what is known of the client
	// Who the cookie belongs to, or why it is no good.
	cookie        *access.Viewer
	cookieFailure error
	isInited      bool           // the reader's
	session       Session        // nil when nobody is signed in; set before operations are taken, as is who
	who           *access.Viewer // whose requests are counted

	opened   time.Duration // by the wheel's clock
	lastSeen atomic.Int64
	// Under the wheel's mu.
	slot       int
	isOffWheel bool

	gone chan struct{} // closed when the last goroutine has ended; nil when nobody waits for that

	mu         sync.Mutex
	isAcked    bool
	operations map[string]*operation
	count      uint64 // of operations ever
	goroutines int

	pingAt   time.Duration
	needPing bool
	pong     *string // of a control ping that waits for its answer
	queue    []frame
	queued   int // bytes
	dirty    []*operation
	current  *operation // whose feed the worker uses
	working  bool

	isOver    bool      // the session has ended
	isLeaving bool      // the server stops
	final     *farewell // why it ends; nothing else is written once it is set
	isFinal   bool      // the farewell is being written
	isTold    bool      // the farewell was written
	isDead    bool      // the connection is closed
	timer     *time.Timer
}

// prepare fills in what is known of the socket's client. The request is not kept.
func (s *socket) prepare(w wire, r *http.Request) {
	ctx := r.Context()
	if s.t.options.RequestID != nil {
		s.id = s.t.options.RequestID(ctx)
	}
	s.client = s.t.options.Detach(ctx, s.id)
	s.cookie, s.cookieFailure = access.From(ctx), access.Failure(ctx)
	s.opened = s.t.wheel.time()
	s.pingAt = s.opened + s.t.options.PingEvery
	s.slot = -1
	s.alive()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire, s.operations, s.goroutines = w, map[string]*operation{}, 1
	if s.isLeaving {
		s.start() //nolint:contextcheck // the worker has contexts of its own
	}
}

func (s *socket) alive() { s.lastSeen.Store(int64(s.t.wheel.time())) }

// answerPing has the worker answer a control ping; of several only the last, as the protocol allows.
func (s *socket) answerPing(data string) error {
	s.alive()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pong = &data
	s.start()
	return nil
}

// answerClose answers the client's close frame.
func (s *socket) answerClose(conn *websocket.Conn, code int) error {
	s.mu.Lock()
	feeds := s.silence(func(*operation) bool { return true })
	s.mu.Unlock()
	s.release(feeds)
	var echo []byte
	if code != websocket.CloseNoStatusReceived {
		echo = websocket.FormatCloseMessage(code, "")
	}
	_ = conn.WriteControl(websocket.CloseMessage, echo, s.in(forceAfter)) // a client that has left needs none
	return nil
}

// in returns the instant that lies d ahead, for deadlines of the connection.
func (s *socket) in(d time.Duration) time.Time { return clock.System{}.Now().Add(d) }

// read takes messages until the connection ends.
func (s *socket) read(conn *websocket.Conn) {
	conn.SetPingHandler(s.answerPing)
	conn.SetPongHandler(func(string) error { s.alive(); return nil })
	conn.SetCloseHandler(func(code int, _ string) error { return s.answerClose(conn, code) })
	defer s.exit()
	defer s.finish()
	defer func() {
		if reason := recover(); reason != nil {
			s.panicked(reason)
			_ = s.wire.bye(farewell{closeInternal, "Internal server error"}, s.in(forceAfter))
		}
	}()
	for {
		kind, r, err := conn.NextReader()
		if err != nil {
			return
		}
		s.alive()
		if s.isEnding() {
			continue // until the client has read the close frame
		}
		if kind != websocket.TextMessage {
			s.end(closeBadRequest, "Invalid message received")
			continue
		}
		text, err := io.ReadAll(io.LimitReader(livelyReader{s, r}, s.t.options.MaxBody+1))
		switch {
		case err != nil:
			return
		case int64(len(text)) > s.t.options.MaxBody:
			s.end(websocket.CloseMessageTooBig, "Message too big")
		case !utf8.Valid(text):
			s.end(websocket.CloseInvalidFramePayloadData, "Invalid UTF-8")
		default:
			s.take(text)
		}
	}
}

// livelyReader takes every piece of a message that comes slowly as a sign of life.
type livelyReader struct {
	s *socket
	r io.Reader
}

func (l livelyReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.s.alive()
	return n, err
}

func (s *socket) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.final != nil || s.isDead
}

// look is called by the wheel every now and then; it returns when the next time is due.
func (s *socket) look(now time.Duration) time.Duration {
	options := &s.t.options
	seen := time.Duration(s.lastSeen.Load())
	next := seen + options.DeadAfter
	switch {
	case s.isStream:
		next = now + options.PingEvery
	case now >= next:
		s.abort()
		return options.DeadAfter
	}
	s.mu.Lock()
	isLate := !s.isAcked && now-s.opened >= options.InitTimeout
	if !s.isAcked {
		next = min(next, s.opened+options.InitTimeout)
	}
	if now >= s.pingAt {
		s.needPing = true
		s.pingAt = now + options.PingEvery
		s.start()
	}
	next = min(next, s.pingAt)
	s.mu.Unlock()
	if isLate {
		s.end(closeInitTimeout, "Connection initialisation timeout")
	}
	return next - now
}

// leave ends the socket of a server that stops: subscriptions at once, other operations when they have been answered.
func (s *socket) leave() {
	s.mu.Lock()
	s.isLeaving = true
	feeds := s.silence(func(o *operation) bool { return o.subscription != nil })
	if s.wire != nil { // else it starts when it stands
		s.start()
	}
	s.mu.Unlock()
	s.release(feeds)
}

// sessionOver ends the socket of a session that has ended: nothing is sent any more but what its subscriptions about itself have to say, and
// the answers of mutations that run, of which one may have ended the session.
func (s *socket) sessionOver() {
	s.mu.Lock()
	if s.isOver || s.final != nil || s.isDead {
		s.mu.Unlock()
		return
	}
	s.isOver = true
	feeds := s.silence(func(o *operation) bool { return !o.outlives })
	s.timer = time.AfterFunc(drainTime, func() { s.end(closeUnauthorized, "Session ended") })
	s.start()
	s.mu.Unlock()
	go s.release(feeds) // the caller may hold what feeds wait for
}

// finish lets go of what the socket holds once its reader has ended.
func (s *socket) finish() {
	s.mu.Lock()
	s.isDead = true
	s.queue, s.dirty = nil, nil
	feeds := s.silence(func(*operation) bool { return true })
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.wire.cut(true)
	s.release(feeds)
	s.t.wheel.remove(s)
}

// abort cuts the connection, whoever is writing.
func (s *socket) abort() {
	s.mu.Lock()
	s.isDead = true
	w, isTold := s.wire, s.isTold
	s.mu.Unlock()
	if w != nil { // else it does not stand yet
		w.cut(isTold)
	}
}

// exit is called by each goroutine of the socket at its end; the last one lets the session go.
func (s *socket) exit() {
	s.mu.Lock()
	s.goroutines--
	isLast := s.goroutines == 0
	s.mu.Unlock()
	if !isLast {
		return
	}
	if s.session != nil {
		s.session.Close()
	}
	s.t.forget(s)
	if s.gone != nil {
		close(s.gone)
	}
}

func (s *socket) panicked(reason any) {
	err, _ := reason.(error)
	s.t.options.Log.Error("panic on a websocket", slog.String("requestId", s.id), slog.Any("cause", errors.Join(err, errPanic)), slog.String("stack", string(debug.Stack())))
}

var errPanic = errors.New("panic")
