package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

const (
	probeEvery = 500 * time.Millisecond
	probeFails = 2
)

// breaker probes the database in the background. While it cannot be reached callers are told so at once instead of each waiting
// for a dead network; once it is back, connections from before are dropped and work goes on.
type breaker struct {
	down   atomic.Pointer[fault.Error]
	places chan struct{} // as many as the pool has connections; nil for SQLite, whose writers wait elsewhere
	cancel context.CancelFunc
	done   sync.WaitGroup
	probes *sql.DB
}

func (b *breaker) err() error {
	if down := b.down.Load(); down != nil {
		return down
	}
	return nil
}

// admit waits for one of the pool's connections and returns what gives it back. Waiting happens here and not in the pool, because who is let
// in after the database went away is told so instead of trying the dead network in turn.
func (b *breaker) admit(ctx context.Context) (leave func(), err error) {
	if b.places == nil {
		return func() {}, b.err()
	}
	select {
	case b.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := b.err(); err != nil {
		<-b.places
		return nil, err
	}
	return sync.OnceFunc(func() { <-b.places }), nil
}

// start begins to probe, on a connection of its own; for SQLite it does nothing, the errors of a file come with the statements.
func (b *breaker) start(db *DB, probes *sql.DB, cfg Config) {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	if probes == nil {
		return
	}
	b.probes, b.places = probes, make(chan struct{}, cfg.MaxConns)
	failed := probeFails // the first probe decides alone
	check := func() {
		err := probe(ctx, probes, cfg.ProbeTimeout)
		switch {
		case err == nil:
			failed = 0
			if b.down.Swap(nil) != nil {
				db.sql.SetMaxIdleConns(0) // closes what was dialled before
				db.sql.SetMaxIdleConns(cfg.MaxConns)
			}
		case ctx.Err() == nil:
			if failed++; failed >= probeFails {
				b.down.Store(fault.ErrUnavailable.After(time.Second).Because(err))
			}
		}
	}
	check()
	b.done.Go(func() {
		tick := time.NewTicker(probeEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				check()
			}
		}
	})
}

func (b *breaker) stop() {
	b.cancel()
	b.done.Wait()
	if b.probes != nil {
		_ = b.probes.Close()
	}
}

func probe(ctx context.Context, probes *sql.DB, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var one int
	return probes.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}
