package transport

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

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

func TestSubscriptionCompletedWhileAnEventIsExecutedIsSilent(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	room := k.rooms[""]
	c := k.listening("1", ticks)
	room.publish("hang", "late")
	<-k.hanging
	c.send(`{"id":"1","type":"complete"}`)
	c.subscribe("1", `subscription { ticks { n } }`) // is another one
	k.eventually(func() bool { return room.readers() == 2 }, "both")
	close(k.hang)
	for n := range 2 {
		require.JSONEq(t, fmt.Sprintf(`{"data":{"ticks":{"n":%d}}}`, n+1), c.is("next", "1"))
	}
	c.isQuiet()
	k.eventually(func() bool { return room.readers() == 1 }, "the first feed is closed")
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
		doc, errs := gqlparser.LoadQueryWithRules(liveSchema, query, nil)
		require.Empty(t, errs)
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
	require.Contains(t, c.is("error", "1"), "UNAVAILABLE", "an event that stays broken is not passed over: the reader goes on behind its last one")
	room.publish("b")
	c.isQuiet()
	require.Zero(t, room.readers())
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
