package transport

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

func TestTooManySockets(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.MaxSockets = 2 })
	first := k.connect()
	k.signedIn("good")
	k.connect().isClosed(4429, "Too many sockets")
	require.EqualValues(t, 2, k.open.Load())
	_ = first.conn.Close()
	k.eventually(func() bool { return k.open.Load() == 1 }, "a place is free")
	k.signedIn("good")
}

func TestTooManyOperations(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.MaxOperations = 3 })
	c := k.signedIn("good")
	for i := range 3 {
		c.subscribe(fmt.Sprint(i), ticks)
	}
	k.eventually(func() bool { return k.subscribed.Load() == 3 }, "full")
	c.subscribe("more", ticks)
	require.Contains(t, c.is("error", "more"), `"code":"LIMIT"`)
	c.subscribe("query", "{ who }")
	c.is("next", "query")
	c.is("complete", "query")
	c.send(`{"id":"1","type":"complete"}`)
	c.subscribe("more", ticks)
	k.eventually(func() bool { return k.subscribed.Load() == 3 }, "a place was free")
}

func TestDeadPeer(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.PingEvery, o.DeadAfter = 100*time.Millisecond, 300*time.Millisecond })
	dead, lively := k.signedIn("good"), k.listening("1", ticks)
	pings := 0
	dead.conn.SetPingHandler(func(string) error { pings++; return nil }) // and no answer
	answer := lively.conn.PingHandler()
	lived := make(chan struct{}, 100)
	lively.conn.SetPingHandler(func(data string) error { lived <- struct{}{}; return answer(data) })
	go func() { _, _ = lively.read() }()
	_, err := dead.read()
	require.Error(t, err)
	require.GreaterOrEqual(t, pings, 1)
	k.eventually(func() bool { return k.open.Load() == 1 }, "the dead one is gone")
	for range 8 {
		select {
		case <-lived:
		case <-time.After(patience):
			require.Fail(t, "the lively one was taken for dead")
		}
	}
	require.EqualValues(t, 1, k.open.Load())
}

func TestWheelOfASuspendedMachine(t *testing.T) {
	t.Parallel()
	w := newWheel(32 * time.Millisecond)
	require.Equal(t, time.Millisecond, w.advance(time.Millisecond))
	require.Equal(t, 3*time.Millisecond, w.advance(time.Hour), "nobody is dead because this program did not run")
}

func TestWheelRunsWhileThereAreSockets(t *testing.T) {
	t.Parallel()
	w := newWheel(32 * time.Millisecond)
	s := &socket{t: &Websocket{options: WebsocketOptions{InitTimeout: time.Hour, PingEvery: time.Hour, DeadAfter: time.Hour}, wheel: w}, slot: -1, pingAt: time.Hour}
	w.add(s)
	require.Eventually(t, func() bool { return w.time() > 10*time.Millisecond }, patience, time.Millisecond)
	w.remove(s)
	require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return !w.running }, patience, time.Millisecond, "no sockets, no goroutine")
}

func TestResultsThatPileUpEndTheSocket(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.WriteTimeout = time.Minute })
	c := k.signedIn("good")
	text := strings.Repeat("x", 3<<10)
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience)) //nolint:forbidigo // the network's
	for k.open.Load() > 0 && c.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping","payload":{"a":"`+text+`"}}`)) == nil {
		continue
	}
	k.eventually(func() bool { return k.open.Load() == 0 }, "cut")
}

func TestWritesHaveADeadline(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.WriteTimeout = 300 * time.Millisecond })
	k.listening("1", ticks)
	large := strings.Repeat("x", 64<<10)
	for range 200 {
		k.rooms[""].publish(large)
	}
	k.eventually(func() bool { return k.open.Load() == 0 }, "cut")
}

func TestStop(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	waiting, listening, busy := k.connect(), k.listening("1", ticks), k.signedIn("good")
	busy.subscribe("1", "mutation { hang }")
	<-k.hanging
	done := make(chan struct{})
	go func() { defer close(done); k.sockets.Close(context.Background()) }()
	waiting.isClosed(1001, "Going away")
	listening.isClosed(1001, "Going away")
	_, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(k.server.URL, "http"), nil)
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	_ = response.Body.Close()
	close(k.hang)
	busy.is("next", "1")
	busy.is("complete", "1")
	busy.isClosed(1001, "Going away")
	<-done
	require.Zero(t, k.open.Load())
}

func TestStopDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.signedIn("good")
	c.subscribe("1", "{ hang }")
	<-k.hanging
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	k.sockets.Close(ctx)
	_, err := c.read()
	require.Error(t, err)
	k.eventually(func() bool { return k.open.Load() == 0 }, "the operation was cancelled")
}

// Opening and closing subscriptions and sockets leaves nothing behind.
func TestNothingIsLeftBehind(t *testing.T) { //nolint:paralleltest // it counts goroutines
	rounds, perSocket := 10, 50
	if os.Getenv("CAREGRAPH_LONG") != "" {
		rounds, perSocket = 100, 100
	}
	k := newKit(t)
	round := func(n int) {
		c := k.signedIn("good")
		for i := range n {
			c.subscribe(fmt.Sprint(i), ticks)
		}
		k.eventually(func() bool { return k.subscribed.Load() == int64(n) }, "open")
		for i := range n / 2 {
			c.send(fmt.Sprintf(`{"id":"%d","type":"complete"}`, i))
		}
		c.isQuiet()
		_ = c.conn.Close()
		k.eventually(func() bool { return k.open.Load() == 0 && k.subscribed.Load() == 0 }, "closed")
	}
	round(perSocket)
	goroutines, heap := measure()
	for range rounds {
		round(perSocket)
	}
	k.sessions = nil // the test's own
	k.eventually(func() bool {
		nowGoroutines, nowHeap := measure()
		t.Logf("goroutines %d, then %d; heap %d, then %d", goroutines, nowGoroutines, heap, nowHeap)
		return nowGoroutines <= goroutines+5 && nowHeap <= heap+2<<20
	}, "goroutines and memory are as before")
	require.Zero(t, k.rooms[""].readers())
}

func measure() (goroutines int, heap uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// An idle socket with a subscription costs one goroutine and no more than 30 KB.
func TestIdleSocketsAreSmall(t *testing.T) { //nolint:paralleltest // it measures memory
	const sockets = 400
	k := newKit(t)
	k.listening("1", ticks)
	stacks := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.StackInuse
	}
	goroutines, heap := measure()
	stack := stacks()
	clients := make([]*client, sockets)
	for i := range clients {
		clients[i] = k.listening("1", ticks)
	}
	var nowGoroutines int
	var nowHeap uint64
	k.eventually(func() bool {
		nowGoroutines, nowHeap = measure()
		return nowGoroutines <= goroutines+sockets+5
	}, "one goroutine each")
	each := (int64(nowHeap) - int64(heap) + int64(stacks()) - int64(stack)) / sockets
	t.Logf("%d bytes for each socket, its client included", each)
	require.Less(t, each, int64(45<<10), "the client's own buffers are about 15 KB of it")
	runtime.KeepAlive(clients)
}
