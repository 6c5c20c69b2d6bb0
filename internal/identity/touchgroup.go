package identity

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

// touchGroup writes the extensions that are due at the same time in one transaction: whoever comes first has them written for those who come
// meanwhile.
type touchGroup struct {
	running sync.WaitGroup

	mu      sync.Mutex
	waiting []*groupedTouch
	isBusy  bool
}

type groupedTouch struct {
	unwritten
	done chan struct{}
	err  error
}

const (
	groupTimeout  = 5 * time.Second
	aloneTimeout  = time.Second // for one row of a group that failed
	touchPatience = time.Second // of a caller
)

// writeGrouped has the extension written and returns once it is stored. A caller does not wait long: activity that is not stored yet counts on this
// instance, and the flush tries again.
func (s *Service) writeGrouped(ctx context.Context, w unwritten) error {
	if err := ctx.Err(); err != nil {
		s.activity.failed(w.id)
		return fault.ErrTimeout.Because(err)
	}
	own := &groupedTouch{unwritten: w, done: make(chan struct{})}
	g := &s.touches
	g.mu.Lock()
	g.waiting = append(g.waiting, own)
	isFirst := !g.isBusy
	g.isBusy = true
	g.mu.Unlock()
	if isFirst {
		g.running.Go(s.writeGroups)
	}
	select {
	case <-own.done:
		return own.err
	case <-time.After(touchPatience):
		return nil
	case <-ctx.Done():
		return fault.ErrTimeout.Because(ctx.Err())
	}
}

// writeGroups writes until nobody waits.
func (s *Service) writeGroups() {
	for {
		g := &s.touches
		g.mu.Lock()
		n := min(len(g.waiting), flushBatch)
		group := slices.Clone(g.waiting[:n])
		g.waiting = slices.Delete(g.waiting, 0, n)
		g.isBusy = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		slices.SortFunc(group, func(a, b *groupedTouch) int { return bytes.Compare(a.id[:], b.id[:]) }) // the order in which rows are locked
		s.writeGroup(group)
	}
}

// writeGroup writes together what can be, and each alone when that fails: one row that somebody holds is not the others' trouble.
func (s *Service) writeGroup(group []*groupedTouch) {
	list := make([]unwritten, len(group))
	for i, t := range group {
		list[i] = t.unwritten
	}
	err := s.writeWithin(groupTimeout, list...)
	for _, t := range group {
		if t.err = err; err != nil && len(group) > 1 {
			t.err = s.writeWithin(aloneTimeout, t.unwritten)
		}
		if t.err != nil {
			s.activity.failed(t.id)
		}
		close(t.done)
	}
}

func (s *Service) writeWithin(timeout time.Duration, list ...unwritten) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			err = fault.ErrInternal.Because(fmt.Errorf("the writing of activity panicked: %T", value))
		}
	}()
	return s.write(ctx, s.DB.Now(), list...)
}

// settleTouches waits until what is being written is, or until ctx ends.
func (s *Service) settleTouches(ctx context.Context) {
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		s.touches.running.Wait()
	}()
	select {
	case <-settled:
	case <-ctx.Done():
	}
}
