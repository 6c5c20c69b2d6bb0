package stream

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Event is one event as readers get it. Readers share it: nothing but the memo changes after it was handed out.
type Event struct {
	// Stream and Position tell where an event of a log stands; both are zero for events that no log keeps.
	Stream   uuid.UUID
	Position int64
	// Kind says what happened, Subject to which record, Data what else there is to tell.
	Kind    string
	Subject uuid.UUID
	Data    json.RawMessage
	// OccurredAt is the instant of the transaction that appended it.
	OccurredAt time.Time
	// Value is what the source loaded for the event, the same for all readers.
	Value any

	memo memo
}

// memo keeps what is computed once for all readers of an event, by class of readers.
type memo struct {
	mu    sync.Mutex
	known map[string]*once
}

type once struct {
	sync.Once
	value []byte
	err   error
}

// maxClasses bounds what an event keeps: clients choose the classes.
const maxClasses = 8

// Memo returns what compute returns for the class, computed once for all readers of the event, as long as there are few classes.
func (e *Event) Memo(class string, compute func() ([]byte, error)) ([]byte, error) {
	e.memo.mu.Lock()
	if e.memo.known == nil {
		e.memo.known = map[string]*once{}
	}
	o, ok := e.memo.known[class]
	if !ok && len(e.memo.known) >= maxClasses {
		e.memo.mu.Unlock()
		return compute()
	}
	if !ok {
		o = &once{}
		e.memo.known[class] = o
	}
	e.memo.mu.Unlock()
	o.Do(func() { o.value, o.err = compute() })
	return o.value, o.err
}

// Feed is one subscription's way through its events. Its methods are called by one goroutine at a time.
type Feed interface {
	// Next returns the events that follow, at most a page, without waiting for new ones; none when the reader has everything so far. After
	// that, wake is called once there is more. io.EOF tells that the stream has ended. Errors: RESUME_EXPIRED, UNAVAILABLE.
	Next(ctx context.Context) ([]*Event, error)
	// Close lets the feed go. wake is not called any more once it has returned: it waits for one that runs, so call it without a lock that wake takes.
	Close()
}

// Source is what a subscription reads.
type Source interface {
	// Open starts at the place that the source was made for. wake must return at once; it may be called from any goroutine and more often than
	// there is something to read.
	Open(ctx context.Context, wake func()) (Feed, error)
	// Check tells whether the viewer of ctx may (still) read: nil, or the error that ends the subscription. It is called when the
	// subscription opens, and again whenever the viewer's rights have changed.
	Check(ctx context.Context) error
	// IsOrdered tells whether every event counts. A reader of such a source that stays behind is ended with SLOW_CONSUMER.
	IsOrdered() bool
	// IsOfSession tells whether the events are about the reader's session itself: they are delivered even when it has ended.
	IsOfSession() bool
}
