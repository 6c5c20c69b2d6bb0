package main

import (
	"context"
	"fmt"
	"time"
)

// quickGC lets hardly any garbage gather while memory is measured: what counts is what idle sockets hold.
const quickGC = "GOGC=20"

// idleOf is what each idle, subscribed socket holds, the product's first.
type idleOf [2]vitals

// measureIdle opens all sockets on a server of its own and leaves them alone.
func (v *venue) measureIdle(ctx context.Context, settle time.Duration) (both idleOf, err error) {
	for i, s := range v.servers() {
		progress(fmt.Sprintf("%s, %s: %d idle sockets", v.engine.name, s.name, len(v.seats)))
		if both[i], err = v.idleOne(ctx, s, settle); err != nil {
			return both, fmt.Errorf("%s: %w", s.name, err)
		}
		progress(fmt.Sprintf("  per socket: %.1f KB of heap and stacks, %.1f KB resident, %.2f goroutines", both[i].heap, both[i].resident, both[i].goroutines))
	}
	return both, nil
}

// idleOne counts from a hundredth of the sockets on: what the first ones bring about is no socket's.
func (v *venue) idleOne(ctx context.Context, s server, settle time.Duration) (each vitals, err error) {
	start := s.start
	s.start = func(ctx context.Context, more ...string) (*process, error) {
		return start(ctx, append(more, quickGC)...)
	}
	some := max(1, len(v.seats)/100)
	p, c, err := s.open(ctx, v.seats[:some], 2)
	if err != nil {
		return each, err
	}
	defer p.stop()
	defer c.close()
	var looks [2]vitals
	for i, more := range [2][]seat{nil, v.seats[some:]} {
		if err := c.open(ctx, more); err != nil {
			return each, fmt.Errorf("%w\n%s", err, p.said.String())
		}
		if err := sleep(ctx, settle); err != nil {
			return each, err
		}
		if looks[i], err = vitalsOf(ctx, c.url, p.pid); err != nil {
			return each, err
		}
	}
	return looks[1].per(len(v.seats)-some, looks[0]), c.problem()
}

func (both idleOf) figures(name, engine string, src source) []figure {
	return []figure{
		src.besidePeer(name+".heap", engine, "KB/socket", both[0].heap, both[1].heap),
		src.besidePeer(name+".resident", engine, "KB/socket", both[0].resident, both[1].resident),
		src.besidePeer(name+".goroutines", engine, "per socket", both[0].goroutines, both[1].goroutines),
	}
}
