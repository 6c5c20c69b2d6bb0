package testkit

import (
	"context"
	"database/sql/driver"
	"errors"
)

// faultyConn asks its Faults about every statement. What the driver can beyond the least is passed through, so that nothing else changes.
type faultyConn struct {
	driver.Conn
	faults *Faults
}

// guarded runs a statement with Faults before and after it.
func guarded[T any](f *Faults, text string, run func() (T, error)) (result T, err error) {
	if err := f.before(text); err != nil {
		return result, err
	}
	if result, err = run(); err != nil {
		return result, err
	}
	if err := f.after(text); err != nil {
		if rows, ok := any(result).(driver.Rows); ok {
			err = errors.Join(err, rows.Close())
		}
		var none T
		return none, err
	}
	return result, nil
}

// Prepare implements driver.Conn.
func (c *faultyConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if c.faults.Dead() {
		return nil, ErrKilled
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &faultyStmt{stmt, query, c.faults}, nil
}

// BeginTx implements driver.ConnBeginTx.
func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.faults.Dead() {
		return nil, ErrKilled
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return faultyTx{tx, c.faults}, nil
}

// ExecContext implements driver.ExecerContext.
func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	execer, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return guarded(c.faults, query, func() (driver.Result, error) { return execer.ExecContext(ctx, query, args) })
}

// QueryContext implements driver.QueryerContext.
func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	queryer, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return guarded(c.faults, query, func() (driver.Rows, error) { return queryer.QueryContext(ctx, query, args) })
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Ping implements driver.Pinger.
func (c *faultyConn) Ping(ctx context.Context) error {
	if c.faults.Dead() {
		return ErrKilled
	}
	if pinger, ok := c.Conn.(driver.Pinger); ok {
		return pinger.Ping(ctx)
	}
	return nil
}

// ResetSession implements driver.SessionResetter.
func (c *faultyConn) ResetSession(ctx context.Context) error {
	if resetter, ok := c.Conn.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *faultyConn) IsValid() bool {
	validator, ok := c.Conn.(driver.Validator)
	return !ok || validator.IsValid()
}

type faultyTx struct {
	driver.Tx
	faults *Faults
}

// Commit implements driver.Tx. One that does not reach the database is rolled back there, as that of a dead process is.
func (t faultyTx) Commit() error {
	if err := t.faults.before(commit); err != nil {
		_ = t.Rollback()
		return err
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	return t.faults.after(commit)
}

type faultyStmt struct {
	driver.Stmt
	query  string
	faults *Faults
}

// ExecContext implements driver.StmtExecContext.
func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return guarded(s.faults, s.query, func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

// QueryContext implements driver.StmtQueryContext.
func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return guarded(s.faults, s.query, func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) })
}
