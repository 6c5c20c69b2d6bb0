package stream

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// dueEvery is how often states are looked at that change by time alone.
const dueEvery = 200 * time.Millisecond

// State is what there is to show of something at an instant.
type State struct {
	Value any
	// Digest is the same for states that show the same; the second one of those is not delivered.
	Digest string
	// Until is when the state changes by itself; zero when it does not.
	Until time.Time
}

// LatestSource is a state as a subscription reads it: the present one when it opens, and then, whenever it has changed, the newest. A slow reader passes
// over what was in between. Nothing is stored.
type LatestSource struct {
	Log *Log
	// Topic is what Touch names when the state may have changed, Key which state of the topic it is: sources with the same of both have the same Load.
	Topic, Key string
	Kind       string // of the events
	// Load reads the state for all readers, as the system actor.
	Load func(ctx context.Context) (State, error)
	// Access decides for Check; without it nobody may read.
	Access func(ctx context.Context) error
}

var _ Source = (*LatestSource)(nil)

// Check implements Source.
func (s *LatestSource) Check(ctx context.Context) error {
	if s.Access == nil {
		return fault.ErrForbidden
	}
	return s.Access(ctx)
}

// IsOrdered implements Source.
func (*LatestSource) IsOrdered() bool { return false }

// IsOfSession implements Source.
func (*LatestSource) IsOfSession() bool { return false }

// Open implements Source.
func (s *LatestSource) Open(_ context.Context, wake func()) (Feed, error) {
	f := &latestFeed{state: s.Log.latest.enter(s), waker: waker{fn: wake}}
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	f.state.feeds[f] = struct{}{}
	return f, nil
}

// Touch says that the states of a topic may have changed, here and to the other instances; after a prefix and "*", those of all topics with it. Call it
// after the commit. It never waits, and as every hint it may be lost on the way to others: the slow poll reads all states again.
func (l *Log) Touch(topic string) {
	l.Refresh(topic)
	l.Tell(topic)
}

// Refresh is Touch for this instance alone.
func (l *Log) Refresh(topic string) {
	prefix, isAll := strings.CutSuffix(topic, "*")
	l.latest.touch(func(s *latestState) bool { return s.topic == topic || isAll && strings.HasPrefix(s.topic, prefix) })
}

// latest are the states with readers on this instance.
type latest struct {
	mu     sync.Mutex
	states map[latestKey]*latestState
}

type latestKey struct{ topic, key string }

func (ls *latest) enter(source *LatestSource) *latestState {
	key := latestKey{source.Topic, source.Key}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	s, ok := ls.states[key]
	if !ok {
		s = &latestState{log: source.Log, latestKey: key, kind: source.Kind, load: source.Load, changes: 1, feeds: map[*latestFeed]struct{}{}}
		ls.states[key] = s
	}
	s.users++
	return s
}

func (ls *latest) leave(s *latestState) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(ls.states, s.latestKey)
	}
}

// touch has the chosen states read again.
func (ls *latest) touch(chosen func(*latestState) bool) {
	ls.mu.Lock()
	var due []*latestState
	for _, s := range ls.states {
		if chosen(s) {
			due = append(due, s)
		}
	}
	ls.mu.Unlock()
	for _, s := range due {
		s.changed()
	}
}

// all has every state read again: hints may have been lost.
func (ls *latest) all() { ls.touch(func(*latestState) bool { return true }) }

// due has those states read again whose time has come.
func (ls *latest) due(now time.Time) {
	ls.touch(func(s *latestState) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.known == s.changes && !s.until.IsZero() && !now.Before(s.until)
	})
}

// latestState is one state with readers on this instance.
type latestState struct {
	latestKey
	log   *Log
	kind  string
	load  func(context.Context) (State, error)
	users int // under latest.mu

	mu      sync.Mutex
	changes uint64 // that there may have been
	known   uint64 // those that the event knows of
	event   *Event // nil until the state was read
	digest  string
	until   time.Time
	feeds   map[*latestFeed]struct{}
	work    *work
}

// changed notes that the state may be another one, and wakes those who wait for that.
func (s *latestState) changed() {
	s.mu.Lock()
	s.changes++
	var due []*latestFeed
	for f := range s.feeds {
		if f.waits {
			f.waits = false
			due = append(due, f)
		}
	}
	s.mu.Unlock()
	for _, f := range due {
		f.call()
	}
}

// read reads the state for all readers, or waits for one who does. It is called with mu locked and unlocks it.
func (s *latestState) read(ctx context.Context) error {
	if w := s.work; w != nil {
		s.mu.Unlock()
		select {
		case <-w.done:
			return w.err
		case <-ctx.Done():
			return fault.ErrTimeout.Because(ctx.Err())
		}
	}
	w := &work{done: make(chan struct{}), err: errPanicked}
	s.work = w
	changes := s.changes
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.work = nil
		s.mu.Unlock()
		close(w.done)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(store.WithoutTx(access.System(ctx, "deliver a state"))), workTimeout)
	defer cancel()
	now := s.log.db.Now() // before the reading: the state is true of that instant
	state, err := s.load(ctx)
	if w.err = err; err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.event == nil || s.digest != state.Digest {
		s.event = &Event{Kind: s.kind, OccurredAt: now, Value: state.Value}
	}
	s.digest, s.until, s.known = state.Digest, state.Until, changes
	return nil
}

// latestFeed is one reader of a state.
type latestFeed struct {
	waker
	state *latestState
	seen  *Event // last; under state.mu, as waits
	waits bool   // to be woken
}

// Next implements Feed.
func (f *latestFeed) Next(ctx context.Context) ([]*Event, error) {
	s := f.state
	for isRead := false; ; isRead = true {
		s.mu.Lock()
		isFresh := s.known == s.changes
		switch {
		case (isFresh || isRead) && s.event != f.seen:
			f.seen = s.event
			s.mu.Unlock()
			return []*Event{f.seen}, nil
		case isFresh:
			f.waits = true
			s.mu.Unlock()
			return nil, nil
		}
		if err := s.read(ctx); err != nil {
			s.mu.Lock()
			f.waits = true // the next touch or poll may wake the reader, which may try again before
			s.mu.Unlock()
			return nil, err
		}
	}
}

// Close implements Feed. It waits for a wake that is running: call it without any lock that wake takes.
func (f *latestFeed) Close() {
	if !f.close() {
		return
	}
	f.state.mu.Lock()
	delete(f.state.feeds, f)
	f.state.mu.Unlock()
	f.state.log.latest.leave(f.state)
}

// waker is what wakes a reader, until it is closed.
type waker struct {
	calling sync.Mutex // held while fn runs
	fn      func()     // nil once closed
}

func (w *waker) call() {
	w.calling.Lock()
	defer w.calling.Unlock()
	if w.fn != nil {
		w.fn()
	}
}

// close waits for a call that is running; false when it was closed before.
func (w *waker) close() bool {
	w.calling.Lock()
	defer w.calling.Unlock()
	wasOpen := w.fn != nil
	w.fn = nil
	return wasOpen
}
