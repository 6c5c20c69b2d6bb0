package limit

import (
	"context"
	"sync"

	"github.com/caregraph/caregraph/internal/fault"
)

// gates let no more tries of this process at the database than could begin at once: a crowd that waits for a few would otherwise ask it over
// and over whether they are done.
type gates struct {
	mu    sync.Mutex
	byKey map[string]*gate
}

type gate struct {
	seats chan struct{}
	users int // inside or waiting; the last one to leave takes the gate away
}

// enter waits for a seat at the gate of every use, in the order given, which must be the same for all callers.
func (g *gates) enter(ctx context.Context, uses []Use) (leave func(), err error) {
	var entered []func()
	leave = func() {
		for _, f := range entered {
			f()
		}
	}
	for _, u := range uses {
		key := u.key()
		here := g.join(key, u.Max)
		select {
		case here.seats <- struct{}{}:
			entered = append(entered, func() {
				<-here.seats
				g.part(key)
			})
		case <-ctx.Done():
			g.part(key)
			leave()
			return nil, fault.ErrTimeout.Because(ctx.Err())
		}
	}
	return sync.OnceFunc(leave), nil
}

func (g *gates) join(key string, seats int) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byKey == nil {
		g.byKey = map[string]*gate{}
	}
	here, ok := g.byKey[key]
	if !ok {
		here = &gate{seats: make(chan struct{}, max(seats, 1))}
		g.byKey[key] = here
	}
	here.users++
	return here
}

func (g *gates) part(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if here := g.byKey[key]; here.users > 1 {
		here.users--
		return
	}
	delete(g.byKey, key)
}
