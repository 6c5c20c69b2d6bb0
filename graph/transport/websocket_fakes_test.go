package transport

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

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
		return (*fakeSession)(nil), k.refuse // as a method that returns its own type does
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
