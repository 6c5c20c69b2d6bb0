package transport

import (
	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/stream"
)

// start has a worker run. It is called under mu.
func (s *socket) start() {
	if s.working || s.isDead || s.isFinal {
		return
	}
	s.working = true
	s.goroutines++
	go s.work()
}

// work does what is to be done, in the order of its urgency, until there is nothing left.
func (s *socket) work() {
	defer s.exit()
	defer func() {
		if reason := recover(); reason != nil {
			s.panicked(reason)
			s.abort()
		}
	}()
	for {
		if !s.flush() {
			return
		}
		o := s.turn()
		if o == nil {
			if s.rest() {
				return
			}
			continue
		}
		s.step(o)
		s.put(o)
	}
}

// turn returns the subscription whose turn it is, and takes it for the worker.
func (s *socket) turn() *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.dirty) > 0 {
		o := s.dirty[0]
		s.dirty = s.dirty[1:]
		o.isDirty = false
		if !o.isSilent {
			s.current = o
			return o
		}
	}
	s.dirty = nil
	return nil
}

// put gives the subscription back; one that was silenced meanwhile is closed now.
func (s *socket) put(o *operation) {
	s.mu.Lock()
	s.current = nil
	isSilent := o.isSilent
	s.mu.Unlock()
	if isSilent {
		s.release([]stream.Feed{o.subscription.feed})
	}
}

// rest ends the worker unless something has come up.
func (s *socket) rest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isDead:
	case s.hasFrames() || len(s.dirty) > 0:
		return false
	case s.isOver && s.final == nil && len(s.operations) == 0:
		s.endLocked(closeUnauthorized, "Session ended")
		return false
	case s.isLeaving && s.final == nil && len(s.operations) == 0:
		s.endLocked(websocket.CloseGoingAway, "Going away")
		return false
	case s.isStream && s.final == nil && len(s.operations) == 0: // an event stream is its operation
		s.endLocked(websocket.CloseNormalClosure, "")
		return false
	}
	s.working = false
	s.queue, s.dirty = nil, nil
	return true
}

func (s *socket) hasFrames() bool {
	return s.final != nil && !s.isFinal || s.pong != nil || s.needPing || len(s.queue) > 0
}
