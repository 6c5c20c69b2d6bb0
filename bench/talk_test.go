package main

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// crowdAtPeer opens a socket per seat at a peer server in this process.
func crowdAtPeer(t *testing.T, readers int, seats []seat) *crowd {
	t.Helper()
	node, handler, err := newPeer()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	c := newCrowd(channels{}, readers)
	c.url = server.URL
	t.Cleanup(func() {
		c.close()
		if err := node.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	if err := c.open(t.Context(), seats); err != nil {
		t.Fatal(err)
	}
	return c
}

func seatsIn(rooms ...string) []seat {
	seats := make([]seat, len(rooms))
	for i, room := range rooms {
		seats[i] = seat{room, "user"}
	}
	return seats
}

func TestTalkCountsEveryDeliveryToEverySocketOfTheRoom(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]func(talk) (spoken, error){
		"steady": func(t talk) (spoken, error) { return t.steady(context.Background(), 200) },
		"closed": func(t talk) (spoken, error) { return t.closed(context.Background(), 3) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := crowdAtPeer(t, 2, seatsIn("a", "a", "b", "b"))
			s, err := load(talk{crowd: c, pid: os.Getpid(), warmup: 20 * time.Millisecond, duration: 200 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			sent := c.ledger.sent.Load()
			if sent == 0 || c.ledger.deliveries.Load() != 2*sent || c.ledger.outstanding.Load() != 0 {
				t.Errorf("%d sent, %d delivered, %d not through", sent, c.ledger.deliveries.Load(), c.ledger.outstanding.Load())
			}
			own, other := s.phase.own.total.Load(), s.phase.other.total.Load()
			if own == 0 || own != other || own >= sent {
				t.Errorf("%d own and %d other latencies of %d messages, of which some warmed up", own, other, sent)
			}
			if s.perSecond <= 0 || s.phase.other.percentile(0.99) > 10*time.Second {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestTalkFailsWhenAReaderIsMissingOrOneTooMany(t *testing.T) {
	t.Parallel()
	for name, readers := range map[string]int{"expected and not there": 3, "there and not expected": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c := crowdAtPeer(t, readers, seatsIn("a", "a"))
			_, err := talk{crowd: c, pid: os.Getpid(), duration: 50 * time.Millisecond}.closed(ctx, 2)
			if err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

func TestCrowdSaysWhichSocketCouldNotBeOpened(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	c := newCrowd(graphQL{}, 2)
	c.url = server.URL
	t.Cleanup(c.close)
	if err := c.open(t.Context(), seatsIn("a")); err == nil || !strings.Contains(err.Error(), "socket 1 of 1") || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v", err)
	}
}

// told takes down what a frame says.
type told struct{ text []string }

func (r *told) delivered(n int, position int64) {
	r.text = append(r.text, "delivered", markOf(n), time.Duration(position).String())
}
func (r *told) acknowledged(n int) { r.text = append(r.text, "acknowledged", markOf(n)) }
func (r *told) pinged(pong []byte) { r.text = append(r.text, string(pong)) }

func TestSpeechReadsFrames(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string]string{
		`{"id":"watch","type":"next","payload":{"data":{"chatEvents":{"cursor":"m0x","message":{"position":7,"body":"m0000000012 Shall I"}}}}}`: "delivered m0000000012 7ns",
		`{"id":"m0000000003","type":"next","payload":{"data":{"sendMessage":{"message":{"id":"x"},"userErrors":[]}}}}`:                          "acknowledged m0000000003",
		`{"id":"m0000000003","type":"complete"}`: "",
		`{"type":"ping"}`:                        `{"type":"pong"}`,
		`{"id":"m0000000003","type":"next","payload":{"data":{"sendMessage":{"userErrors":[{"code":"NOT_FOUND"}]}}}}`:           "error",
		`{"id":"m0000000003","type":"error","payload":[{"message":"no"}]}`:                                                      "error",
		`{"id":"watch","type":"complete"}`:                                                                                      "error",
		`{"id":"watch","type":"next","payload":{"data":{"chatEvents":{"message":{"body":"m0000000012 without a position"}}}}}`:  "error",
		`{"id":5,"publish":{}}` + "\n" + `{"push":{"channel":"a","pub":{"data":{"body":"m0000000002 Shall I"}}}}` + "\n" + `{}`: "acknowledged m0000000002 delivered m0000000002 0s {}",
		`{"id":5,"error":{"code":100}}`: "error",
	} {
		var s speech = channels{}
		if strings.Contains(frame, "type") {
			s = graphQL{}
		}
		var r told
		err := s.read([]byte(frame), &r)
		if got := strings.Join(r.text, " "); (err != nil) != (want == "error") || err == nil && got != want {
			t.Errorf("%s: %q, %v", frame, got, err)
		}
	}
}

func TestSocketNoticesAGapInARoom(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		positions []int64
		isGood    bool
	}{"dense": {[]int64{1, 2, 3}, true}, "one left out": {[]int64{1, 3}, false}, "one twice": {[]int64{1, 1}, false}} {
		c := newCrowd(graphQL{}, 2)
		c.ledger.phase.Store(&phase{})
		k := &socket{crowd: c}
		for _, position := range test.positions {
			n, _ := c.ledger.opened(0)
			k.delivered(n, position)
		}
		if (c.problem() == nil) != test.isGood {
			t.Errorf("%s: %v", name, c.problem())
		}
	}
}

func TestHistogramIsNearTheTruth(t *testing.T) {
	t.Parallel()
	var h histogram
	if h.percentile(0.5) != 0 {
		t.Error("nothing has a median")
	}
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for share, want := range map[float64]float64{0.5: 501, 0.99: 991, 1: 1000} {
		if got := float64(h.percentile(share)) / 1000; got < want || got > want*1.016+1 {
			t.Errorf("%g: %g µs, want %g", share, got, want)
		}
	}
	for _, d := range []time.Duration{-1, 0, 1, 63, 64, 65, 127, 128, time.Hour, 1<<63 - 1} {
		step := stepOf(d)
		if top := topOf(step); top < d || float64(top) > float64(max(d, 0))*1.016 {
			t.Errorf("%d is in step %d, which ends at %d", d, step, top)
		}
	}
}

func TestParseMetricsNeedsAllThree(t *testing.T) {
	t.Parallel()
	const text = "# HELP x\ngo_goroutines 12\ngo_memstats_heap_inuse_bytes 1.024e+06\ngo_memstats_stack_inuse_bytes 1024\n"
	v, err := parseMetrics(text)
	if err != nil || v.goroutines != 12 || v.heap != 1001 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := parseMetrics(strings.Replace(text, "go_goroutines", "x", 1)); err == nil {
		t.Error("a missing line was no error")
	}
	if each := (vitals{30, 300, 3000}).per(10, vitals{10, 100, 1000}); each != (vitals{2, 20, 200}) {
		t.Errorf("%+v", each)
	}
}
