package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// loadOn connects two clients to a handler.
func loadOn(t *testing.T, handler http.HandlerFunc) (*load, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r, err := newRequest(http.MethodPost, server.URL+"/x", "token", []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLoad(t.Context(), server.URL, 2, []request{r, r, r})
	if err == nil {
		t.Cleanup(l.close)
	}
	return l, err
}

func TestLoadCountsEveryAnswer(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	l, err := loadOn(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+" "+string(body))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(l.requests[0].want); got != "Bearer token body" {
		t.Fatalf("the server got %q", got)
	}
	first := served.Load()
	s, err := l.run(t.Context(), 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if n := served.Load() - first; n == 0 || int64(len(s.took)) != n {
		t.Errorf("%d samples of %d answers", len(s.took), n)
	}
}

func TestLoadEndsAtAWrongAnswer(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]http.HandlerFunc{
		"another body":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "wrong") },
		"another status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var served atomic.Int64
			l, err := loadOn(t, func(w http.ResponseWriter, r *http.Request) {
				if served.Add(1) > 20 {
					wrong(w, r)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.run(t.Context(), 10*time.Second); err == nil {
				t.Error("the load went on")
			}
		})
	}
}

func TestLoadRefusesAServerThatFailsFromTheStart(t *testing.T) {
	t.Parallel()
	if _, err := loadOn(t, http.NotFound); err == nil {
		t.Error("a 404 was taken as the answer to expect")
	}
}

func TestCompareTakesTurnsAndCountsBoth(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }
	var rivals [2]*rival
	for i := range rivals {
		l, err := loadOn(t, answer)
		if err != nil {
			t.Fatal(err)
		}
		rivals[i] = &rival{name: "x", pid: os.Getpid(), load: l}
	}
	if err := compare(t.Context(), rivals[0], rivals[1], 0, 40*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, r := range rivals {
		if got := r.totals(); got.requests == 0 || got.perSecond <= 0 || got.perSecond > 1e7 || got.p50 <= 0 || got.p99 < got.p50 {
			t.Errorf("totals %+v", got)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for name, test := range map[string]struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		"the middle":      {hundred, 0.50, 51},
		"the tail":        {hundred, 0.99, 100},
		"of one":          {hundred[:1], 0.99, 1},
		"of none":         {nil, 0.5, 0},
		"beyond the last": {hundred, 1, 100},
	} {
		if got := percentile(test.sorted, test.share); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
