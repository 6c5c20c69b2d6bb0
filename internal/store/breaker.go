package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

const (
	probeEvery   = 500 * time.Millisecond
	probeTimeout = 800 * time.Millisecond
	probeFails   = 2
)

// breaker probes the database in the background. While it cannot be reached callers are told so at once instead of each waiting
// for a dead network; once it is back, connections from before are dropped and work goes on.
type breaker struct {
	down   atomic.Pointer[fault.Error]
	up     atomic.Pointer[context.Context] // ends when the database goes away; nil for SQLite
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

// guard returns a ctx that also ends when the database goes away, so that nobody waits for a connection that others hold on a dead network.
// release frees it.
func (b *breaker) guard(ctx context.Context) (guarded context.Context, release func()) {
	up := b.up.Load()
	if up == nil {
		return ctx, func() {}
	}
	guarded, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(*up, cancel)
	return guarded, func() {
		stop()
		cancel()
	}
}

// ended gives an error that guard caused its reason; ctx is that of the caller.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return fault.ErrUnavailable.After(time.Second).Because(err)
	}
	return err
}

// start begins to probe, on a connection of its own; for SQLite it does nothing, the errors of a file come with the statements.
func (b *breaker) start(db *DB, probes *sql.DB, idle int) {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	if probes == nil {
		return
	}
	b.probes = probes
	failed := probeFails // the first probe decides alone
	goDown := b.goUp()
	check := func() {
		err := probe(ctx, probes)
		switch {
		case err == nil:
			failed = 0
			if b.down.Load() != nil {
				goDown = b.goUp()
				db.sql.SetMaxIdleConns(0) // closes what was dialled before
				db.sql.SetMaxIdleConns(idle)
			}
		case ctx.Err() == nil:
			if failed++; failed >= probeFails {
				b.down.Store(fault.ErrUnavailable.After(time.Second).Because(err))
				goDown()
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

// goUp lets callers through again and returns what ends their waiting.
func (b *breaker) goUp() context.CancelFunc {
	up, goDown := context.WithCancel(context.Background())
	b.up.Store(&up)
	b.down.Store(nil)
	return goDown
}

func (b *breaker) stop() {
	b.cancel()
	b.done.Wait()
	if b.probes != nil {
		_ = b.probes.Close()
	}
}

func probe(ctx context.Context, probes *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var one int
	return probes.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}
