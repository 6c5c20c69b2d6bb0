package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// vitals are what a server process holds at an instant.
type vitals struct {
	goroutines     float64
	heap, resident float64 // KB; the heap with the stacks of the goroutines
}

func vitalsOf(ctx context.Context, url string, pid int) (vitals, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return vitals{}, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return vitals{}, fmt.Errorf("the server's metrics cannot be read: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return vitals{}, fmt.Errorf("the server's metrics cannot be read: %w", err)
	}
	v, err := parseMetrics(string(text))
	if err != nil {
		return v, err
	}
	m, err := memoryOf(pid)
	v.resident = m.resident * 1024
	return v, err
}

// parseMetrics reads Prometheus' text form.
func parseMetrics(text string) (v vitals, err error) {
	var heap, stacks float64
	found := 0
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		into := map[string]*float64{
			"go_goroutines": &v.goroutines, "go_memstats_heap_inuse_bytes": &heap, "go_memstats_stack_inuse_bytes": &stacks,
		}[name]
		if into == nil {
			continue
		}
		if *into, err = strconv.ParseFloat(rest, 64); err != nil {
			return v, fmt.Errorf("the server's metrics have another form than known: %w", err)
		}
		found++
	}
	if found != 3 {
		return v, errors.New("the server's /metrics lacks go_goroutines, go_memstats_heap_inuse_bytes or go_memstats_stack_inuse_bytes")
	}
	v.heap = (heap + stacks) / 1024
	return v, nil
}

// per returns what each of n sockets added to what was there before.
func (v vitals) per(n int, before vitals) vitals {
	each := float64(n)
	return vitals{
		goroutines: (v.goroutines - before.goroutines) / each, heap: (v.heap - before.heap) / each, resident: (v.resident - before.resident) / each,
	}
}
