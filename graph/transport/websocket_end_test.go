package transport

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/fault"
)

// The end of a session: nothing but what its own subscription has to say, then 4401.
func TestSocketOfARevokedSession(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.listening("1", ticks)
	c.subscribe("2", `subscription { session { text } }`)
	k.eventually(func() bool { return k.subscribed.Load() == 2 }, "both")
	k.lastSession().end()
	k.rooms[""].publish("late")
	c.isQuiet() // the socket waits for what its own subscription has to say
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
	const s, after = time.Second, 10 * time.Second
	var p pace
	p.woken(0)
	p.read(0, 100, 100, 5000, after)
	require.False(t, p.isSlow(100*s, after), "the first way to the end has no limit")
	p.read(90*s, 100, 5000, 6000, after)
	require.False(t, p.isSlow(100*s, after), "nor when it took long to what was the end then")
	p.read(100*s, 31, 6031, 6031, after)
	require.False(t, p.isSlow(110*s, after))
	require.True(t, p.isSlow(111*s, after), "31 events took longer than allowed")
	p.read(111*s, 0, 0, 0, after)
	require.False(t, p.isSlow(500*s, after), "who has everything is not behind")
	p.woken(600 * s)
	p.woken(605 * s)
	p.read(606*s, 100, 7000, 9000, after)
	p.read(609*s, 100, 7100, 9500, after)
	require.False(t, p.isSlow(610*s, after))
	require.True(t, p.isSlow(611*s, after), "behind since it was woken")
	for at := 700 * s; at < 900*s; at += s {
		p.read(at, 5, 0, 0, after)
		require.False(t, p.isSlow(at+s, after), "a stream that never rests is no fault of its reader")
	}
	position := int64(10_000)
	for at := 900 * s; at < 960*s; at += s {
		p.read(at, 100, position, position+90, after)
		require.False(t, p.isSlow(at+s, after), "nor are full batches, when the reader has within a second what was the newest")
		position += 100
	}
	for at := 960 * s; at < 980*s; at += s {
		p.read(at, 100, position, position+100_000, after)
	}
	require.True(t, p.isSlow(980*s, after), "while one who does not get there is behind")
}
