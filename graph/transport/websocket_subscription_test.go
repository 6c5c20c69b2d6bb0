package transport

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

const ticks = `subscription { ticks { n text } }`

// listening returns a client with a subscription that stands.
func (k *kit) listening(id, query string) *client {
	before := k.subscribed.Load()
	c := k.signedIn("good")
	c.subscribe(id, query)
	k.eventually(func() bool { return k.subscribed.Load() == before+1 }, "subscribed")
	return c
}

func tick(n int, text string) string {
	return fmt.Sprintf(`{"data":{"ticks":{"n":%d,"text":%q}}}`, n, text)
}

func TestSubscriptionDeliversInOrderAndCompletes(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	c := k.listening("1", ticks)
	room.publish("a", "b")
	room.publish("c")
	for i, text := range []string{"a", "b", "c"} {
		require.Equal(t, tick(i+1, text), c.is("next", "1"))
	}
	room.change(func() { room.ended = true })
	c.is("complete", "1")
	c.isQuiet()
	require.Zero(t, room.readers())
	require.Zero(t, k.subscribed.Load())
	require.EqualValues(t, 1, k.begun.Load(), "the audit of reads begins once")
	c.subscribe("1", ticks) // the id is free
	for range 3 {
		c.is("next", "1")
	}
	c.is("complete", "1")
}

func TestSubscriptionCompletedByTheClientIsSilent(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	c := k.listening("1", ticks)
	c.send(`{"id":"1","type":"complete"}`)
	k.eventually(func() bool { return room.readers() == 0 }, "the feed is closed")
	room.publish("late")
	c.isQuiet()
}

// Of readers who ask for the same, one executes for all.
func TestSubscriptionEncodesOnceForAll(t *testing.T) {
	t.Parallel()
	const readers = 100
	k := newKit(t)
	var clients []*client
	for i := range readers {
		query := ticks
		if i%10 == 9 {
			query = `subscription { ticks { n text viewer } }` // differs by reader
		}
		clients = append(clients, k.listening(fmt.Sprintf("id-%d", i), query))
	}
	k.rooms[""].publish("a")
	for i, c := range clients {
		payload := c.is("next", fmt.Sprintf("id-%d", i))
		if i%10 == 9 {
			require.Contains(t, payload, `"viewer":"good"`)
		} else {
			require.Equal(t, tick(1, "a"), payload)
		}
	}
	require.EqualValues(t, 1+readers/10, k.executed.Load())
}

func TestSubscriptionClasses(t *testing.T) {
	t.Parallel()
	class := func(query string, variables map[string]any) string {
		doc := gqlparser.MustLoadQuery(liveSchema, query)
		return classOf(&graphql.OperationContext{RawQuery: query, Operation: doc.Operations[0], Variables: variables})
	}
	const plain = `subscription($room: String, $p: String, $s: Boolean = false) { ticks(room: $room) { n text(prefix: $p) ...F @skip(if: $s) } } fragment F on Tick { again: n __typename }`
	base := class(plain, map[string]any{"room": "a", "p": "x", "s": false})
	require.NotEmpty(t, base)
	require.Equal(t, base, class(plain, map[string]any{"room": "b", "p": "x", "s": false}), "arguments of the root choose the events")
	require.NotEqual(t, base, class(plain, map[string]any{"room": "a", "p": "y", "s": false}))
	require.NotEqual(t, base, class(plain, map[string]any{"room": "a", "p": "x", "s": true}))
	require.NotEqual(t, class(`subscription { ticks { n } }`, nil), class(`subscription { x: ticks { n } }`, nil))
	for _, query := range []string{
		`subscription { own { n } }`, `subscription { ticks { viewer } }`, `subscription { ticks { ... { viewer } } }`, `subscription { ticks { ...F } } fragment F on Tick { viewer }`,
	} {
		require.Empty(t, class(query, nil), query)
	}
}

// What fails in the shared execution is tried for each reader alone.
func TestSubscriptionSharedFailures(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	one, other := k.listening("1", ticks), k.listening("1", ticks)
	k.rooms[""].publish("boom")
	require.Contains(t, one.is("error", "1"), "INTERNAL")
	require.Contains(t, other.is("error", "1"), "INTERNAL")
}

func TestSubscriptionErrorsOfTheSource(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	c := k.listening("1", ticks)
	room.change(func() { room.nexts = fault.ErrResumeExpired })
	require.Contains(t, c.is("error", "1"), "RESUME_EXPIRED")
	c.isQuiet()
	require.Zero(t, room.readers())
}

func TestSubscriptionOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	c := k.listening("1", ticks)
	session := k.lastSession()
	room.change(func() { room.nexts = fault.ErrUnavailable })
	c.isQuiet()
	room.mu.Lock()
	room.nexts = nil // nobody wakes the reader
	room.mu.Unlock()
	viewer, _ := session.Viewer(t.Context())
	session.set(nil, fault.ErrUnavailable)
	room.publish("a")
	c.isQuiet()
	session.set(viewer, nil)
	require.Equal(t, tick(1, "a"), c.is("next", "1"))
	room.publish("away")
	c.isQuiet()
	require.Contains(t, c.is("next", "1"), "UNAVAILABLE", "an event that stays broken is told in the end")
	room.publish("b")
	require.Equal(t, tick(3, "b"), c.is("next", "1"))
}

func TestSubscriptionAccessIsCheckedAgainWhenRightsChange(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	room.check = func(ctx context.Context) error {
		if strings.HasPrefix(access.From(ctx).Email, "good") {
			return nil
		}
		return fault.ErrNotFound
	}
	c := k.listening("1", ticks)
	other := k.listening("1", ticks)
	room.publish("a", "b")
	for range 2 {
		c.is("next", "1")
		other.is("next", "1")
	}
	require.Equal(t, 2, room.checks)
	session := k.lastSession()
	session.set(&access.Viewer{Email: "good still"}, nil)
	room.publish("c")
	require.Equal(t, tick(3, "c"), other.is("next", "1"))
	session.set(&access.Viewer{Email: "removed"}, nil)
	room.publish("d")
	require.Contains(t, other.is("error", "1"), "NOT_FOUND")
	other.isQuiet()
	c.is("next", "1")
	require.Equal(t, tick(4, "d"), c.is("next", "1"))
}

func TestSubscriptionAccessWhenItOpens(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.rooms[""].check = func(context.Context) error { return fault.ErrForbidden }
	c := k.signedIn("good")
	c.subscribe("1", ticks)
	require.Contains(t, c.is("error", "1"), "FORBIDDEN")
	require.Zero(t, k.rooms[""].readers())
}

// The end of a session: nothing but what its own subscription has to say, then 4401.
func TestSocketOfARevokedSession(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.listening("1", ticks)
	c.subscribe("2", `subscription { session { text } }`)
	k.eventually(func() bool { return k.subscribed.Load() == 2 }, "both")
	k.session.change(func() { k.session.ended = true })
	k.session.mu.Lock()
	k.session.ended = false
	k.session.mu.Unlock()
	c.is("complete", "2")
	c.subscribe("2", `subscription { session { text } }`)
	k.eventually(func() bool { return k.subscribed.Load() == 2 }, "both")
	k.lastSession().end()
	k.rooms[""].publish("late")
	k.session.mu.Lock()
	k.session.ended = true
	k.session.mu.Unlock()
	k.session.publish("over")
	require.JSONEq(t, `{"data":{"session":{"text":"over"}}}`, c.is("next", "2"))
	c.is("complete", "2")
	c.isClosed(4401, "Session ended")
	k.eventually(func() bool { return k.open.Load() == 0 }, "gone")
	require.True(t, k.lastSession().closed)
}

func TestSocketOfAnExpiredSession(t *testing.T) {
	t.Parallel()
	over := fault.New(fault.Unauthenticated, "SESSION_EXPIRED", "Over.")
	t.Run("operation", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		c := k.signedIn("good")
		k.lastSession().set(nil, over)
		c.subscribe("1", "{ who }")
		c.isClosed(4401, "")
	})
	t.Run("event", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		c := k.listening("1", ticks)
		k.lastSession().set(nil, over)
		k.rooms[""].publish("late")
		c.isClosed(4401, "")
	})
	t.Run("its own subscription has nothing to say", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		c := k.listening("1", `subscription { session { n } }`)
		k.lastSession().end()
		c.isClosed(4401, "") // after a while
	})
	t.Run("the mutation that ended it is answered", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		c := k.signedIn("good")
		c.subscribe("1", "mutation { hang }")
		<-k.hanging
		c.subscribe("2", "{ hang }")
		<-k.hanging
		k.lastSession().end()
		close(k.hang)
		c.is("next", "1")
		c.is("complete", "1")
		c.isClosed(4401, "")
	})
}

// A client that does not read cannot keep its socket open, and hears nothing of what came after the revocation.
func TestSocketOfARevokedSessionWithAStuckWriter(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	c := k.listening("1", ticks)
	large := strings.Repeat("x", 64<<10)
	for range 200 {
		room.publish(large)
	}
	k.isStuck()
	k.lastSession().end()
	room.publish("after")
	begun := time.Now() //nolint:forbidigo // how long it really takes
	k.eventually(func() bool { return k.open.Load() == 0 && k.subscribed.Load() == 0 }, "cut")
	require.Less(t, time.Since(begun), 1500*time.Millisecond) //nolint:forbidigo // how long it really takes
	for {
		text, err := c.read()
		if err != nil {
			break
		}
		require.NotContains(t, text, "after")
	}
}

// isStuck waits until the only socket's worker has not come on for a while.
func (k *kit) isStuck() {
	k.t.Helper()
	last, same := int64(-1), 0
	k.eventually(func() bool {
		if now := k.executed.Load(); now != last {
			last, same = now, 0
		}
		same++
		return last > 0 && same > 50
	}, "stuck")
}

func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.SlowAfter = 200 * time.Millisecond })
	room := k.rooms[""]
	other := newSource(false)
	k.rooms["other"] = other
	c := k.listening("1", ticks)
	c.subscribe("2", `subscription { ticks(room: "other") { n } }`)
	k.eventually(func() bool { return k.subscribed.Load() == 2 }, "both")
	room.publish("first")
	c.is("next", "1")
	large := strings.Repeat("x", 64<<10)
	for range 200 {
		room.publish(large)
	}
	k.isStuck()
	stuckAt := k.sockets.wheel.time()
	k.eventually(func() bool { return k.sockets.wheel.time() > stuckAt+250*time.Millisecond }, "behind")
	last := 1
	for {
		text, err := c.read()
		require.NoError(t, err)
		if strings.Contains(text, `"type":"error"`) {
			require.Contains(t, text, "SLOW_CONSUMER")
			require.Contains(t, text, fmt.Sprintf(`"cursor":"at %d"`, last))
			break
		}
		last++
		require.Contains(t, text, fmt.Sprintf(`"n":%d,`, last))
	}
	require.Less(t, last, 201)
	other.publish("goes on")
	require.JSONEq(t, `{"data":{"ticks":{"n":1}}}`, c.is("next", "2"))
	require.Zero(t, room.readers())
}

func TestPace(t *testing.T) {
	t.Parallel()
	const s = time.Second
	var p pace
	p.woken(0)
	p.read(0, 100)
	require.False(t, p.isSlow(100*s, 10*s), "the first way to the end has no limit")
	p.read(100*s, 31)
	require.False(t, p.isSlow(110*s, 10*s))
	require.True(t, p.isSlow(111*s, 10*s), "31 events took longer than allowed")
	p.read(111*s, 0)
	require.False(t, p.isSlow(500*s, 10*s), "who has everything is not behind")
	p.woken(600 * s)
	p.woken(605 * s)
	p.read(606*s, 100)
	p.read(609*s, 100)
	require.False(t, p.isSlow(610*s, 10*s))
	require.True(t, p.isSlow(611*s, 10*s), "behind since it was woken")
	for at := 700 * s; at < 900*s; at += s {
		p.read(at, 5)
		require.False(t, p.isSlow(at+s, 10*s), "a stream that never rests is no fault of its reader")
	}
}

func TestSubscriptionSurvivesManyReadersAtOnce(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	var clients []*client
	for range 8 {
		clients = append(clients, k.listening("1", ticks))
	}
	const events = 500
	go func() {
		for i := range events {
			room.publish(fmt.Sprint(i))
		}
	}()
	var total atomic.Int64
	done := make(chan error, len(clients))
	for _, c := range clients {
		go func() {
			for i := range events {
				text, err := c.read()
				if err == nil && !strings.Contains(text, fmt.Sprintf(`"n":%d,`, i+1)) {
					err = fmt.Errorf("not event %d: %s", i+1, text)
				}
				if err != nil {
					done <- err
					return
				}
				total.Add(1)
			}
			done <- nil
		}()
	}
	for range clients {
		require.NoError(t, <-done)
	}
	require.EqualValues(t, events*len(clients), total.Load())
}
