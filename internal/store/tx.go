package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

type txKey struct{}

// transaction is what ctx carries inside WithTx.
type transaction struct {
	sql     *sql.Tx
	failure error // of a joined call: nothing of the transaction may stand
	before  []func(context.Context) error
	after   []func(context.Context)
	values  map[any]any
}

func current(ctx context.Context) *transaction {
	t, _ := ctx.Value(txKey{}).(*transaction)
	return t
}

const maxAttempts = 8

// WithTx runs fn in the transaction that ctx carries, or in a new one, which it commits when fn returns nil and rolls back when
// fn returns an error or panics. The outermost call is retried when the engine asks for it; fn must not have effects outside the
// database (see AfterCommit). It returns fn's error or that of the commit.
func (db *DB) WithTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := current(ctx); t != nil {
		return t.join(ctx, fn)
	}
	for attempt := 1; ; attempt++ {
		effects, err := db.attempt(ctx, fn)
		if err == nil {
			runEffects(ctx, effects)
			return nil
		}
		if !IsRetryable(err) {
			return mapError(err)
		}
		if attempt == maxAttempts {
			return fault.ErrUnavailable.After(time.Second).Because(err)
		}
		pause := time.Duration(attempt) * time.Duration(2+rand.IntN(10)) * time.Millisecond // #nosec G404 -- jitter
		select {
		case <-ctx.Done():
			return mapError(ctx.Err())
		case <-time.After(pause):
		}
	}
}

var errPanicked = errors.New("store: a joined call panicked")

// join runs fn as a part of the transaction: when it fails, be it by a panic that somebody recovers, nothing of the transaction may stand.
func (t *transaction) join(ctx context.Context, fn func(context.Context) error) error {
	if t.failure != nil {
		return t.failure
	}
	err := errPanicked
	defer func() {
		if err != nil {
			t.failure = err
		}
	}()
	err = fn(ctx)
	return err
}

// attempt runs one transaction and returns the effects that its commit set free.
func (db *DB) attempt(ctx context.Context, fn func(context.Context) error) ([]func(context.Context), error) {
	leave, err := db.breaker.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if db.writer != nil {
		select {
		case db.writer <- struct{}{}:
			defer func() { <-db.writer }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	count(ctx)
	sqlTx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sqlTx.Rollback() }() // does nothing after a commit
	t := &transaction{sql: sqlTx}
	if err := t.run(context.WithValue(ctx, txKey{}, t), fn); err != nil {
		return nil, err
	}
	count(ctx)
	if err := sqlTx.Commit(); err != nil {
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // ctx ended first, and rolled it back
			err = ctx.Err()
		}
		return nil, fmt.Errorf("commit: %w", err)
	}
	return t.after, nil
}

func runEffects(ctx context.Context, effects []func(context.Context)) {
	base := context.WithoutCancel(ctx)
	for _, effect := range effects {
		effect(base)
	}
}

// run calls fn and then what was put off until before the commit, which may put off more.
func (t *transaction) run(ctx context.Context, fn func(context.Context) error) error {
	if err := fn(ctx); err != nil {
		return err
	}
	for i := 0; i < len(t.before); i++ {
		if err := t.before[i](ctx); err != nil {
			return err
		}
	}
	return t.failure
}

// AfterCommit runs effect once the transaction of ctx has committed, in order, without its transaction and deadline; at once when there is none.
func AfterCommit(ctx context.Context, effect func(context.Context)) {
	if t := current(ctx); t != nil {
		t.after = append(t.after, effect)
		return
	}
	effect(ctx)
}

// BeforeCommit runs fn in the transaction of ctx as its last step; for buffers that are flushed in one statement.
func BeforeCommit(ctx context.Context, fn func(context.Context) error) error {
	t := current(ctx)
	if t == nil {
		return errNoTransaction
	}
	t.before = append(t.before, fn)
	return nil
}

// Buffer returns the value that the transaction of ctx keeps under key, made on the first call; every attempt starts without.
func Buffer[T any](ctx context.Context, key any, create func() T) (T, error) {
	t := current(ctx)
	if t == nil {
		var none T
		return none, errNoTransaction
	}
	if t.values == nil {
		t.values = map[any]any{}
	}
	if _, ok := t.values[key]; !ok {
		t.values[key] = create()
	}
	value, ok := t.values[key].(T)
	if !ok {
		var none T
		return none, errors.New("store: a buffer's key is used with two types")
	}
	return value, nil
}

// InTx tells whether ctx carries a transaction.
func InTx(ctx context.Context) bool { return current(ctx) != nil }

// WithoutTx returns a ctx that reads outside the transaction, as for what must outlive its rollback.
func WithoutTx(ctx context.Context) context.Context {
	return context.WithValue(ctx, txKey{}, (*transaction)(nil))
}
