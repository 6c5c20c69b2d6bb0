package store

import (
	"context"
	"net"
	"time"

	"github.com/lib/pq"

	"github.com/caregraph/caregraph/internal/clock"
)

const (
	pingEvery  = 5 * time.Second
	silence    = 3 * pingEvery // of a connection that is pinged: it is dead
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
)

// Listen hands what is notified on the channel to heard until ctx ends. It is for PostgreSQL. The connection is its own, is made again when it
// breaks, and is dead when a ping stays without an answer. lost is told when something may have been missed, with the error if there is one.
func (db *DB) Listen(ctx context.Context, channel string, heard func(payload string), lost func(error)) {
	listener := pq.NewDialListener(listenDialer{}, db.url, minBackoff, maxBackoff, func(event pq.ListenerEventType, err error) {
		if event == pq.ListenerEventDisconnected {
			lost(mapError(err))
		}
	})
	// Its methods wait for the network, so each is called aside.
	go func() {
		if listener.Listen(channel) == nil {
			lost(nil) // what came before this moment was not heard
		}
	}()
	defer func() {
		go func() {
			_ = listener.Close()
			for range listener.Notify { // lets its goroutine end
			}
		}()
	}()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-listener.Notify:
			if n == nil { // connected again
				lost(nil)
				continue
			}
			heard(n.Extra)
		case <-ping.C:
			go func() { _ = listener.Ping() }()
		}
	}
}

// listenDialer opens the connection that listens. A read of it may take as long as pings are apart, and a little more.
type listenDialer struct{}

// Dial implements pq.Dialer.
func (d listenDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialTimeout(network, address, maxBackoff)
}

// DialTimeout implements pq.Dialer.
func (listenDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, timeout) //nolint:noctx // lib/pq's listener knows no context
	if err != nil {
		return nil, err
	}
	return pinged{conn}, nil
}

// pinged is a connection that is never silent for long.
type pinged struct{ net.Conn }

// Read implements net.Conn.
func (c pinged) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(clock.System{}.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c pinged) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(clock.System{}.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
