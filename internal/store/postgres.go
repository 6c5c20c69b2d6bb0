package store

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/lib/pq"

	"github.com/caregraph/caregraph/internal/clock"
)

const (
	dialTimeout = 2 * time.Second
	replyGrace  = 500 * time.Millisecond // for the server's own word that a statement timed out
)

// openPostgres makes the pool, and a second one of a single connection for probes. lib/pq does not end a read when a context ends on a
// dead network, so every read and write of a connection has a deadline a little beyond the server's own statement timeout.
func openPostgres(cfg Config) (pool, probes *sql.DB, err error) {
	dsn, err := postgresDSN(cfg.URL, cfg.StatementTimeout)
	if err != nil {
		return nil, nil, err
	}
	if pool, err = connect(dsn, cfg.StatementTimeout+replyGrace, cfg.Wrap); err != nil {
		return nil, nil, err
	}
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if probes, err = connect(dsn, cfg.ProbeTimeout, nil); err != nil {
		return nil, nil, err
	}
	probes.SetMaxOpenConns(1)
	return pool, probes, nil
}

func connect(dsn string, io time.Duration, wrap func(sqldriver.Connector) sqldriver.Connector) (*sql.DB, error) {
	connector, err := pq.NewConnector(dsn)
	if err != nil {
		return nil, errBadURL
	}
	connector.Dialer(&dialer{io: io})
	if wrap != nil {
		return sql.OpenDB(wrap(connector)), nil
	}
	return sql.OpenDB(connector), nil
}

var errBadURL = errors.New("DATABASE_URL is not a PostgreSQL URL") // the driver's error would show the password

// postgresDSN adds the server-side limits and UTC to the operator's URL; settings the operator gave stay.
func postgresDSN(raw string, statement time.Duration) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", errBadURL
	}
	q := u.Query()
	milliseconds := strconv.FormatInt(statement.Milliseconds(), 10)
	for name, value := range map[string]string{
		"statement_timeout": milliseconds, "lock_timeout": milliseconds, "idle_in_transaction_session_timeout": "15000",
		"timezone": "UTC", "application_name": "caregraph", "connect_timeout": "3", "synchronous_commit": "on",
	} {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// dialer opens connections whose reads and writes end.
type dialer struct{ io time.Duration }

// Dial implements pq.Dialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialTimeout(network, address, dialTimeout)
}

// DialTimeout implements pq.Dialer.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext implements pq.DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &deadlineConn{Conn: conn, io: d.io}, nil
}

type deadlineConn struct {
	net.Conn
	io time.Duration
}

// Read implements net.Conn.
func (c *deadlineConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(clock.System{}.Now().Add(c.io)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *deadlineConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(clock.System{}.Now().Add(c.io)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
