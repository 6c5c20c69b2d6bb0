package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	ringSize    = 256
	workTimeout = 5 * time.Second
)

// topics are the streams with readers on this instance.
type topics struct {
	mu       sync.Mutex
	byStream map[uuid.UUID]*topic
}

// enter returns the topic of the stream, made when there is none; leave it once.
func (ts *topics) enter(l *Log, stream uuid.UUID) *topic {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.byStream[stream]
	if !ok {
		t = &topic{log: l, stream: stream, feeds: map[*feed]struct{}{}}
		ts.byStream[stream] = t
	}
	t.users++
	return t
}

func (ts *topics) leave(t *topic) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(ts.byStream, t.stream)
	}
}

func (ts *topics) get(stream uuid.UUID) *topic {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.byStream[stream]
}

func (ts *topics) streams() []uuid.UUID {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ids := make([]uuid.UUID, 0, len(ts.byStream))
	for id := range ts.byStream {
		ids = append(ids, id)
	}
	return ids
}

func (ts *topics) publish(stream uuid.UUID, events []*Event) {
	if t := ts.get(stream); t != nil {
		t.publish(events)
	}
}

func (ts *topics) hint(stream uuid.UUID, head int64) {
	if t := ts.get(stream); t != nil {
		t.hint(head)
	}
}

// forgetOld lets events go that have stood in a ring for a whole interval: who still wants them reads the log. So memory is bounded by what
// was published lately, not by the number of streams.
func (ts *topics) forgetOld() {
	for _, id := range ts.streams() {
		if t := ts.get(id); t != nil {
			t.forgetOld()
		}
	}
}

// topic is one stream with readers on this instance.
type topic struct {
	log    *Log
	stream uuid.UUID
	users  int // under topics.mu

	mu     sync.Mutex
	ready  bool     // head and ring are known
	head   int64    // the newest position that anybody told of
	base   int64    // the position before the ring
	ring   []*Event // base+1 and on, without holes
	loaded int64    // up to here the events of the ring have their Values
	old    int64    // end of the ring at the last call of forgetOld
	feeds  map[*feed]struct{}
	work   *work
}

// end is the position of the ring's newest event.
func (t *topic) end() int64 { return t.base + int64(len(t.ring)) }

// work is what one reader does for all: reading the head, the log, or Values.
type work struct {
	done chan struct{}
	err  error
}

var errPanicked = errors.New("stream: shared work panicked")

// share runs do, or waits for what another reader is doing already, which may be something else: the caller looks again at what it has. It is called
// with mu locked and unlocks it. The work does not end with the reader that happens to do it.
func (t *topic) share(ctx context.Context, do func(ctx context.Context) error) error {
	if w := t.work; w != nil {
		t.mu.Unlock()
		select {
		case <-w.done:
			return w.err
		case <-ctx.Done():
			return fault.ErrTimeout.Because(ctx.Err())
		}
	}
	w := &work{done: make(chan struct{}), err: errPanicked}
	t.work = w
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.work = nil
		t.mu.Unlock()
		close(w.done)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(store.WithoutTx(access.System(ctx, "deliver a stream"))), workTimeout)
	defer cancel()
	w.err = do(ctx)
	return w.err
}

// start learns where the stream is. The topic hears of commits already, so none falls between.
func (t *topic) start(ctx context.Context) error {
	head, err := t.log.Head(ctx, t.stream)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready, t.head = true, max(t.head, head)
	t.restart(head)
	return nil
}

// restart empties the ring, which goes on behind a position.
func (t *topic) restart(at int64) { t.base, t.loaded, t.ring = at, at, nil }

// fill reads what follows the ring.
func (t *topic) fill(ctx context.Context) error {
	t.mu.Lock()
	end, told := t.end(), t.head
	t.mu.Unlock()
	events, err := t.log.Read(ctx, t.stream, end, page)
	if errors.Is(err, fault.ErrResumeExpired) {
		return t.skip(ctx, end)
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.push(events)
	if len(events) == 0 && t.head == told {
		t.head = t.end() // somebody told more than there is
	}
	return nil
}

// skip goes on at the head of a log that no longer holds what follows the ring: each reader before it finds that for itself.
func (t *topic) skip(ctx context.Context, end int64) error {
	head, err := t.log.Head(ctx, t.stream)
	if err != nil {
		return err
	}
	if head <= end {
		return fault.ErrResumeExpired // the log is shorter than what was delivered: another one was put in its place
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.head = max(t.head, head)
	t.restart(head)
	return nil
}

// load loads the Values of the events that have none, for all readers.
func (t *topic) load(ctx context.Context, loader func(context.Context, []*Event) error) error {
	t.mu.Lock()
	from := t.loaded - t.base
	upTo := min(t.end(), t.loaded+page)
	var bare []*Event
	for _, e := range t.ring[from : upTo-t.base] {
		if e.Value == nil {
			bare = append(bare, e)
		}
	}
	t.mu.Unlock()
	if loader != nil && len(bare) > 0 {
		if err := loader(ctx, bare); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loaded = max(t.loaded, upTo)
	return nil
}

// push appends to the ring what follows its end; events are in order. What comes with a hole before it is a mere hint.
func (t *topic) push(events []*Event) {
	for _, e := range events {
		if e.Position == t.end()+1 {
			t.ring = append(t.ring, e)
		}
	}
	t.head = max(t.head, t.end())
	if len(t.ring) > 2*ringSize {
		t.drop(len(t.ring) - ringSize)
	}
}

// drop lets the n oldest events of the ring go.
func (t *topic) drop(n int) {
	t.ring = append([]*Event(nil), t.ring[n:]...)
	t.base += int64(n)
	t.loaded = max(t.loaded, t.base)
}

func (t *topic) forgetOld() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.old > t.base && t.work == nil {
		t.drop(int(t.old - t.base))
	}
	t.old = t.end()
}

func (t *topic) publish(events []*Event) {
	t.mu.Lock()
	if t.ready {
		t.push(events)
	}
	t.tell(events[len(events)-1].Position)
}

func (t *topic) hint(head int64) {
	t.mu.Lock()
	t.tell(head)
}

// tell wakes the readers that wait for something up to head. It is called with mu locked and unlocks it.
func (t *topic) tell(head int64) {
	t.head = max(t.head, head)
	var due []*feed
	for f := range t.feeds {
		if f.waits && f.at < t.head {
			f.waits = false
			due = append(due, f)
		}
	}
	t.mu.Unlock()
	for _, f := range due {
		f.call()
	}
}
