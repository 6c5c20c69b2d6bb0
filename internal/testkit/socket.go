package testkit

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/wsclient"
)

// Patience bounds every wait for something that should come: far longer than it ever takes.
const Patience = 15 * time.Second

// Socket is a websocket connection of a test, acknowledged by the server. Its methods fail the test when what should come does not.
type Socket struct {
	*wsclient.Conn
	tb testing.TB
}

// Feed is a subscription of a Socket.
type Feed struct {
	*wsclient.Subscription
	tb testing.TB
}

// DialSocket connects with the server whose base or endpoint URL is given and signs in with the token. The connection ends with the test at the latest.
func DialSocket(tb testing.TB, url, token string) *Socket {
	tb.Helper()
	return DialSocketWith(tb, url, wsclient.Options{Token: token})
}

// DialSocketWith is DialSocket with more to say.
func DialSocketWith(tb testing.TB, url string, opts wsclient.Options) *Socket {
	tb.Helper()
	ctx, cancel := patient(tb)
	defer cancel()
	conn, err := wsclient.Dial(ctx, url, opts)
	must(tb, err)
	tb.Cleanup(conn.Drop)
	return &Socket{Conn: conn, tb: tb}
}

// Socket connects as the client's user.
func (c *Client) Socket(tb testing.TB) *Socket {
	tb.Helper()
	return DialSocket(tb, c.URL, c.Token)
}

func patient(tb testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.Context(), Patience)
}

// Do runs a query or a mutation over the socket.
func (s *Socket) Do(query string, vars map[string]any) *answer.Answer {
	s.tb.Helper()
	ctx, cancel := patient(s.tb)
	defer cancel()
	a, err := s.Conn.Do(ctx, query, vars)
	must(s.tb, err)
	return a
}

// Subscribe starts a subscription.
func (s *Socket) Subscribe(query string, vars map[string]any) *Feed {
	s.tb.Helper()
	sub, err := s.Conn.Subscribe(query, vars)
	must(s.tb, err)
	return &Feed{Subscription: sub, tb: s.tb}
}

// Closed waits for the server to close the connection and returns the code.
func (s *Socket) Closed() int {
	s.tb.Helper()
	select {
	case <-s.Done():
		return wsclient.CloseCode(s.Err())
	case <-time.After(Patience):
		s.tb.Fatal("the socket is still open")
		return 0
	}
}

// Next returns the next event, which must have no errors.
func (f *Feed) Next() *answer.Answer {
	f.tb.Helper()
	ctx, cancel := patient(f.tb)
	defer cancel()
	a, err := f.Subscription.Next(ctx)
	if err != nil {
		f.tb.Fatalf("no event: %v", err)
	}
	if len(a.Errors) > 0 {
		f.tb.Fatalf("an event with errors: %+v", a.Errors)
	}
	return a
}

// End waits for the end of the subscription and returns its code: "" after complete. Events that come before are returned too.
func (f *Feed) End() (code string, before []*answer.Answer) {
	f.tb.Helper()
	ctx, cancel := patient(f.tb)
	defer cancel()
	for {
		a, err := f.Subscription.Next(ctx)
		if err == nil {
			before = append(before, a)
			continue
		}
		if faults, ok := errors.AsType[wsclient.ErrFaults](err); ok {
			return faults.Code(), before
		}
		if !errors.Is(err, io.EOF) {
			f.tb.Fatalf("the subscription ended otherwise: %v", err)
		}
		return "", before
	}
}

// Rest returns what else came before the connection was over, however it ended.
func (f *Feed) Rest() (rest []*answer.Answer) {
	f.tb.Helper()
	ctx, cancel := patient(f.tb)
	defer cancel()
	for {
		a, err := f.Subscription.Next(ctx)
		if ctx.Err() != nil {
			f.tb.Fatal("the subscription is still open")
		}
		if err != nil {
			return rest
		}
		rest = append(rest, a)
	}
}
