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
	d := &driver{db: db, statements: newStatements(db.sql, db.breaker)}
	d.Conn = entsql.Conn{ExecQuerier: d}
	return d
}

// Dialect implements dialect.Driver.
func (d *driver) Dialect() string { return d.db.dialect }

// Close implements dialect.Driver; the DB closes itself.
func (d *driver) Close() error { return nil }

// Exec implements dialect.Driver.
func (d *driver) Exec(ctx context.Context, query string, args, v any) error {
	leave, err := d.admit(ctx)
	if err != nil {
		return mapError(err)
	}
	defer leave()
	return mapError(d.Conn.Exec(ctx, query, args, v))
}

// Query implements dialect.Driver.
func (d *driver) Query(ctx context.Context, query string, args, v any) error {
	leave, err := d.admit(ctx)
	if err != nil {
		return mapError(err)
	}
	if err := d.Conn.Query(ctx, query, args, v); err != nil {
		leave()
		return mapError(err)
	}
	if rows, ok := v.(*entsql.Rows); ok {
		rows.ColumnScanner = admittedRows{rows.ColumnScanner, leave}
	}
	return nil
}

// admit lets a statement through; one of a transaction has its connection already.
func (d *driver) admit(ctx context.Context) (leave func(), err error) {
	if current(ctx) != nil {
		return func() {}, d.db.breaker.err()
	}
	return d.db.breaker.admit(ctx)
}

// admittedRows are rows that hold a connection until they are closed, and whose reading can fail after the first ones came.
type admittedRows struct {
	entsql.ColumnScanner
	leave func()
}

// Err implements entsql.ColumnScanner.
func (r admittedRows) Err() error { return mapError(r.ColumnScanner.Err()) }

// Close implements entsql.ColumnScanner.
func (r admittedRows) Close() error {
	defer r.leave()
	return r.ColumnScanner.Close()
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
	count(ctx)
	return withStatement(ctx, d, query,
		func(s *sql.Stmt) (sql.Result, error) { return s.ExecContext(ctx, args...) },
		func(tx *sql.Tx) (sql.Result, error) { return tx.ExecContext(ctx, query, args...) })
}

// QueryContext implements entsql.ExecQuerier.
func (d *driver) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	count(ctx)
	return withStatement(ctx, d, query,
		func(s *sql.Stmt) (*sql.Rows, error) { return s.QueryContext(ctx, args...) },
		func(tx *sql.Tx) (*sql.Rows, error) { return tx.QueryContext(ctx, query, args...) })
}

const statementAttempts = 6

// withStatement runs a prepared statement, again when the cache closed it meanwhile or when its plan no longer fits the table. In a
// transaction PostgreSQL has given up the transaction by then, and the whole of it is retried.
func withStatement[T any](ctx context.Context, d *driver, query string, prepared func(*sql.Stmt) (T, error), direct func(*sql.Tx) (T, error)) (T, error) {
	t := current(ctx)
	for attempt := 1; ; attempt++ {
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
		stalePlan := isStalePlan(err)
		if stalePlan {
			d.statements.cache.Purge() // a table has changed: others are stale too
		}
		if again := isClosed(err) || stalePlan && t == nil; !again || attempt == statementAttempts {
			return result, err
		}
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
