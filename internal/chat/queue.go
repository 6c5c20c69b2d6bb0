package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

const (
	maxWaiting = 4096 // sends that wait for their turn
	maxBatch   = 128  // sends of one transaction

	batchTime = 5 * time.Second // of a group's transaction, and of all that follow when it is done again message by message
)

// errWaiting is the answer to a send that would have to wait too long.
var errWaiting = fault.ErrUnavailable.Says("Too many messages are being sent. Try again in a moment.").After(time.Second)

// queue holds the sends that wait for their turn, in order. There is a worker exactly while there is work: who pushes into a queue without one
// starts it.
type queue struct {
	mu      sync.Mutex
	waiting []*send
	limit   int
	time    time.Duration // of a group, after which it is given up
	working chan struct{} // closed when the worker has ended; nil when there is none
	closed  bool
}

// push adds a send and tells whether the caller has to start the worker.
func (q *queue) push(s *send) (leads bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, fault.ErrUnavailable.After(time.Second)
	}
	if len(q.waiting) >= q.limit {
		return false, errWaiting
	}
	q.waiting = append(q.waiting, s)
	leads = q.working == nil
	if leads {
		q.working = make(chan struct{})
	}
	return leads, nil
}

// take returns the oldest sends whose callers are still there, at most n; none ends the worker.
func (q *queue) take(n int) []*send {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch []*send
	i := 0
	for ; i < len(q.waiting) && len(batch) < n; i++ {
		if s := q.waiting[i]; s.state.CompareAndSwap(waiting, taken) {
			batch = append(batch, s)
		}
	}
	q.waiting = slices.Delete(q.waiting, 0, i)
	if len(batch) == 0 {
		close(q.working)
		q.working = nil
	}
	return batch
}

// close refuses further sends and returns what is closed once the ones that wait are done; nil when there are none.
func (q *queue) close() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	return q.working
}

// Stop refuses further messages and returns once those that wait are stored, or with ctx's error when it ends before.
func (s *Service) Stop(ctx context.Context) error {
	working := s.queue.close()
	if working == nil {
		return nil
	}
	select {
	case <-working:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("messages wait to be stored: %w", ctx.Err())
	}
}

// work stores what waits, group by group.
func (s *Service) work() {
	ctx := access.System(context.Background(), "store messages")
	for {
		batch := s.queue.take(maxBatch)
		if len(batch) == 0 {
			return
		}
		s.storeAll(ctx, batch)
	}
}

// storeAll stores a group and answers its callers. When the group fails as such, its messages are tried one by one, so that only the one that the
// database refuses fails.
func (s *Service) storeAll(ctx context.Context, batch []*send) {
	outcomes, err := s.storeWithin(ctx, batch)
	if err == nil || len(batch) == 1 || !isCertain(err) {
		for i, one := range batch {
			if err != nil {
				one.finish(outcome{err: err})
			} else {
				one.finish(outcomes[i])
			}
		}
		return
	}
	s.Log.WarnContext(ctx, "a group of messages is stored one by one", "messages", len(batch), "cause", err)
	ctx, cancel := context.WithTimeout(ctx, s.queue.time)
	defer cancel()
	for _, one := range batch {
		outcomes, err := s.storeWithin(ctx, []*send{one})
		if err != nil {
			one.finish(outcome{err: err})
			continue
		}
		one.finish(outcomes[0])
	}
}

// isCertain tells whether the error leaves no doubt that nothing was stored, and whether another try makes sense: not when the database could not
// be reached, perhaps at the very commit.
func isCertain(err error) bool {
	var e *fault.Error
	return !errors.As(err, &e) || e.Kind != fault.Unavailable && e.Kind != fault.Timeout
}

// storeWithin is store within the time of a group. A panic fails the group and not the program: the callers wait elsewhere.
func (s *Service) storeWithin(ctx context.Context, batch []*send) (outcomes []outcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.queue.time)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("chat: storing messages panicked: %v", r)
		}
	}()
	return s.store(ctx, batch)
}
