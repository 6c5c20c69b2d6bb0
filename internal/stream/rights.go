package stream

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// RightsStream is the stream that tells who lost a right. Whoever ends a session, deactivates a user or changes roles appends to it in the same
// transaction.
var RightsStream = uuid.MustParse("00000000-0000-7000-8000-000000000017")

// The kinds of its entries, and of what handlers are told.
const (
	RightsOfSession = "session" // the subject is the session's id, data hold {"reason": ...}
	RightsOfUser    = "user"    // the subject is the user's id
	RightsUnknown   = "unknown" // in no log: entries cannot be read any more, so anybody's rights may have changed
)

// RightsHandler is told of a change. It must return soon and must not call Fence. It may be told of one change twice.
type RightsHandler func(ctx context.Context, kind string, subject uuid.UUID, data json.RawMessage)

// Rights follows the RightsStream.
type Rights struct {
	log   *Log
	every time.Duration
	head  func(ctx context.Context) (int64, error)
	kick  chan struct{}
	at    int64 // the last entry that handlers were told of; -1 before the first round, used by rounds alone

	mu       sync.Mutex
	handlers []RightsHandler
	next     *round // takes more callers until it begins
	running  bool
}

// round is one look at the stream, for all who asked before it began.
type round struct {
	done chan struct{}
	err  error
}

func newRights(l *Log) *Rights {
	head := func(ctx context.Context) (int64, error) { return l.Head(ctx, RightsStream) }
	return &Rights{log: l, every: time.Second, head: head, kick: make(chan struct{}, 1), at: -1}
}

// Handle registers a handler. Register before the first Fence and before Run.
func (r *Rights) Handle(fn RightsHandler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handlers = append(r.handlers, fn)
}

// Fence returns once the handlers have been told of all that committed before it was called. The first call tells nothing, it only finds the head: who
// keeps something that can be revoked calls Fence before reading it from the store. Calls that come while the stream is being looked at share the next
// look, since the present one may have begun before their time. Errors: UNAVAILABLE and others of the store; then nothing is known.
func (r *Rights) Fence(ctx context.Context) error {
	r.mu.Lock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
	}
	mine := r.next
	if !r.running {
		r.running = true
		go r.rounds() //nolint:contextcheck // it works for callers with different contexts
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return fault.ErrTimeout.Because(ctx.Err())
	}
}

// rounds runs while somebody asks.
func (r *Rights) rounds() {
	for {
		r.mu.Lock()
		now := r.next
		r.next = nil
		if now == nil {
			r.running = false
			r.mu.Unlock()
			return
		}
		handlers := slices.Clone(r.handlers)
		r.mu.Unlock()
		now.err = r.catchUp(handlers)
		close(now.done)
	}
}

// catchUp tells the handlers what has happened since the last time.
func (r *Rights) catchUp(handlers []RightsHandler) error {
	ctx, cancel := context.WithTimeout(access.System(context.Background(), "follow rights"), workTimeout)
	defer cancel()
	tell := func(kind string, subject uuid.UUID, data json.RawMessage) {
		for _, h := range handlers {
			h(ctx, kind, subject, data)
		}
	}
	head, err := r.head(ctx)
	if err != nil {
		return err
	}
	if r.at < 0 {
		r.at = head
	}
	for r.at != head {
		events, err := r.log.Read(ctx, RightsStream, r.at, page)
		if errors.Is(err, fault.ErrResumeExpired) {
			tell(RightsUnknown, uuid.Nil, nil)
			r.at = head
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			tell(e.Kind, e.Subject, e.Data)
			r.at = e.Position
		}
		head = max(head, r.at)
	}
	return nil
}

// hint makes follow look soon.
func (r *Rights) hint() { signal(r.kick) }

// follow tells the handlers without anybody asking, until ctx ends.
func (r *Rights) follow(ctx context.Context) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	var said sayOnce
	for {
		said.say(ctx, r.log.log, "rights cannot be followed", r.Fence(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.kick:
		}
	}
}
