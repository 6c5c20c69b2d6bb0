package identity

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxLag is how long an instance may know of an activity that the store does not.
const maxLag = 15 * time.Second

// activity is what this instance knows of sessions beside the store: when it last wrote one, and activity that it has not written yet.
type activity struct {
	lag     time.Duration // between two writes of a session
	warning time.Duration // before the end, in which activity is written at once

	mu       sync.Mutex
	sessions map[uuid.UUID]*recent
}

type recent struct {
	unwritten
	wrote time.Time // last; zero when the next activity is to be written at once
	shown time.Time // the newest activity that was written
}

// unwritten is activity that the store does not know.
type unwritten struct {
	id          uuid.UUID
	first, last time.Time // zero when there is none
	timeout     time.Duration
}

// counts tells whether the activity began while the session was live, of which the store says that it ends at expiresAt: an open socket may send
// something for a session that is over.
func (w unwritten) counts(expiresAt time.Time) bool {
	return !w.first.IsZero() && w.first.Before(expiresAt)
}

func newActivity(lag, warning time.Duration) *activity {
	return &activity{lag: lag, warning: warning, sessions: map[uuid.UUID]*recent{}}
}

// note takes an activity down and tells whether it is to be written now: when the last write is long enough ago, in the session's warning time, or
// when it must.
func (a *activity) note(id uuid.UUID, at time.Time, timeout time.Duration, must bool) (unwritten, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.sessions[id]
	if !ok {
		r = &recent{unwritten: unwritten{id: id}}
		a.sessions[id] = r
	}
	if r.first.IsZero() {
		r.first = at
	}
	r.last, r.timeout = later(r.last, at), timeout
	isWarning := !at.Before(r.shown.Add(timeout - a.warning))
	if !must && !isWarning && at.Sub(r.wrote) < a.lag {
		return unwritten{}, false
	}
	r.wrote, r.shown = at, r.last // nobody else writes it meanwhile
	return r.unwritten, true
}

// opened takes down that the store has just been told of the session.
func (a *activity) opened(id uuid.UUID, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[id] = &recent{unwritten: unwritten{id: id}, wrote: at, shown: at}
}

// written takes down that the store knows of the activity.
func (a *activity) written(w unwritten, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.sessions[w.id]
	if !ok {
		return
	}
	r.wrote, r.shown = later(r.wrote, at), later(r.shown, w.last)
	if r.last.After(w.last) {
		r.first = w.last // as far as that the session is known to have lived
		return
	}
	r.first, r.last = time.Time{}, time.Time{}
}

// failed lets the activity be written at the next chance.
func (a *activity) failed(id uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r, ok := a.sessions[id]; ok {
		r.wrote = time.Time{}
	}
}

// of returns the activity of a session that the store does not know.
func (a *activity) of(id uuid.UUID) unwritten {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r, ok := a.sessions[id]; ok {
		return r.unwritten
	}
	return unwritten{}
}

// due returns the activity that is to be written now, in the order in which rows are locked, and forgets sessions that have been quiet.
func (a *activity) due(now time.Time, all bool) (list []unwritten) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, r := range a.sessions {
		isDue := now.Sub(r.wrote) >= a.lag
		switch {
		case r.first.IsZero() && isDue:
			delete(a.sessions, id)
		case !r.first.IsZero() && (isDue || all):
			list = append(list, r.unwritten)
		}
	}
	slices.SortFunc(list, func(x, y unwritten) int { return bytes.Compare(x.id[:], y.id[:]) })
	return list
}
