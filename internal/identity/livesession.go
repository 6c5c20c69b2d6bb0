package identity

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// LiveSession is the session behind one open socket. Its methods may be called by several goroutines.
type LiveSession struct {
	live  *Live
	state *liveState
	ip    string // of this socket: those of a session may come from several places
	agent string
	own   atomic.Pointer[ownViewer]

	mu       sync.Mutex
	onEnd    func()
	isOver   bool
	isClosed bool
}

// ownViewer is the session's viewer as this socket shows it.
type ownViewer struct{ shared, own *access.Viewer }

// Open follows the session of a viewer who has just been authenticated. Close lets it go. Errors: UNAUTHENTICATED, SESSION_EXPIRED.
func (l *Live) Open(ctx context.Context, v *access.Viewer) (*LiveSession, error) {
	if v == nil || v.SessionID == uuid.Nil {
		return nil, fault.ErrUnauthenticated
	}
	ls := &LiveSession{live: l, state: l.acquire(v.SessionID), ip: v.IP, agent: v.UserAgent}
	ls.own.Store(&ownViewer{own: v})
	l.mu.Lock()
	ls.state.sockets = append(ls.state.sockets, ls)
	ls.isOver = ls.state.over != nil
	l.mu.Unlock()
	if _, err := ls.Viewer(ctx); err != nil {
		ls.Close()
		return nil, err
	}
	return ls, nil
}

// ID returns the session's id.
func (ls *LiveSession) ID() uuid.UUID { return ls.state.id }

// ExpiresAt returns when the session ends unless the user does something.
func (ls *LiveSession) ExpiresAt() time.Time {
	ls.live.mu.Lock()
	defer ls.live.mu.Unlock()
	return ls.live.end(ls.state)
}

// Viewer returns who asks, with the rights of now: the same pointer as long as they have not changed. Whatever was revoked before the call is known,
// on whichever instance it was done. Errors: SESSION_EXPIRED when the session is over, UNAVAILABLE while the database is away.
func (ls *LiveSession) Viewer(ctx context.Context) (*access.Viewer, error) {
	if err := ls.live.fence(ctx); err != nil {
		return nil, err
	}
	v, err := ls.live.settled(ctx, ls.state)
	if err != nil {
		return nil, err
	}
	return ls.asOwn(v), nil
}

// asOwn is the session's viewer with the address of this socket.
func (ls *LiveSession) asOwn(shared *access.Viewer) *access.Viewer {
	for {
		before := ls.own.Load()
		if before.shared == shared {
			return before.own
		}
		after := &ownViewer{shared: shared, own: before.own}
		if !sameRights(shared, before.own) {
			v := *shared
			v.IP, v.UserAgent = ls.ip, ls.agent
			after.own = &v
		}
		if ls.own.CompareAndSwap(before, after) {
			return after.own
		}
	}
}

// sameRights tells whether two viewers of one session may do the same.
func sameRights(a, b *access.Viewer) bool {
	return a.UserID == b.UserID && a.PatientID == b.PatientID && a.PractitionerID == b.PractitionerID && a.Email == b.Email && a.NeedsTotp == b.NeedsTotp && slices.Equal(a.Roles, b.Roles)
}

// OnEnd has f called once when the session is over, at once if it is already. f must return at once and must not call Close.
func (ls *LiveSession) OnEnd(f func()) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	switch {
	case ls.isClosed:
	case ls.isOver:
		f()
	default:
		ls.onEnd = f
	}
}

// end tells the socket that the session is over; finish calls it once.
func (ls *LiveSession) end() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.isOver = true
	if ls.onEnd != nil && !ls.isClosed {
		ls.onEnd()
	}
}

// Close lets the session go; what OnEnd was given is not called any more once it has returned. Closing again changes nothing, nor does
// closing the nil of a failed Open, which is easily put into an interface.
func (ls *LiveSession) Close() {
	if ls == nil {
		return
	}
	ls.mu.Lock()
	wasClosed := ls.isClosed
	ls.isClosed = true
	ls.mu.Unlock()
	if wasClosed {
		return
	}
	ls.live.mu.Lock()
	defer ls.live.mu.Unlock()
	ls.state.sockets = without(ls.state.sockets, ls)
	ls.live.release(ls.state)
}
