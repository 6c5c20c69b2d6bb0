package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// listen opens an event stream by GET as the user of the cookie.
func (k *kit) listen(query, who string, change ...func(*http.Request)) *testkit.EventStream {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	k.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.server.URL+"?query="+url.QueryEscape(query), nil)
	require.NoError(k.t, err)
	r.Header.Set("Accept", "text/event-stream")
	if who != "" {
		r.AddCookie(&http.Cookie{Name: "who", Value: who})
	}
	for _, f := range change {
		f(r)
	}
	got, err := k.server.Client().Do(r)
	require.NoError(k.t, err)
	return testkit.ReadEvents(k.t, got)
}

// hearing is listen of ticks, once the subscription stands.
func (k *kit) hearing(change ...func(*http.Request)) *testkit.EventStream {
	before := k.subscribed.Load()
	s := k.listen(ticks, "good", change...)
	k.eventually(func() bool { return k.subscribed.Load() == before+1 }, "subscribed")
	return s
}

func ofTicks(n int, id, text string) testkit.ServerEvent {
	return testkit.ServerEvent{Kind: "next", ID: id, Data: tick(n, text)}
}

func requireEvent(t *testing.T, want testkit.ServerEvent, s *testkit.EventStream) {
	t.Helper()
	got, ok := s.Next()
	require.True(t, ok, "the stream has ended")
	require.Equal(t, want, got)
}

func requireRefused(t *testing.T, s *testkit.EventStream, code string) {
	t.Helper()
	got, ok := s.Next()
	require.True(t, ok, "the stream has ended")
	require.Equal(t, "next", got.Kind)
	require.Contains(t, got.Data, `"code":"`+code+`"`)
	s.IsComplete()
}

func TestEventStream_Format(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.hearing()
	require.Equal(t, http.StatusOK, s.Answer.StatusCode)
	assert.Equal(t, "text/event-stream; charset=utf-8", s.Answer.Header.Get("Content-Type"))
	assert.Equal(t, "no-store, no-transform", s.Answer.Header.Get("Cache-Control"))
	assert.Equal(t, "no", s.Answer.Header.Get("X-Accel-Buffering"))
	assert.Empty(t, s.Answer.Header.Get("Content-Encoding"))
	room := k.rooms[""]
	room.publish("a", "line\nbreak")
	requireEvent(t, ofTicks(1, "at 1", "a"), s)
	requireEvent(t, ofTicks(2, "at 2", "line\nbreak"), s)
	require.EqualValues(t, 1, k.open.Load(), "a stream counts as a socket")
	room.change(func() { room.ended = true })
	s.IsComplete()
	k.eventually(func() bool { return k.open.Load() == 0 && k.subscribed.Load() == 0 && room.readers() == 0 }, "all is let go")
}

// Last-Event-ID is where the stream goes on.
func TestEventStream_LastEventID(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) {
		o.Resume = func(source stream.Source, id string) error {
			n, err := strconv.Atoi(strings.TrimPrefix(id, "at "))
			if err != nil {
				return fault.ErrInvalid
			}
			source.(*fakeSource).after = n
			return nil
		}
	})
	k.rooms[""].publish("a", "b", "c")
	as := func(id string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Last-Event-ID", id) }
	}
	s := k.hearing(as("at 2"))
	requireEvent(t, ofTicks(3, "at 3", "c"), s)
	requireRefused(t, k.listen(ticks, "good", as("nonsense")), "INVALID_INPUT")
}

// Readers of the same share one execution, whatever they read over.
func TestEventStream_SharesExecutionsWithSockets(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.listening("1", ticks)
	s := k.hearing()
	k.rooms[""].publish("a")
	c.is("next", "1")
	requireEvent(t, ofTicks(1, "at 1", "a"), s)
	require.EqualValues(t, 1, k.executed.Load())
}

func TestEventStream_SessionEnds(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.hearing()
	k.lastSession().end()
	k.rooms[""].publish("secret")
	requireRefused(t, s, "SESSION_EXPIRED")
	k.eventually(func() bool { return k.lastSession().isClosed() }, "the session is let go")
}

// The fence before a delivery finds what nobody told of.
func TestEventStream_NothingAfterARevocation(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.hearing()
	k.lastSession().set(nil, fault.New(fault.Unauthenticated, "SESSION_EXPIRED", "Over."))
	k.rooms[""].publish("secret")
	requireRefused(t, s, "SESSION_EXPIRED")
}

// The source is asked again when the rights have changed.
func TestEventStream_RightsLost(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.hearing()
	room := k.rooms[""]
	room.change(func() { room.check = func(context.Context) error { return fault.ErrNotFound } })
	k.lastSession().set(&access.Viewer{Email: "other"}, nil)
	room.publish("secret")
	requireRefused(t, s, "NOT_FOUND")
}

// A stream about the session tells of its end, and then nothing more.
func TestEventStream_OfTheSession(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.listen(`subscription { session { text } }`, "good")
	k.eventually(func() bool { return k.subscribed.Load() == 1 }, "subscribed")
	k.session.publish("over")
	k.session.change(func() { k.session.ended = true })
	requireEvent(t, testkit.ServerEvent{Kind: "next", ID: "at 1", Data: `{"data":{"session":{"text":"over"}}}`}, s)
	s.IsComplete()
}

func TestEventStream_Refusals(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	requireRefused(t, k.listen(ticks, "bad"), "UNAUTHENTICATED")
	requireRefused(t, k.listen(`subscription { nothing }`, "good"), "GRAPHQL_VALIDATION_FAILED")
	requireRefused(t, k.listen(`subscription { ticks(room: "none") { n } }`, "good"), "NOT_FOUND")
	requireRefused(t, k.listen(`subscription { broken { n } }`, "good"), "INTERNAL")
	for want, s := range map[int]*testkit.EventStream{
		http.StatusServiceUnavailable: k.listen(ticks, "away"),
		http.StatusMethodNotAllowed:   k.listen(`mutation { touch }`, "good"),
		http.StatusBadRequest:         k.listen("", "good"),
	} {
		require.Equal(t, want, s.Answer.StatusCode)
	}
	k.eventually(func() bool { return k.open.Load() == 0 }, "all is let go")
}

// Queries and mutations have one result.
func TestEventStream_OneResult(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	post := func(query, accept string) *testkit.EventStream {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.server.URL, strings.NewReader(fmt.Sprintf(`{"query":%q}`, query)))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", accept)
		r.AddCookie(&http.Cookie{Name: "who", Value: "good"})
		got, err := k.server.Client().Do(r)
		require.NoError(t, err)
		return testkit.ReadEvents(t, got)
	}
	for _, s := range []*testkit.EventStream{post(`mutation { touch }`, "text/event-stream"), k.listen(`{ touch: who }`, "good")} {
		got, ok := s.Next()
		require.True(t, ok)
		require.Equal(t, "next", got.Kind)
		require.Contains(t, got.Data, `{"data":{"touch":`)
		s.IsComplete()
	}
	s := post(ticks, "text/event-stream, multipart/mixed")
	k.eventually(func() bool { return k.subscribed.Load() == 1 }, "subscribed")
	k.rooms[""].publish("a")
	requireEvent(t, ofTicks(1, "at 1", "a"), s)
	require.Equal(t, "application/json; charset=utf-8", post(`{ who }`, "application/json, text/event-stream").Answer.Header.Get("Content-Type"))
}

// Streams and sockets have one limit.
func TestEventStream_Limit(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.MaxSockets = 2 })
	k.listening("1", ticks)
	k.hearing()
	s := k.listen(ticks, "good")
	require.Equal(t, http.StatusServiceUnavailable, s.Answer.StatusCode)
	require.NotEmpty(t, s.Answer.Header.Get("Retry-After"))
}

// A server that stops ends streams without complete, so that their clients come back.
func TestEventStream_Stop(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.hearing()
	k.rooms[""].publish("a")
	requireEvent(t, ofTicks(1, "at 1", "a"), s)
	k.sockets.Close(t.Context())
	s.IsOver()
	require.Equal(t, http.StatusServiceUnavailable, k.listen(ticks, "good").Answer.StatusCode)
}

func TestEventStream_ClientLeaves(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	s := k.hearing()
	require.NoError(t, s.Answer.Body.Close())
	k.eventually(func() bool { return k.open.Load() == 0 && k.subscribed.Load() == 0 && k.lastSession().isClosed() }, "all is let go")
}

// Comments keep a quiet stream alive.
func TestEventStream_KeepAlive(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.PingEvery, o.DeadAfter = 20*time.Millisecond, 50*time.Millisecond })
	s := k.hearing()
	text := make([]byte, len(":\n\n"))
	for range 5 {
		_, err := s.Answer.Body.Read(text)
		require.NoError(t, err)
		require.Equal(t, ":\n\n", string(text))
	}
	require.EqualValues(t, 1, k.open.Load())
}

// A client that does not read is cut off, even while its session ends.
func TestEventStream_StuckReader(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.WriteTimeout = 200 * time.Millisecond })
	k.hearing()
	big := strings.Repeat("x", 64<<10)
	for range 200 {
		k.rooms[""].publish(big)
	}
	k.eventually(func() bool { return k.open.Load() == 0 }, "cut off")
}

func (s *fakeSession) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}
