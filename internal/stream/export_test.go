package stream

import (
	"context"
	"sync/atomic"

	"github.com/google/uuid"
)

// Topics is the number of streams that have readers.
func (l *Log) Topics() int { return len(l.topics.streams()) }

// Ring is how many events the stream's topic holds.
func (l *Log) Ring(stream uuid.UUID) int {
	t := l.topics.get(stream)
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ring)
}

// Hint does what a hint of another instance does.
func (l *Log) Hint(h Hint) { l.receive(h) }

// ForgetOld does what each interval of the poll does with the rings.
func (l *Log) ForgetOld() { l.topics.forgetOld() }

// PollNow polls once.
func (l *Log) PollNow(ctx context.Context) error { return l.pollHeads(ctx) }

var (
	Payloads = payloads
	Parse    = parse
)

// CountLooks counts in n how often the head of the rights is read.
func (r *Rights) CountLooks(n *atomic.Int64) {
	head := r.head
	r.head = func(ctx context.Context) (int64, error) {
		n.Add(1)
		return head(ctx)
	}
}

// NextLook is closed when the look that has not begun yet is done.
func (r *Rights) NextLook() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next.done
}
