package identity

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

// touchGroup writes the extensions that are due at the same time in one transaction: whoever comes first writes for those who come meanwhile.
type touchGroup struct {
	mu      sync.Mutex
	waiting []*groupedTouch
	isBusy  bool
}

type groupedTouch struct {
	unwritten
	done chan struct{}
	err  error
}

const groupTimeout = 5 * time.Second

// writeGrouped writes the extension and returns once it is stored.
func (s *Service) writeGrouped(ctx context.Context, w unwritten) error {
	own := &groupedTouch{unwritten: w, done: make(chan struct{})}
	g := &s.touches
	g.mu.Lock()
	g.waiting = append(g.waiting, own)
	isFirst := !g.isBusy
	g.isBusy = true
	g.mu.Unlock()
	if isFirst {
		go s.writeGroups(access.System(store.WithoutTx(context.WithoutCancel(ctx)), "session activity"))
	}
	select {
	case <-own.done:
		return own.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeGroups writes until nobody waits.
func (s *Service) writeGroups(ctx context.Context) {
	for {
		s.touches.mu.Lock()
		n := min(len(s.touches.waiting), flushBatch)
		group := slices.Clone(s.touches.waiting[:n])
		s.touches.waiting = slices.Delete(s.touches.waiting, 0, n)
		s.touches.isBusy = n > 0
		s.touches.mu.Unlock()
		if n == 0 {
			return
		}
		slices.SortFunc(group, func(a, b *groupedTouch) int { return bytes.Compare(a.id[:], b.id[:]) }) // the order in which rows are locked
		list := make([]unwritten, n)
		for i, t := range group {
			list[i] = t.unwritten
		}
		err := s.writeWithin(ctx, list)
		for _, t := range group {
			t.err = err
			close(t.done)
		}
	}
}

func (s *Service) writeWithin(ctx context.Context, list []unwritten) error {
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	return s.write(ctx, s.DB.Now(), list...)
}
