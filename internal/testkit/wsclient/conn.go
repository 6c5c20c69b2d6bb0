package wsclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/caregraph/caregraph/internal/testkit/answer"
)

// Conn is an acknowledged connection that carries operations.
type Conn struct {
	// Ack is the payload of connection_ack.
	Ack answer.Answer

	raw     *Raw
	leaving func()
	left    <-chan struct{} // closed when this side ends the connection
	done    chan struct{}   // closed when it is over
	err     error           // why; readable once done is closed

	mu      sync.Mutex
	last    int
	subs    map[string]*Subscription // under way; nil when the connection is over
	stopped map[string]struct{}      // by this side, and the server has not said complete
}

// Subscription is one operation under way.
type Subscription struct {
	id      string
	conn    *Conn
	results chan *answer.Answer // closed at an end from the other side
	err     error               // why, readable then
	stopped chan struct{}       // closed by Stop
}

// ErrFaults is the end of an operation by the protocol's error message.
type ErrFaults []answer.Fault

// Error implements error.
func (e ErrFaults) Error() string {
	if len(e) == 0 {
		return "an error without errors"
	}
	return e[0].Code() + ": " + e[0].Message
}

// Code returns the code of the first error.
func (e ErrFaults) Code() string {
	if len(e) == 0 {
		return ""
	}
	return e[0].Code()
}

// ErrStopped is the end of a subscription that the client itself stopped.
var ErrStopped = errors.New("stopped")

// backlog is how many results one operation may have waiting. Beyond it nothing more is read from the connection: a reader who stops, stops the whole socket.
const backlog = 256

// Dial connects, sends connection_init and returns once it is acknowledged. When the server closes instead, CloseCode tells the error's code.
func Dial(ctx context.Context, url string, opts Options) (*Conn, error) {
	raw, err := DialRaw(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Drop() })
	defer stop()
	ack, err := raw.open(opts.Token)
	if err != nil {
		return nil, errors.Join(err, raw.Drop())
	}
	left := make(chan struct{})
	leaving := sync.OnceFunc(func() { close(left) })
	c := &Conn{raw: raw, leaving: leaving, left: left, done: make(chan struct{}), subs: map[string]*Subscription{}, stopped: map[string]struct{}{}, Ack: ack}
	go c.read()
	return c, nil
}

func (r *Raw) open(token string) (ack answer.Answer, err error) {
	if err := r.Init(token); err != nil {
		return ack, err
	}
	for {
		m, err := r.Read(writeTime)
		switch {
		case err != nil:
			return ack, err
		case m.Type == "ping":
			if err := r.Send(Message{Type: "pong"}); err != nil {
				return ack, err
			}
		case m.Type == "connection_ack":
			return answer.Parse(payload(map[string]any{"data": m.Payload}))
		default:
			return ack, fmt.Errorf("%s before connection_ack", m.Type)
		}
	}
}

// Subscribe starts an operation of any kind. vars may be nil.
func (c *Conn) Subscribe(query string, vars map[string]any) (*Subscription, error) {
	c.mu.Lock()
	c.last++
	s := &Subscription{id: strconv.Itoa(c.last), conn: c, results: make(chan *answer.Answer, backlog), stopped: make(chan struct{})}
	if c.subs == nil {
		c.mu.Unlock()
		return nil, c.Err()
	}
	c.subs[s.id] = s
	c.mu.Unlock()
	if err := c.raw.Subscribe(s.id, query, vars); err != nil {
		return nil, err // the connection is over
	}
	return s, nil
}

// Do runs a query or a mutation and returns its result once it is complete. An operation that the server refused has its faults in the answer.
func (c *Conn) Do(ctx context.Context, query string, vars map[string]any) (*answer.Answer, error) {
	s, err := c.Subscribe(query, vars)
	if err != nil {
		return nil, err
	}
	result, err := s.Next(ctx)
	if faults, isRefused := errors.AsType[ErrFaults](err); isRefused {
		return &answer.Answer{Errors: faults}, nil
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	switch extra, err := s.Next(ctx); {
	case extra != nil:
		return nil, errors.Join(errors.New("more than one result"), s.Stop())
	case errors.Is(err, io.EOF):
		return result, nil
	default:
		return nil, errors.Join(err, s.Stop())
	}
}

// Close says goodbye and returns when the connection is over.
func (c *Conn) Close() error {
	c.leaving()
	err := c.raw.Close(websocket.CloseNormalClosure)
	<-c.done
	return err
}

// Drop ends the connection without a word.
func (c *Conn) Drop() {
	c.leaving()
	_ = c.raw.Drop()
	<-c.done
}

// Done is closed when the connection is over.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err waits for the end of the connection and tells why; see CloseCode.
func (c *Conn) Err() error {
	<-c.done
	return c.err
}

// read hands out what comes until the connection is over.
func (c *Conn) read() {
	err := c.handle()
	_ = c.raw.Drop()
	c.mu.Lock()
	left := c.subs
	c.subs = nil
	c.mu.Unlock()
	c.err = err
	close(c.done)
	for _, s := range left {
		s.finish(err)
	}
}

func (c *Conn) handle() error {
	for {
		m, err := c.raw.Read(0)
		if err != nil {
			return err
		}
		switch m.Type {
		case "next":
			err = c.next(m)
		case "error":
			var faults []answer.Fault
			if faults, err = answer.ParseFaults(m.Payload); err == nil {
				err = c.finish(m, ErrFaults(faults))
			}
		case "complete":
			err = c.finish(m, io.EOF)
		case "ping":
			err = c.raw.Send(Message{Type: "pong"})
		case "pong":
		default:
			err = fmt.Errorf("%s from a server", m.Type)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Conn) next(m Message) error {
	s, err := c.find(m)
	if s == nil {
		return err
	}
	a, err := answer.Parse(m.Payload)
	if err != nil {
		return err
	}
	select {
	case s.results <- &a:
	case <-s.stopped:
	case <-c.left:
	}
	return nil
}

func (c *Conn) finish(m Message, end error) error {
	s, err := c.find(m)
	if err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.subs, m.ID)
	delete(c.stopped, m.ID)
	c.mu.Unlock()
	if s != nil {
		s.finish(end)
	}
	return nil
}

// find returns the operation of a message; nil when it was stopped here: the server may not know yet. Anything else is the server's mistake.
func (c *Conn) find(m Message) (*Subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.subs[m.ID]; s != nil {
		return s, nil
	}
	if _, ok := c.stopped[m.ID]; !ok {
		return nil, fmt.Errorf("%s for operation %q, which is over or never was", m.Type, m.ID)
	}
	return nil, nil //nolint:nilnil // nobody wants it any more
}

// Next waits for the next result. Errors: io.EOF after complete, ErrFaults after the protocol's error, ErrStopped, why the connection was lost, or that of ctx.
func (s *Subscription) Next(ctx context.Context) (*answer.Answer, error) {
	select {
	case a, ok := <-s.results:
		if ok {
			return a, nil
		}
		return nil, s.err
	case <-s.stopped:
		return nil, ErrStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Stop ends the operation from this side. It does nothing when it is over.
func (s *Subscription) Stop() error {
	s.conn.mu.Lock()
	_, underway := s.conn.subs[s.id]
	if underway {
		delete(s.conn.subs, s.id)
		s.conn.stopped[s.id] = struct{}{}
		close(s.stopped)
	}
	s.conn.mu.Unlock()
	if !underway {
		return nil
	}
	return s.conn.raw.Send(Message{ID: s.id, Type: "complete"})
}

// finish is called by the reading goroutine alone.
func (s *Subscription) finish(err error) {
	s.err = err
	close(s.results)
}
