package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	openTimeout = 30 * time.Second
	sendTimeout = 10 * time.Second
	dialers     = 32 // sockets that are opened at once
	openFrames  = 5  // frames before the expected one
)

// crowd is the sockets of one server, all of them watching their rooms.
type crowd struct {
	url     string
	speech  speech
	ledger  *ledger
	sockets []*socket

	buffers sync.Pool
	writes  sync.Pool // gorilla's buffers
	failed  atomic.Pointer[error]
	stop    context.CancelCauseFunc // of the load that runs
	closing atomic.Bool
	reading sync.WaitGroup
}

// socket is one client. A goroutine of its own reads; writers take turns.
type socket struct {
	crowd *crowd
	seat  seat
	index int
	conn  *websocket.Conn

	writing  sync.Mutex
	first    atomic.Int64 // position of the first message that came
	last     atomic.Int64 // position of the newest message that came
	received atomic.Int64
}

func newCrowd(s speech, readers int) *crowd {
	c := &crowd{speech: s, ledger: newLedger(readers), stop: func(error) {}}
	c.buffers.New = func() any { return new(bytes.Buffer) }
	return c
}

// open opens a socket per seat, beside those that are open.
func (c *crowd) open(ctx context.Context, seats []seat) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	from := len(c.sockets)
	c.sockets = append(c.sockets, make([]*socket, len(seats))...)
	next, all := atomic.Int64{}, sync.WaitGroup{}
	for range dialers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(seats) || ctx.Err() != nil {
					return
				}
				if err := c.openOne(ctx, seats[i], from+i); err != nil {
					cancel(fmt.Errorf("socket %d of %d: %w", from+i+1, len(c.sockets), err))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (c *crowd) openOne(ctx context.Context, s seat, index int) error {
	dialer := websocket.Dialer{
		Subprotocols: c.speech.subprotocols(), HandshakeTimeout: openTimeout, ReadBufferSize: 512, WriteBufferSize: 1024, WriteBufferPool: &c.writes,
		NetDialContext: (&net.Dialer{Timeout: openTimeout}).DialContext,
	}
	header := http.Header{"User-Agent": {"caregraph-bench"}}
	conn, answer, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.url, "http")+c.speech.path(), header)
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("%w: status %d", err, answer.StatusCode)
		}
		return fmt.Errorf("cannot be opened: %w", err)
	}
	k := &socket{crowd: c, seat: s, index: index, conn: conn}
	c.sockets[index] = k
	for _, step := range []struct {
		say    []byte
		isDone func([]byte) bool
	}{{c.speech.hello(s), c.speech.isWelcome}, {c.speech.watch(s), c.speech.isWatching}} {
		if err := k.ask(step.say, step.isDone); err != nil {
			return err
		}
	}
	c.reading.Go(k.read)
	return nil
}

// ask writes a frame and waits for the one that answers it.
func (k *socket) ask(say []byte, isDone func([]byte) bool) error {
	deadline := time.Now().Add(openTimeout)
	if err := errors.Join(k.conn.SetReadDeadline(deadline), k.write(say)); err != nil {
		return err
	}
	for range openFrames {
		_, f, err := k.conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("no answer to %.60s: %w", say, err)
		}
		if isDone(f) {
			return k.conn.SetReadDeadline(time.Time{})
		}
		if err := k.crowd.speech.read(f, k); err != nil { // a ping
			return err
		}
	}
	return fmt.Errorf("no answer to %.60s among %d frames", say, openFrames)
}

func (k *socket) write(f []byte) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := k.conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	return k.conn.WriteMessage(websocket.TextMessage, f)
}

// read understands frames until the socket is closed.
func (k *socket) read() {
	for {
		_, from, err := k.conn.NextReader()
		if err == nil {
			buffer, _ := k.crowd.buffers.Get().(*bytes.Buffer)
			buffer.Reset()
			if _, err = buffer.ReadFrom(io.LimitReader(from, maxAnswer)); err == nil {
				err = k.crowd.speech.read(buffer.Bytes(), k)
			}
			k.crowd.buffers.Put(buffer)
		}
		if err != nil {
			k.crowd.fail(fmt.Errorf("socket %d: %w", k.index, err))
			return
		}
	}
}

// delivered implements reader. Positions of a room are dense: each message follows the one before.
func (k *socket) delivered(n int, position int64) {
	k.received.Add(1)
	if position > 0 {
		if last := k.last.Swap(position); last == 0 {
			k.first.Store(position)
		} else if position != last+1 {
			k.crowd.fail(fmt.Errorf("socket %d was told of message %d of its room after %d", k.index, position, last))
		}
	}
	if err := k.crowd.ledger.delivered(n, k.index); err != nil {
		k.crowd.fail(err)
	}
}

func (k *socket) acknowledged(n int) {
	if err := k.crowd.ledger.acknowledged(n); err != nil {
		k.crowd.fail(err)
	}
}

func (k *socket) pinged(pong []byte) {
	if err := k.write(pong); err != nil {
		k.crowd.fail(fmt.Errorf("socket %d: %w", k.index, err))
	}
}

// fail ends the load with the first error.
func (c *crowd) fail(err error) {
	if !c.closing.Load() && c.failed.CompareAndSwap(nil, &err) {
		c.stop(err)
	}
}

// problem is the first error of any socket.
func (c *crowd) problem() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// close drops all connections and waits for their readers.
func (c *crowd) close() {
	c.closing.Store(true)
	for _, k := range c.sockets {
		if k != nil {
			_ = k.conn.NetConn().Close()
		}
	}
	c.reading.Wait()
}
