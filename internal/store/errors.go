package store

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/lib/pq"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/caregraph/caregraph/internal/fault"
)

// Constraint names a claim that the database decides: on PostgreSQL by the constraint's name, on SQLite, which does not tell it, by
// its columns or its trigger.
type Constraint struct{ Postgres, SQLite string }

// IsRetryable tells whether the engine asks to run the transaction again.
func IsRetryable(err error) bool {
	var pg *pq.Error
	if errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01": // serialization_failure, deadlock_detected
			return true
		}
		return isStalePlan(err)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		primary := lite.Code() & 0xff
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	return false
}

// Violates tells whether err is the violation of the constraint.
func Violates(err error, c Constraint) bool {
	var pg *pq.Error
	if errors.As(err, &pg) {
		return pg.Code.Class() == "23" && c.Postgres != "" && pg.Constraint == c.Postgres
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_CONSTRAINT && c.SQLite != "" && strings.Contains(lite.Error(), c.SQLite)
	}
	return false
}

// IsReferenced tells whether err is the refusal to delete a row that others refer to.
func IsReferenced(err error) bool {
	var pg *pq.Error
	if errors.As(err, &pg) {
		return pg.Code == "23503" || pg.Code == "23001" // foreign_key_violation, restrict_violation
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		if lite.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER { // how ON DELETE RESTRICT answers, and triggers of our own do too
			return strings.Contains(lite.Error(), "FOREIGN KEY")
		}
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
	}
	return false
}

func isStalePlan(err error) bool {
	var pg *pq.Error
	return errors.As(err, &pg) && pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery"
}

// mapError gives driver errors that no domain can act on their place in the taxonomy; the cause stays for the log.
func mapError(err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.ErrTimeout.Because(err)
	case isUnavailable(err):
		return fault.ErrUnavailable.Because(err)
	}
	var pg *pq.Error
	if errors.As(err, &pg) {
		switch pg.Code {
		case "57014", "55P03", "25P03": // query_canceled, lock_not_available, idle_in_transaction_session_timeout
			return fault.ErrTimeout.Because(err)
		case "22021", "22P05": // character_not_in_repertoire, untranslatable_character: a text with a zero byte
			return fault.ErrInvalid.Because(err)
		}
	}
	return err
}

// isUnavailable tells whether the database cannot be reached or cannot write.
func isUnavailable(err error) bool {
	var pg *pq.Error
	if errors.As(err, &pg) {
		switch pg.Code.Class() {
		case "08", "53": // connection exception, insufficient resources
			return true
		}
		switch pg.Code {
		case "57P01", "57P02", "57P03", "25006": // shutdown, crash, cannot_connect_now, read_only_sql_transaction
			return true
		}
		return false
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return true
		}
		return false
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pq.ErrSSLNotSupported)
}
