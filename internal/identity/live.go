package identity

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/stream"
)

// Live knows the sessions behind open sockets: who asks at this moment, when a session is to be warned or is over, and who listens to its events.
// See the package's description. Run it in the background.
type Live struct {
	s    *Service
	kick chan struct{} // there is something to read at once

	mu       sync.Mutex
	sessions map[uuid.UUID]*liveState
	queue    dueQueue
}

// liveState is what all sockets and feeds of one session on this instance share. Live's mutex guards it.
type liveState struct {
	id    uuid.UUID
	users int // sockets and feeds; it goes with the last

	present atomic.Pointer[presence] // for the short way of Viewer; nil when there is none

	viewer  *access.Viewer // nil until the store was read; another one whenever the rights have changed
	stored  time.Time      // the end, as far as the store is known
	endsAt  time.Time
	isStale bool // the store is to be read before anybody acts
	marks   int  // counts what made it stale: who reads meanwhile has read too early
	over    *SessionEnded

	sockets []*LiveSession
	feeds   []*sessionFeed

	next  time.Time // when to look again
	index int       // in the queue; outside when it is in nobody's
}

// presence tells who asks, and until when that is true without another look.
type presence struct {
	viewer *access.Viewer
	until  time.Time
}

const (
	outside   = -1
	toldTopic = "session:" // topics under which instances tell each other of an extension
)

func newLive(s *Service) *Live {
	l := &Live{s: s, kick: make(chan struct{}, 1), sessions: map[uuid.UUID]*liveState{}}
	if s.Streams != nil {
		s.Streams.Rights.Handle(l.handle)
		s.Streams.OnTold(toldTopic, l.told)
	}
	return l
}

// acquire counts one more user of the session's state.
func (l *Live) acquire(id uuid.UUID) *liveState {
	l.mu.Lock()
	defer l.mu.Unlock()
	st, ok := l.sessions[id]
	if !ok {
		st = &liveState{id: id, isStale: true, index: outside}
		l.sessions[id] = st
	}
	st.users++
	return st
}

// release lets a user go, and with the last one the state. The mutex is held.
func (l *Live) release(st *liveState) {
	if st.users--; st.users == 0 {
		delete(l.sessions, st.id)
		l.queue.drop(st)
	}
}

var errUnsettled = errors.New("identity: the session is to be read")

// standing returns who asks, SESSION_EXPIRED when the session is over, or errUnsettled when only the store can tell.
func (l *Live) standing(st *liveState) (*access.Viewer, error) {
	now := l.s.DB.Now()
	if p := st.present.Load(); p != nil && now.Before(p.until) {
		return p.viewer, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case st.over != nil:
		return nil, ErrSessionExpired
	case st.isStale || !now.Before(l.end(st)):
		return nil, errUnsettled
	default:
		return st.viewer, nil
	}
}

// settled is standing with the store read where that is needed.
func (l *Live) settled(ctx context.Context, st *liveState) (*access.Viewer, error) {
	for {
		v, err := l.standing(st)
		if !errors.Is(err, errUnsettled) {
			return v, err
		}
		if err := l.settle(ctx, st); err != nil {
			return nil, err
		}
	}
}

// end is when the session ends unless something is done: as stored, or later by activity that this instance has not written yet.
func (l *Live) end(st *liveState) time.Time {
	return expiry(st.stored, st.endsAt, l.s.activity.of(st.id))
}

// fence applies all changes of rights that were committed before the call.
func (l *Live) fence(ctx context.Context) error {
	if l.s.Streams == nil {
		return nil
	}
	return l.s.Streams.Rights.Fence(ctx)
}

// handle applies one change of rights, from whichever instance. It reads nothing: who asks next does.
func (l *Live) handle(_ context.Context, kind string, subject uuid.UUID, data json.RawMessage) {
	switch kind {
	case stream.RightsOfSession:
		l.ended(subject, reasonIn(data))
	case stream.RightsOfUser:
		l.mark(func(st *liveState) bool { return st.viewer == nil || st.viewer.UserID == subject })
	default:
		l.mark(func(*liveState) bool { return true })
	}
}

// told has a session read again that another instance has extended.
func (l *Live) told(topic string) {
	id, err := uuid.Parse(strings.TrimPrefix(topic, toldTopic))
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if st, ok := l.sessions[id]; ok {
		l.stale(st)
	}
}

// mark has the sessions read again before anybody acts in them.
func (l *Live) mark(which func(*liveState) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, st := range l.sessions {
		if which(st) {
			l.stale(st)
		}
	}
}

func (l *Live) stale(st *liveState) {
	st.isStale = true
	st.marks++
	st.present.Store(nil)
	l.schedule(st)
	select {
	case l.kick <- struct{}{}:
	default: // a look is coming anyway
	}
}

// ended ends a session of which a person has ended it.
func (l *Live) ended(id uuid.UUID, reason session.EndReason) {
	now := l.s.DB.Now()
	l.change(func(out *outbox) {
		if st, ok := l.sessions[id]; ok {
			l.finish(out, st, SessionEnded{OccurredAt: now, Reason: reason})
		}
	})
}

// wrote takes down what the store has just been told of the session's end, by this instance.
func (l *Live) wrote(id uuid.UUID, expiresAt time.Time, isMoved bool) {
	l.change(func(out *outbox) {
		st, ok := l.sessions[id]
		switch {
		case !ok || st.over != nil:
		case isMoved && st.viewer != nil:
			l.extend(out, st, earlier(expiresAt, st.endsAt))
			l.warn(out, st, l.s.DB.Now())
			l.schedule(st)
		default: // another instance knows more
			l.stale(st)
		}
	})
}

// extend takes down a later end and tells of it.
func (l *Live) extend(out *outbox, st *liveState, stored time.Time) {
	if !stored.After(st.stored) {
		return
	}
	st.stored = stored
	st.refresh()
	now := l.s.DB.Now()
	// Activity gives the whole timeout, which is more than the warning time, unless the absolute end cuts it.
	hasLeftWarning := stored.Before(st.endsAt) && l.s.timeout(st.viewer) > l.s.Warning
	for _, f := range st.feeds {
		f.tellExtended(out, now, stored)
		f.isWarned = f.isWarned && !hasLeftWarning
	}
}

// refresh lets Viewer go the short way where it may.
func (st *liveState) refresh() {
	if st.isStale || st.over != nil {
		st.present.Store(nil)
		return
	}
	st.present.Store(&presence{viewer: st.viewer, until: st.stored})
}

// finish ends the session here: nothing is delivered any more but the end.
func (l *Live) finish(out *outbox, st *liveState, ended SessionEnded) {
	if st.over != nil {
		return
	}
	st.over = &ended
	st.refresh()
	l.queue.drop(st)
	for _, f := range st.feeds {
		f.tell(out, kindEnded, ended.OccurredAt, ended)
	}
	out.ended = append(out.ended, st.sockets...)
}

// outbox is who is to be told once the mutex is free.
type outbox struct {
	woken []*sessionFeed
	ended []*LiveSession
}

// change runs fn under the mutex and then tells: events first, so that the end of a session comes before that of its sockets.
func (l *Live) change(fn func(out *outbox)) {
	var out outbox
	l.mu.Lock()
	fn(&out)
	l.mu.Unlock()
	for _, f := range out.woken {
		f.wakeUp()
	}
	for _, socket := range out.ended {
		socket.end()
	}
}

// without removes the first such element; lists of sockets and feeds are short and their order does not matter.
func without[T comparable](list []T, gone T) []T {
	if i := slices.Index(list, gone); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
