package identity

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/stream"
)

// SessionOpened is the first event: where the session stands.
type SessionOpened struct {
	OccurredAt time.Time
	Status     *SessionStatus
	ExpiresAt  time.Time
}

// SessionExpiring tells that the session ends soon, once each time the warning threshold is crossed.
type SessionExpiring struct {
	OccurredAt       time.Time
	ExpiresAt        time.Time
	SecondsRemaining int
}

// SessionExtended tells that the session lasts longer.
type SessionExtended struct {
	OccurredAt time.Time
	ExpiresAt  time.Time
}

// SessionEnded is the last event.
type SessionEnded struct {
	OccurredAt time.Time
	Reason     session.EndReason
}

// The kinds of these events.
const (
	kindOpened   = "SESSION_OPENED"
	kindExpiring = "SESSION_EXPIRING"
	kindExtended = "SESSION_EXTENDED"
	kindEnded    = "SESSION_ENDED"
)

// maxWaiting bounds what a feed keeps for a slow reader: beyond, warnings that an extension has outdated go.
const maxWaiting = 16

type sessionSource struct {
	live   *Live
	viewer *access.Viewer
}

// Source returns the events of the session that asks, for every signed-in user: SessionOpened, SessionExpiring, SessionExtended and SessionEnded as
// the events' Value. Errors: UNAUTHENTICATED.
func (l *Live) Source(ctx context.Context) (stream.Source, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	return &sessionSource{live: l, viewer: v}, nil
}

// Check implements stream.Source: the session is the reader's own, whatever the rights.
func (*sessionSource) Check(ctx context.Context) error {
	_, err := signedIn(ctx)
	return err
}

// IsOrdered implements stream.Source.
func (*sessionSource) IsOrdered() bool { return false }

// IsOfSession implements stream.Source.
func (*sessionSource) IsOfSession() bool { return true }

// Open implements stream.Source. Errors: SESSION_EXPIRED.
func (s *sessionSource) Open(ctx context.Context, wake func()) (stream.Feed, error) {
	f := &sessionFeed{live: s.live, state: s.live.acquire(s.viewer.SessionID), wake: wake}
	err := s.begin(ctx, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// begin tells where the session stands, and lets the feed hear what follows. What happens between the reading and the hearing is told too.
func (s *sessionSource) begin(ctx context.Context, f *sessionFeed) error {
	l := s.live
	if err := l.fence(ctx); err != nil { // before the reading, so that no later end is missed
		return err
	}
	if _, err := l.settled(ctx, f.state); err != nil {
		return err
	}
	now := l.s.DB.Now()
	row, err := l.s.DB.Client.Session.Get(access.As(ctx, s.viewer), s.viewer.SessionID)
	if ent.IsNotFound(err) {
		return ErrSessionExpired
	}
	if err != nil {
		return err
	}
	stored := row.ExpiresAt
	status := l.s.statusOf(now, s.viewer, row)
	l.change(func(out *outbox) {
		st := f.state
		f.told = row.ExpiresAt
		f.tell(out, kindOpened, now, SessionOpened{OccurredAt: now, Status: status, ExpiresAt: f.told})
		st.feeds = append(st.feeds, f)
		switch {
		case st.over != nil:
			f.tell(out, kindEnded, st.over.OccurredAt, *st.over)
			return
		case status.IsExpired: // why, the next look tells
			l.stale(st)
			return
		}
		l.extend(out, st, stored)
		f.tellExtended(out, now, st.stored)
		l.warn(out, st, now)
		l.schedule(st)
	})
	return nil
}

// sessionFeed is one subscription's way through the events of its session. Live's mutex guards it, and mu the wake.
type sessionFeed struct {
	live  *Live
	state *liveState

	waiting  []*stream.Event
	told     time.Time // the end that the reader knows
	isWarned bool      // of the present crossing
	isDone   bool      // the end has been handed out

	mu   sync.Mutex
	wake func() // nil once closed
}

// Next implements stream.Feed.
func (f *sessionFeed) Next(context.Context) ([]*stream.Event, error) {
	f.live.mu.Lock()
	defer f.live.mu.Unlock()
	if f.isDone {
		return nil, io.EOF
	}
	page := f.waiting
	f.waiting = nil
	f.isDone = len(page) > 0 && page[len(page)-1].Kind == kindEnded
	return page, nil
}

// Close implements stream.Feed.
func (f *sessionFeed) Close() {
	f.mu.Lock()
	wasClosed := f.wake == nil
	f.wake = nil
	f.mu.Unlock()
	if wasClosed {
		return
	}
	f.live.mu.Lock()
	defer f.live.mu.Unlock()
	f.state.feeds = without(f.state.feeds, f)
	f.live.release(f.state)
}

func (f *sessionFeed) wakeUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wake != nil {
		f.wake()
	}
}

// tell puts an event behind those that wait. Live's mutex is held here and below.
func (f *sessionFeed) tell(out *outbox, kind string, at time.Time, value any) {
	f.waiting = append(f.waiting, &stream.Event{Kind: kind, OccurredAt: at, Value: value})
	out.woken = append(out.woken, f)
}

// tellExtended tells of a later end; one that the reader has not taken yet is not told any more.
func (f *sessionFeed) tellExtended(out *outbox, now, expiresAt time.Time) {
	if !expiresAt.After(f.told) {
		return
	}
	f.told = expiresAt
	if n := len(f.waiting); n > 0 && f.waiting[n-1].Kind == kindExtended {
		f.waiting = f.waiting[:n-1]
	}
	if len(f.waiting) >= maxWaiting {
		f.waiting = slices.DeleteFunc(f.waiting, func(e *stream.Event) bool { return e.Kind == kindExtended || e.Kind == kindExpiring })
	}
	f.tell(out, kindExtended, now, SessionExtended{OccurredAt: now, ExpiresAt: expiresAt})
}

// warn tells those who do not know yet that the session ends soon, where it does: once until it has left its warning time.
func (l *Live) warn(out *outbox, st *liveState, now time.Time) {
	expiresAt := l.end(st)
	left := expiresAt.Sub(now)
	for _, f := range st.feeds {
		switch {
		case left > l.s.Warning:
			f.isWarned = false
		case left > 0 && !f.isWarned:
			f.isWarned = true
			f.tell(out, kindExpiring, now, SessionExpiring{OccurredAt: now, ExpiresAt: expiresAt, SecondsRemaining: seconds(left)})
		}
	}
}
