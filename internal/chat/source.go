package chat

import (
	"context"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// lookEvery is how often, in real time, a reader whose right ends by time is asked whether it has: the clock may be moved.
const lookEvery = 500 * time.Millisecond

// roomSource is a room's stream as one subscription reads it. Reading ends with the room, and with the right to read where that ends by time.
type roomSource struct {
	stream.LogSource
	now func() time.Time

	mu    sync.Mutex
	until *time.Time // nil = for good
}

func (s *roomSource) set(until *time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = until
}

func (s *roomSource) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until != nil && !s.now().Before(*s.until)
}

// Open implements stream.Source.
func (s *roomSource) Open(ctx context.Context, wake func()) (stream.Feed, error) {
	inner, err := s.LogSource.Open(ctx, wake)
	if err != nil {
		return nil, err
	}
	f := &roomFeed{Feed: inner, source: s}
	s.mu.Lock()
	ends := s.until != nil
	s.mu.Unlock()
	if ends {
		f.watch(wake)
	}
	return f, nil
}

// roomFeed is one reader of a room.
type roomFeed struct {
	stream.Feed
	source *roomSource
	isGone bool // the room; used by Next alone

	mu       sync.Mutex
	timer    *time.Timer
	isClosed bool
}

// Head returns the position of the newest event that is known of.
func (f *roomFeed) Head() int64 {
	if inner, ok := f.Feed.(interface{ Head() int64 }); ok {
		return inner.Head()
	}
	return 0
}

// Next implements stream.Feed. Errors besides those of the log: NOT_FOUND once the room is gone or the right to read has ended.
func (f *roomFeed) Next(ctx context.Context) ([]*stream.Event, error) {
	if f.isGone || f.source.isOver() {
		return nil, fault.ErrNotFound
	}
	events, err := f.Feed.Next(ctx)
	if n := len(events); n > 0 && events[n-1].Kind == KindRoomDeleted { // nothing comes after it
		f.isGone = true
		if events = events[:n-1]; len(events) == 0 {
			return nil, fault.ErrNotFound
		}
	}
	return events, err
}

// watch wakes the reader once its right to read has ended.
func (f *roomFeed) watch(wake func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		return
	}
	f.timer = time.AfterFunc(lookEvery, func() {
		if f.source.isOver() {
			wake()
			return
		}
		f.watch(wake)
	})
}

// Close implements stream.Feed.
func (f *roomFeed) Close() {
	f.mu.Lock()
	f.isClosed = true
	if f.timer != nil {
		f.timer.Stop()
	}
	f.mu.Unlock()
	f.Feed.Close()
}
