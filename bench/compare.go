package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// rival is one of the two servers that are compared.
type rival struct {
	name string
	pid  int
	load *load

	total slice
	cpu   time.Duration
}

// totals are the figures of one rival.
type totals struct {
	perSecond, p50, p99 float64 // the latter in ms
	cpu                 float64 // µs of processor time of the server process per request
	requests            int
}

const pace = time.Second

// compare warms both servers up and then loads them in turns of a second each: what else the machine does meanwhile hits both.
func compare(ctx context.Context, product, floor *rival, warmup, duration time.Duration) error {
	for _, r := range []*rival{product, floor} {
		if warmup == 0 {
			break
		}
		if _, err := r.load.run(ctx, warmup); err != nil {
			return fmt.Errorf("%s, warming up: %w", r.name, err)
		}
	}
	for done := time.Duration(0); done < duration; done += pace {
		for _, r := range []*rival{product, floor} {
			if err := r.turn(ctx, min(pace, duration-done)); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return nil
}

func (r *rival) turn(ctx context.Context, duration time.Duration) error {
	before, err := cpuTime(r.pid)
	if err != nil {
		return err
	}
	s, err := r.load.run(ctx, duration)
	if err != nil {
		return err
	}
	after, err := cpuTime(r.pid)
	r.cpu += after - before
	r.total.took = append(r.total.took, s.took...)
	r.total.elapsed += s.elapsed
	return err
}

func (r *rival) totals() totals {
	n := len(r.total.took)
	if n == 0 {
		return totals{}
	}
	slices.Sort(r.total.took)
	return totals{
		perSecond: float64(n) / r.total.elapsed.Seconds(),
		p50:       milliseconds(percentile(r.total.took, 0.50)),
		p99:       milliseconds(percentile(r.total.took, 0.99)),
		cpu:       float64(r.cpu.Microseconds()) / float64(n),
		requests:  n,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
