package testkit

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
)

// Faults stands between a pool of connections and its driver (store.Config.Wrap) and makes one of the writes go wrong. A write is a statement that changes rows, or a commit.
type Faults struct {
	mu     sync.Mutex
	writes int
	at     int // the number of the write that goes wrong; 0 = none
	how    trouble
	err    error
	dead   bool
	seen   []string
}

type trouble uint8

const (
	failing trouble = iota
	dyingBefore
	dyingAfter
)

// ErrKilled is what everything answers after a kill.
var ErrKilled = errors.New("testkit: the process is dead")

// FailAt makes the nth write from now fail with err before it reaches the database. The connection stays good.
func (f *Faults) FailAt(n int, err error) { f.set(n, failing, err) }

// KillBefore makes the process die just before the nth write from now: nothing reaches the database any more, what is not committed is rolled back.
func (f *Faults) KillBefore(n int) { f.set(n, dyingBefore, nil) }

// KillAfter makes the process die when the nth write from now is done and its answer has not arrived: a commit stands, though nobody knows.
func (f *Faults) KillAfter(n int) { f.set(n, dyingAfter, nil) }

func (f *Faults) set(n int, how trouble, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes, f.at, f.how, f.err, f.seen = 0, n, how, err, nil
}

// Watch counts writes from now on without a fault.
func (f *Faults) Watch() { f.set(0, failing, nil) }

// Seen returns the writes since the last FailAt, KillBefore, KillAfter or Watch.
func (f *Faults) Seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

// Dead tells whether the kill has happened.
func (f *Faults) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// Wrap returns a connector whose connections obey f.
func (f *Faults) Wrap(c driver.Connector) driver.Connector { return faultyConnector{c, f} }

// before is asked ahead of every statement and commit.
func (f *Faults) before(text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return ErrKilled
	}
	if !isWrite(text) {
		return nil
	}
	f.writes++
	f.seen = append(f.seen, text)
	if f.writes != f.at {
		return nil
	}
	switch f.how {
	case failing:
		return f.err
	case dyingBefore:
		f.dead = true
		return ErrKilled
	default:
		return nil
	}
}

// after is asked when a write is done, by its number in the order of before: with several connections the one that reached it.
func (f *Faults) after(text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.dead && f.how == dyingAfter && f.at > 0 && f.writes >= f.at && isWrite(text) {
		f.dead = true
	}
	if f.dead {
		return ErrKilled
	}
	return nil
}

const commit = "COMMIT"

func isWrite(text string) bool {
	text = strings.ToUpper(strings.TrimLeft(text, " \t\r\n("))
	for _, verb := range []string{"INSERT", "UPDATE", "DELETE", "REPLACE", commit} {
		if strings.HasPrefix(text, verb) {
			return true
		}
	}
	return strings.HasPrefix(text, "WITH") && (strings.Contains(text, "INSERT INTO") || strings.Contains(text, "UPDATE ") || strings.Contains(text, "DELETE FROM"))
}

type faultyConnector struct {
	driver.Connector
	faults *Faults
}

// Connect implements driver.Connector.
func (c faultyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.faults.Dead() {
		return nil, ErrKilled
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{conn, c.faults}, nil
}
