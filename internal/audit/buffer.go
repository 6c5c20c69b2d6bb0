package audit

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

// buffer is a bounded queue whose writers wait for room.
type buffer struct {
	mu     sync.Mutex
	room   sync.Cond
	queue  []entry
	limit  int
	closed bool
	half   chan struct{} // tells Run that it is half full
}

func newBuffer(limit int) *buffer {
	b := &buffer{limit: limit, half: make(chan struct{}, 1)}
	b.room.L = &b.mu
	return b
}

// push adds the entries, waiting for room, and returns those that a closed buffer does not take.
func (b *buffer) push(entries []entry) []entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(entries) > 0 && !b.closed {
		if len(b.queue) >= b.limit {
			b.room.Wait()
			continue
		}
		n := min(len(entries), b.limit-len(b.queue))
		b.queue = append(b.queue, entries[:n]...)
		entries = entries[n:]
		if 2*len(b.queue) >= b.limit {
			select {
			case b.half <- struct{}{}:
			default: // told already
			}
		}
	}
	return entries
}

// front returns the oldest entries without taking them.
func (b *buffer) front(n int) []entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.queue[:min(n, len(b.queue))])
}

// drop takes the n oldest entries.
func (b *buffer) drop(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = slices.Delete(b.queue, 0, n)
	b.room.Broadcast()
}

func (b *buffer) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.room.Broadcast()
}

func (b *buffer) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// enqueue hands events to the buffer; after Close it writes them itself.
func (r *Recorder) enqueue(ctx context.Context, entries []entry) error {
	rest := r.buffer.push(entries)
	if len(rest) == 0 {
		return nil
	}
	err := r.store(ctx, rest, false)
	if err != nil {
		r.log.ErrorContext(ctx, "audit events are lost: the recorder is closed and the database does not take them", "lost", len(rest))
	}
	return err
}

// store writes events in a transaction of their own, whatever becomes of the caller's. again says that an earlier try may have stored them.
func (r *Recorder) store(ctx context.Context, entries []entry, again bool) error {
	ctx = access.System(store.WithoutTx(context.WithoutCancel(ctx)), "audit")
	return r.db.WithTx(ctx, func(ctx context.Context) error {
		missing := entries
		if again {
			var err error
			if missing, err = r.missing(ctx, entries); err != nil {
				return err
			}
		}
		return r.insert(ctx, missing)
	})
}

func (r *Recorder) missing(ctx context.Context, entries []entry) ([]entry, error) {
	all := make([]uuid.UUID, len(entries))
	for i, e := range entries {
		all[i] = e.id
	}
	stored, err := r.db.Client.AuditEvent.Query().Where(auditevent.IDIn(all...)).IDs(ctx)
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return slices.Contains(stored, e.id) }), err
}

// Flush writes what the buffer holds. What the database does not take stays for the next time.
func (r *Recorder) Flush(ctx context.Context) error {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	for {
		batch := r.buffer.front(maxChunk)
		if len(batch) == 0 {
			return nil
		}
		if err := r.store(ctx, batch, r.uncertain); err != nil {
			if !r.uncertain {
				r.log.ErrorContext(ctx, "audit events wait: the database does not take them", "waiting", r.buffer.len())
			}
			r.uncertain = true
			return err
		}
		if r.uncertain {
			r.log.InfoContext(ctx, "audit events that waited are written again")
		}
		r.uncertain = false
		r.buffer.drop(len(batch))
	}
}

// Run flushes at least every second until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	tick := time.NewTicker(r.opts.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.buffer.half:
		}
		_ = r.Flush(ctx) // logged there; tried again at the next tick
	}
}

const closePause = 100 * time.Millisecond

// Close flushes for the last time, trying until ctx ends. Events that come later are written by whoever brings them. It returns an error, and
// logs how many there were, when events are lost.
func (r *Recorder) Close(ctx context.Context) error {
	r.buffer.close()
	for {
		err := r.Flush(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			lost := r.buffer.len()
			r.log.ErrorContext(ctx, "audit events are lost: the database did not take them before the shutdown", "lost", lost)
			return fmt.Errorf("%d audit events are lost: %w", lost, err)
		case <-time.After(closePause):
		}
	}
}
