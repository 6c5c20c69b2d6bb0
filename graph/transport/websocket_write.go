package transport

import (
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/stream"
)

// The close codes of graphql-transport-ws.
const (
	closeBadRequest   = 4400
	closeUnauthorized = 4401
	closeForbidden    = 4403
	closeSubprotocol  = 4406
	closeInitTimeout  = 4408
	closeDuplicate    = 4409
	closeTooMany      = 4429
	closeInternal     = 4500
)

// Bounds of what waits to be written.
const (
	maxFrames = 512
	maxQueued = 8 << 20
	maxReason = 123 // bytes in a close frame
)

// How long the end of a socket takes at most: the last events of its session, then a close frame past a worker that is stuck, then the end of the
// connection. A client that was told has more time, to read it.
const (
	drainTime  = 300 * time.Millisecond
	forceAfter = 300 * time.Millisecond
	readTime   = 2 * time.Second
)

// frame is a message to the client, in pieces.
type frame struct {
	operation *operation // nothing is sent for one that is silent
	isLast    bool       // of the operation
	parts     [][]byte
}

func (f frame) size() (n int) {
	for _, part := range f.parts {
		n += len(part)
	}
	return n
}

// enqueue has the worker send the frames. A client that lets them pile up is cut off.
func (s *socket) enqueue(frames ...frame) {
	s.mu.Lock()
	if s.final != nil || s.isDead {
		s.mu.Unlock()
		return
	}
	for _, f := range frames {
		if f.operation != nil && f.operation.isSilent {
			continue
		}
		s.queue = append(s.queue, f)
		s.queued += f.size()
	}
	isFull := len(s.queue) > maxFrames || s.queued > maxQueued && len(s.queue) > len(frames)
	s.start()
	s.mu.Unlock()
	if isFull {
		s.end(websocket.CloseTryAgainLater, "Too slow")
	}
}

// end drops what waits and closes the socket with the code; only the first call counts.
func (s *socket) end(code int, reason string) {
	s.mu.Lock()
	feeds := s.endLocked(code, reason)
	s.mu.Unlock()
	s.release(feeds)
}

func (s *socket) endLocked(code int, reason string) []stream.Feed {
	if s.final != nil || s.isDead {
		return nil
	}
	s.final = &farewell{code, reason}
	s.queue, s.queued = nil, 0
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(forceAfter, s.force)
	feeds := s.silence(func(*operation) bool { return true })
	s.start()
	return feeds
}

// cut shortens a reason to what a close frame holds.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	n := maxReason
	for !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}

// force sends the close frame past a worker that is busy and then ends the connection.
func (s *socket) force() {
	s.mu.Lock()
	isTold := s.isTold
	s.mu.Unlock()
	if !isTold {
		isTold = s.wire.bye(*s.final, s.in(forceAfter)) == nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isDead:
	case isTold || s.isTold:
		s.isTold = true
		s.timer = time.AfterFunc(readTime, s.abort)
	default:
		s.timer = time.AfterFunc(0, s.abort)
	}
}

// flush writes the frames that wait. It returns false when nothing may be written any more.
func (s *socket) flush() bool {
	for {
		s.mu.Lock()
		if s.isDead || s.isFinal {
			s.working = false
			s.mu.Unlock()
			return false
		}
		if !s.hasFrames() {
			s.mu.Unlock()
			return true
		}
		write := s.pick()
		s.mu.Unlock()
		if write != nil && write() != nil {
			s.abort()
		}
	}
}

// pick takes the most urgent frame and returns what writes it. It is called under mu.
func (s *socket) pick() func() error {
	switch {
	case s.final != nil:
		s.isFinal = true
		return s.writeFinal
	case s.pong != nil:
		data := []byte(*s.pong)
		s.pong = nil
		return func() error { return s.wire.pong(data, s.in(s.t.options.WriteTimeout)) }
	case s.needPing:
		s.needPing = false
		return func() error { return s.wire.ping(s.in(s.t.options.WriteTimeout)) }
	}
	f := s.queue[0]
	s.queue[0] = frame{}
	s.queue = s.queue[1:]
	s.queued -= f.size()
	if !s.mayWrite(f) {
		return nil
	}
	return func() error { return s.write(f) }
}

func (s *socket) writeFinal() error {
	err := s.wire.bye(*s.final, s.in(s.t.options.WriteTimeout))
	if err == nil {
		s.mu.Lock()
		s.isTold = true
		s.mu.Unlock()
	}
	return nil // the reader goes on until the client has answered, or force ends it
}

// send writes a frame at once, unless its operation has been silenced. It is the worker's.
func (s *socket) send(f frame) {
	s.mu.Lock()
	ok := !s.isDead && s.final == nil && s.mayWrite(f)
	s.mu.Unlock()
	if ok && s.write(f) != nil {
		s.abort()
	}
}

// mayWrite tells whether a frame may go out. With its last one an operation's id is free again: who reads the frame may use it at once. It is
// called under mu.
func (s *socket) mayWrite(f frame) bool {
	o := f.operation
	if o == nil {
		return true
	}
	if o.isSilent {
		return false
	}
	if f.isLast {
		delete(s.operations, o.id)
	}
	return true
}

func (s *socket) write(f frame) error {
	return s.wire.write(f.parts, f.isLast, s.in(s.t.options.WriteTimeout))
}

// silence has nothing more sent for the operations that are chosen, and returns the feeds that the caller releases. It is called under mu.
func (s *socket) silence(chosen func(*operation) bool) []stream.Feed {
	var feeds []stream.Feed
	for id, o := range s.operations {
		if !chosen(o) {
			continue
		}
		delete(s.operations, id)
		o.isSilent = true
		o.cancel()
		if o.subscription != nil && s.current != o { // else the worker does
			feeds = append(feeds, o.subscription.feed)
		}
	}
	if s.isLeaving || s.isOver {
		s.start() // perhaps these were the last
	}
	return feeds
}

// release closes feeds.
func (s *socket) release(feeds []stream.Feed) {
	for _, feed := range feeds {
		feed.Close()
		s.t.options.Subscriptions(-1)
	}
}
