package identity_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
)

const patience = 20 * time.Second

var quiet = slog.New(slog.DiscardHandler)

// wire joins instances as a bus does, at once, unless it is cut.
type wire struct {
	mu    sync.Mutex
	plugs []*plug
	isCut atomic.Bool
}

type plug struct {
	*wire
	hint func(stream.Hint)
}

func (w *wire) plug() *plug {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &plug{wire: w}
	w.plugs = append(w.plugs, p)
	return p
}

func (p *plug) Send(hints ...stream.Hint) {
	if p.isCut.Load() {
		return
	}
	for _, other := range p.plugs {
		for _, h := range hints {
			if other != p {
				other.hint(h)
			}
		}
	}
}

func (p *plug) Receive(hint func(stream.Hint), _ func()) { p.hint = hint }

func (*plug) Run(ctx context.Context) { <-ctx.Done() }

// deaf makes an instance that is told of others by nothing but the bus, and whose loops do not run.
func deaf(t *testing.T, db *store.DB, bus stream.Bus, change ...func(c *identity.Config)) *identity.Service {
	t.Helper()
	return instance(t, db, append(change, func(c *identity.Config) { c.Streams = stream.New(db, bus, quiet) })...)
}

// running makes an instance whose loops run until the end of the test.
func running(t *testing.T, db *store.DB) *identity.Service {
	t.Helper()
	s := deaf(t, db, stream.NewBus(db, quiet))
	ctx, stop := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context){s.Run, s.Live().Run, s.Streams.Run} {
		loops.Go(func() { loop(ctx) })
	}
	t.Cleanup(func() { stop(); loops.Wait() })
	return s
}

// withStreams gives the clinic's own service streams.
func withStreams(c *identity.Config) { c.Streams = stream.New(c.DB, nil, quiet) }

// listener is a subscription to sessionEvents.
type listener struct {
	stream.Feed
	woken chan struct{}
}

func listen(t testing.TB, s *identity.Service, v *access.Viewer) *listener {
	t.Helper()
	ctx := access.As(t.Context(), v)
	source, err := s.Live().Source(ctx)
	require.NoError(t, err)
	require.NoError(t, source.Check(ctx))
	l := &listener{woken: make(chan struct{}, 1)}
	l.Feed, err = source.Open(ctx, l.wake)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// heard returns the values of the events that are there, and whether the stream has ended.
func (l *listener) heard(t require.TestingT) (list []any, isOver bool) {
	for {
		page, err := l.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return list, true
		}
		require.NoError(t, err)
		if len(page) == 0 {
			return list, false
		}
		for _, e := range page {
			list = append(list, e.Value)
		}
	}
}

// await waits for n events and returns them.
func (l *listener) await(t require.TestingT, n int) (list []any) {
	deadline := time.After(patience)
	for {
		more, _ := l.heard(t)
		if list = append(list, more...); len(list) >= n {
			require.Len(t, list, n, "%+v", list)
			return list
		}
		select {
		case <-l.woken:
		case <-deadline:
			require.FailNow(t, "not woken", "have %+v, want %d", list, n)
		}
	}
}

// silent checks that there is nothing to hear.
func (l *listener) silent(t require.TestingT) {
	list, isOver := l.heard(t)
	assert.Empty(t, list)
	assert.False(t, isOver)
}

// ends waits for the last event.
func (l *listener) ends(t require.TestingT, reason session.EndReason) {
	last := l.await(t, 1)[0]
	require.IsType(t, identity.SessionEnded{}, last)
	assert.Equal(t, reason, last.(identity.SessionEnded).Reason)
	_, err := l.Next(context.Background())
	assert.ErrorIs(t, err, io.EOF)
}

// socket is an open socket of the viewer.
type socket struct {
	*identity.LiveSession
	ended chan struct{} // an element for every time it was told
}

func open(t testing.TB, s *identity.Service, v *access.Viewer) *socket {
	t.Helper()
	live, err := s.Live().Open(t.Context(), v)
	require.NoError(t, err)
	t.Cleanup(live.Close)
	o := &socket{LiveSession: live, ended: make(chan struct{}, 9)}
	live.OnEnd(func() { o.ended <- struct{}{} })
	return o
}

// requireEnds waits until the socket is told that its session is over.
func (o *socket) requireEnds(t *testing.T) {
	t.Helper()
	select {
	case <-o.ended:
	case <-time.After(patience):
		require.Fail(t, "the socket was not told")
	}
	_, err := o.Viewer(t.Context())
	requireFault(t, err, "SESSION_EXPIRED")
	assert.Empty(t, o.ended, "told once")
}

func look(t require.TestingT, services ...*identity.Service) {
	for _, s := range services {
		require.NoError(t, s.Live().Look(context.Background()))
	}
}
