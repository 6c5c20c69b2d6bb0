package app_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
	"github.com/caregraph/caregraph/internal/testkit/wsclient"
)

var system clock.System

const (
	stuckTime = 15 * time.Second
	sendEvery = 8 * time.Millisecond
	measured  = 1000                  // sends for each percentile
	noise     = 50 * time.Millisecond // of other programs; who waited for the stuck reader would wait for seconds
)

// TestSockets_AReaderThatStopsIsEnded within 15 s, and others get their messages as fast as before. A busy machine may spoil a measurement, but not three.
func TestSockets_AReaderThatStopsIsEnded(t *testing.T) {
	testkit.Long(t)
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) { // times are measured: nothing else runs
			c := converse(t, engine, instances.Options{})
			feed := c.follow(at(t, c.a, c.doctor).Socket(t), nil)
			writer := c.patient.Socket(t)
			c.deliveries(t, writer, feed, measured/4) // warm
			for attempt := 1; !c.standsStill(t, writer, feed); attempt++ {
				require.Less(t, attempt, 3, "the reader is ended late, or the 99th percentile of others moves")
			}
		})
	}
}

// standsStill tells whether a stuck reader was ended in time while others were served as before.
func (c *conversation) standsStill(t *testing.T, writer *testkit.Socket, feed *testkit.Feed) bool {
	t.Helper()
	before := c.deliveries(t, writer, feed, measured)
	stuck := c.stuckReader(t)
	stopped := system.Now()
	ended := make(chan time.Duration, 1)
	go func() { ended <- untilGone(stuck, stopped) }()
	during := c.deliveries(t, writer, feed, measured)
	for len(ended) == 0 && system.Now().Sub(stopped) < 2*stuckTime {
		during = append(during, c.deliveries(t, writer, feed, 50)...)
	}
	select {
	case took := <-ended:
		fmt.Printf("a stuck reader on %s was ended after %s; others: p50 %s, p99 %s before, p50 %s, p99 %s beside it\n", c.a.DB.Dialect(), took.Round(10*time.Millisecond),
			percentile(before, 50), percentile(before, 99), percentile(during, 50), percentile(during, 99))
		return took < stuckTime && percentile(during, 99) <= 2*percentile(before, 99)+noise
	case <-time.After(time.Second):
		require.Fail(t, "the stuck reader is still there")
		return false
	}
}

// stuckReader subscribes and reads nothing any more.
func (c *conversation) stuckReader(t *testing.T) *wsclient.Raw {
	t.Helper()
	raw, err := wsclient.DialRaw(t.Context(), c.a.URL, wsclient.Options{ReadBuffer: 4 << 10})
	require.NoError(t, err)
	t.Cleanup(func() { _ = raw.Drop() })
	require.NoError(t, raw.Init(c.doctor.Token))
	require.NoError(t, raw.Subscribe("1", chatSubscription, map[string]any{"room": c.room}))
	for _, want := range []string{"connection_ack", "next"} {
		m, err := raw.Read(testkit.Patience)
		require.NoError(t, err)
		require.Equal(t, want, m.Type)
	}
	return raw
}

// untilGone sends pings, as a peer does that is alive, until the connection is gone, and returns when that was.
func untilGone(raw *wsclient.Raw, since time.Time) time.Duration {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		took := system.Now().Sub(since)
		if err := raw.Send(wsclient.Message{Type: "ping"}); err != nil || took > 2*stuckTime {
			return took
		}
	}
	return 0
}

// deliveries sends n long messages and returns how long each took to the reader.
func (c *conversation) deliveries(t *testing.T, writer *testkit.Socket, feed *testkit.Feed, n int) (took []time.Duration) {
	t.Helper()
	body := strings.Repeat("\U0001F469", 3900)
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	for i := range n {
		took = append(took, wall(func() {
			require.Empty(t, writer.Do(sendOperation, map[string]any{"room": c.room, "body": fmt.Sprint(i, body)}).Code())
			require.True(t, strings.HasPrefix(feed.Next().Text("chatEvents.message.body"), fmt.Sprint(i, body[:1])))
		}))
		<-tick.C
	}
	return took
}

func percentile(d []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

const (
	subscriptions = 10_000
	perBatch      = 1_000
	perSocket     = 10
)

// TestSockets_SubscriptionsLeaveNothingBehind: 10,000 are opened and closed over real sockets; goroutines and heap are as before.
func TestSockets_SubscriptionsLeaveNothingBehind(t *testing.T) {
	testkit.Long(t)
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) { // goroutines are counted: nothing else runs
			c := converse(t, engine, instances.Options{})
			c.batch(t) // pools, caches and statements are there from now on
			c.batch(t)
			goroutines, heap := settled()
			for range subscriptions / perBatch {
				c.batch(t)
			}
			var after int
			var heapAfter uint64
			isClean := func() bool {
				after, heapAfter = settled()
				return after <= goroutines+5 && int64(heapAfter)-int64(heap) <= 2<<20
			}
			for end := system.Now().Add(testkit.Patience); !isClean() && system.Now().Before(end); {
				runtime.Gosched()
			}
			fmt.Printf("%d subscriptions on %s: goroutines %d before, %d after; heap %d KB before, %d KB after\n", subscriptions, engine, goroutines, after, heap>>10, heapAfter>>10)
			require.True(t, isClean())
		})
	}
}

// settled returns the number of goroutines and the bytes of the heap after collection.
func settled() (goroutines int, heap uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// batch opens and closes subscriptions: a third are stopped, a third end with a goodbye of the socket, a third with its loss. Each has been given an event.
func (c *conversation) batch(t *testing.T) {
	t.Helper()
	var ready, over sync.WaitGroup
	problems := make(chan error, perBatch)
	release := make(chan struct{})
	for n := range perBatch / perSocket {
		ready.Add(1)
		over.Go(func() {
			conn, subs, err := c.openMany(t)
			ready.Done()
			if err == nil {
				<-release
				err = closeMany(t, conn, subs, n%3)
			}
			problems <- err
		})
	}
	ready.Wait()
	c.send(t, c.patient, "to all")
	close(release)
	over.Wait()
	close(problems)
	for err := range problems {
		require.NoError(t, err)
	}
}

func (c *conversation) openMany(t *testing.T) (conn *wsclient.Conn, subs []*wsclient.Subscription, err error) {
	conn, err = wsclient.Dial(t.Context(), c.a.URL, wsclient.Options{Token: c.doctor.Token})
	if err != nil {
		return nil, nil, err
	}
	for range perSocket {
		s, err := conn.Subscribe(chatSubscription, map[string]any{"room": c.room})
		if err == nil {
			_, err = s.Next(t.Context())
		}
		if err != nil {
			conn.Drop()
			return nil, nil, err
		}
		subs = append(subs, s)
	}
	return conn, subs, nil
}

func closeMany(t *testing.T, conn *wsclient.Conn, subs []*wsclient.Subscription, how int) error {
	defer conn.Drop()
	for _, s := range subs {
		e, err := s.Next(t.Context())
		if err != nil {
			return err
		}
		if kind := e.Text("chatEvents.__typename"); kind != "MessageAdded" {
			return errors.New(kind)
		}
		if how == 0 {
			if err := s.Stop(); err != nil {
				return err
			}
		}
	}
	if how == 1 {
		return conn.Close()
	}
	return nil
}

const silence = 40 * time.Second // longer than a dead peer is left alone

// TestSockets_AListenerThatSaysNothingStays: who only answers pings is not taken for dead.
func TestSockets_AListenerThatSaysNothingStays(t *testing.T) {
	testkit.Long(t)
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		quiet, follows := c.patient.Socket(t), c.doctor.Socket(t)
		feed := c.follow(follows, nil)
		select {
		case <-quiet.Done():
			t.Fatal(quiet.Err())
		case <-follows.Done():
			t.Fatal(follows.Err())
		case <-time.After(silence):
		}
		c.send(t, c.patient, "still there?")
		require.Equal(t, "still there?", feed.Next().Text("chatEvents.message.body"))
		require.Equal(t, c.patientRow.Email, quiet.Do(`{ viewer { email } }`, nil).Text("viewer.email"))
	})
}
