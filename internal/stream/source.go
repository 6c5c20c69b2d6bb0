package stream

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// Opened is the kind of the first event of a source without After. It stands in no log; its Position is that of the newest event then.
const Opened = "OPENED"

// LogSource is a stream as a subscription reads it.
type LogSource struct {
	Log    *Log
	Stream uuid.UUID
	// After is the position behind which to go on; nil starts now, with an event of the kind Opened.
	After *int64
	// Loader sets the Values of events that have none, for all readers, as the system actor; nil when events need none. All sources of a stream have the
	// same. An event it leaves without a Value is delivered so; when it fails, so does Next, and the next call tries again.
	Loader func(ctx context.Context, events []*Event) error
	// Refetch names the query that reads the present state, for readers whose cursor the log cannot continue from.
	Refetch string
	// Access decides for Check; without it nobody may read.
	Access func(ctx context.Context) error
}

var _ Source = (*LogSource)(nil)

// Check implements Source.
func (s *LogSource) Check(ctx context.Context) error {
	if s.Access == nil {
		return fault.ErrForbidden
	}
	return s.Access(ctx)
}

// IsOrdered implements Source.
func (s *LogSource) IsOrdered() bool { return true }

// IsOfSession implements Source.
func (s *LogSource) IsOfSession() bool { return false }

// Resume has the source go on behind a cursor, whatever After says. Errors: INVALID_INPUT.
func (s *LogSource) Resume(cursor ent.Cursor) error {
	position, err := PositionOf(cursor, s.Stream)
	if err != nil {
		return err
	}
	s.After = &position
	return nil
}

// Open implements Source. Errors: RESUME_EXPIRED when After lies ahead of the log; a log that no longer reaches back to it shows at the first Next.
func (s *LogSource) Open(ctx context.Context, wake func()) (Feed, error) {
	f := &feed{topic: s.Log.topics.enter(s.Log, s.Stream), loader: s.Loader, refetch: s.Refetch, waker: waker{fn: wake}}
	if err := f.open(ctx, s.After); err != nil {
		s.Log.topics.leave(f.topic)
		return nil, Expired(err, s.Refetch)
	}
	return f, nil
}

// Refetch is the detail of RESUME_EXPIRED: the query that reads the present state.
type Refetch struct{ Query string }

// Expired adds to RESUME_EXPIRED by which query to go on; other errors stay as they are.
func Expired(err error, query string) error {
	if query == "" || !errors.Is(err, fault.ErrResumeExpired) {
		return err
	}
	return fault.ErrResumeExpired.With(Refetch{query}).
		Says("The log does not hold what follows the cursor. Read the present state by the query " + query + " and subscribe without after.")
}

// feed is one reader of a stream.
type feed struct {
	waker
	refetch string
	topic   *topic
	loader  func(context.Context, []*Event) error
	first   *Event // Opened, until it is delivered

	at    int64 // the last position that was delivered; under topic.mu
	waits bool  // to be woken; under topic.mu
}

func (f *feed) open(ctx context.Context, after *int64) error {
	t := f.topic
	t.mu.Lock()
	for !t.ready {
		if err := t.share(ctx, t.start); err != nil {
			return err
		}
		t.mu.Lock()
	}
	known := t.end() // the ring's events are committed, which a hint need not be
	if after == nil && t.head > known || after != nil && *after > known {
		t.mu.Unlock()
		var err error
		if known, err = t.log.Head(ctx, t.stream); err != nil {
			return err
		}
		t.hint(known)
		t.mu.Lock()
	}
	f.at = known
	switch {
	case after == nil:
		f.first = &Event{Stream: t.stream, Position: known, Kind: Opened, OccurredAt: t.log.db.Now()}
	case *after < 0 || *after > known:
		t.mu.Unlock()
		return fault.ErrResumeExpired
	default:
		f.at = *after
	}
	t.feeds[f] = struct{}{}
	t.mu.Unlock()
	return nil
}

// Head returns the position of the newest event that is known of.
func (f *feed) Head() int64 {
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	return f.topic.head
}

// Next implements Feed.
func (f *feed) Next(ctx context.Context) ([]*Event, error) {
	events, err := f.next(ctx)
	return events, Expired(err, f.refetch)
}

func (f *feed) next(ctx context.Context) ([]*Event, error) {
	if f.first != nil {
		first := f.first
		f.first = nil
		return []*Event{first}, nil
	}
	t := f.topic
	for {
		t.mu.Lock()
		end := t.end()
		var err error
		switch {
		case f.at >= t.head:
			f.waits = true
			t.mu.Unlock()
			return nil, nil
		case f.at < t.base:
			t.mu.Unlock()
			return f.readPage(ctx)
		case f.at < t.loaded:
			events := append([]*Event(nil), t.ring[f.at-t.base:min(t.loaded, f.at+page)-t.base]...)
			f.at += int64(len(events))
			t.mu.Unlock()
			return events, nil
		case f.at < end:
			err = t.share(ctx, func(ctx context.Context) error { return t.load(ctx, f.loader) })
		default:
			err = t.share(ctx, t.fill)
		}
		if err != nil {
			return nil, f.failed(err)
		}
	}
}

// readPage reads the log for this reader alone, which is behind the ring.
func (f *feed) readPage(ctx context.Context) ([]*Event, error) {
	ctx = access.System(ctx, "deliver a stream")
	events, err := f.topic.log.Read(ctx, f.topic.stream, f.at, page)
	if err == nil && f.loader != nil && len(events) > 0 {
		err = f.loader(ctx, events)
	}
	if err != nil {
		return nil, f.failed(err)
	}
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	f.at += int64(len(events))
	return events, nil
}

// failed lets the next hint or poll wake the reader, which may try again before.
func (f *feed) failed(err error) error {
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	f.waits = true
	return err
}

// Close implements Feed. It waits for a wake that is running: call it without any lock that wake takes.
func (f *feed) Close() {
	if !f.close() {
		return
	}
	f.topic.mu.Lock()
	delete(f.topic.feeds, f)
	f.topic.mu.Unlock()
	f.topic.log.topics.leave(f.topic)
}
