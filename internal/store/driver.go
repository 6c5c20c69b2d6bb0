package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// driver is the ent driver: statements run in the transaction that ctx carries, else on the pool, prepared once per
// connection and text. So one client serves everything, and a row read in a transaction stays usable after it.
type driver struct {
	entsql.Conn
	db         *DB
	statements *statements
}

func newDriver(db *DB) *driver {
	d := &driver{db: db, statements: newStatements(db.sql)}
	d.Conn = entsql.Conn{ExecQuerier: d}
	return d
}

// Dialect implements dialect.Driver.
func (d *driver) Dialect() string { return d.db.dialect }

// Close implements dialect.Driver; the DB closes itself.
func (d *driver) Close() error { return nil }

// Exec implements dialect.Driver.
func (d *driver) Exec(ctx context.Context, query string, args, v any) error {
	return mapError(d.Conn.Exec(ctx, query, args, v))
}

// Query implements dialect.Driver.
func (d *driver) Query(ctx context.Context, query string, args, v any) error {
	return mapError(d.Conn.Query(ctx, query, args, v))
}

var errNoTransaction = errors.New("store: a write of several statements needs WithTx")

// Tx implements dialect.Driver for writes of several statements: they join the transaction that ctx carries.
func (d *driver) Tx(ctx context.Context) (dialect.Tx, error) {
	if current(ctx) == nil {
		return nil, errNoTransaction
	}
	return dialect.NopTx(d), nil
}

// ExecContext implements entsql.ExecQuerier.
func (d *driver) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := d.db.breaker.err(); err != nil {
		return nil, err
	}
	count(ctx)
	return withStatement(ctx, d, query,
		func(s *sql.Stmt) (sql.Result, error) { return s.ExecContext(ctx, args...) },
		func(tx *sql.Tx) (sql.Result, error) { return tx.ExecContext(ctx, query, args...) })
}

// QueryContext implements entsql.ExecQuerier.
func (d *driver) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := d.db.breaker.err(); err != nil {
		return nil, err
	}
	count(ctx)
	return withStatement(ctx, d, query,
		func(s *sql.Stmt) (*sql.Rows, error) { return s.QueryContext(ctx, args...) },
		func(tx *sql.Tx) (*sql.Rows, error) { return tx.QueryContext(ctx, query, args...) })
}

// withStatement runs a prepared statement, once more when the cache closed it meanwhile or, outside a transaction, when its plan
// no longer fits the table.
func withStatement[T any](ctx context.Context, d *driver, query string, prepared func(*sql.Stmt) (T, error), direct func(*sql.Tx) (T, error)) (T, error) {
	t := current(ctx)
	for attempt := 0; ; attempt++ {
		stmt, err := d.statements.get(ctx, query, t != nil)
		if err != nil {
			var none T
			return none, err
		}
		if stmt == nil {
			return direct(t.sql)
		}
		if t != nil {
			stmt = t.sql.StmtContext(ctx, stmt)
		}
		result, err := prepared(stmt)
		if err == nil || attempt > 0 || !stale(err, t != nil) {
			return result, err
		}
		d.statements.cache.Remove(query)
	}
}

// roundTrips counts statements sent to the database; tests put one in ctx.
type roundTripsKey struct{}

// CountRoundTrips returns a ctx whose statements (transaction brackets included) are counted in n.
func CountRoundTrips(ctx context.Context, n *atomic.Int64) context.Context {
	return context.WithValue(ctx, roundTripsKey{}, n)
}

func count(ctx context.Context) {
	if n, ok := ctx.Value(roundTripsKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}
