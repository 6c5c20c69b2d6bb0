package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	stride    = 7919 // a prime: senders follow each other in no order of rooms
	quietTime = 30 * time.Second
)

// talk is a load on a crowd: so long to warm up, so long to measure.
type talk struct {
	crowd            *crowd
	pid              int // of the server
	warmup, duration time.Duration
}

// spoken is what a talk brought in its measured time.
type spoken struct {
	phase      *phase
	perSecond  float64 // deliveries
	cpu        float64 // µs of the server's processor time per delivery
	clientCPU  float64 // µs of ours
	deliveries int64
}

// steady sends at a fixed rate, whatever the server does.
func (t talk) steady(ctx context.Context, rate int) (spoken, error) {
	return t.run(ctx, &phase{}, func(ctx context.Context, until time.Time) error {
		begun := time.Now()
		for n := 0; ; n++ {
			due := begun.Add(time.Duration(n) * time.Second / time.Duration(rate))
			if due.After(until) || ctx.Err() != nil {
				return nil
			}
			time.Sleep(time.Until(due))
			if err := t.send(); err != nil {
				return err
			}
		}
	})
}

// closed keeps as many messages in flight: the next is sent when one is acknowledged and delivered to all its readers.
func (t talk) closed(ctx context.Context, inFlight int) (spoken, error) {
	p := &phase{}
	return t.run(ctx, p, func(ctx context.Context, until time.Time) error {
		p.through = func() error {
			if time.Now().After(until) || ctx.Err() != nil {
				return nil
			}
			return t.send()
		}
		for range inFlight {
			if err := t.send(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(until)):
		}
		return nil
	})
}

// send sends one message from the socket whose turn it is.
func (t talk) send() error {
	l := t.crowd.ledger
	k := t.crowd.sockets[int(l.sent.Load())*stride%len(t.crowd.sockets)]
	n, ok := l.opened(k.index)
	if !ok {
		return nil // the load dries up
	}
	if err := k.write(t.crowd.speech.send(k.seat, n)); err != nil {
		return fmt.Errorf("message %d could not be sent: %w", n, err)
	}
	return nil
}

// run lets the load run, counts in the measured time, and waits until every message is through.
func (t talk) run(ctx context.Context, p *phase, load func(ctx context.Context, until time.Time) error) (spoken, error) {
	l := t.crowd.ledger
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t.crowd.stop = cancel
	l.phase.Store(p)
	begun := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- load(ctx, begun.Add(t.warmup+t.duration)) }()
	result, err := t.measure(ctx, p)
	if err != nil {
		cancel(err)
	}
	err = errors.Join(err, <-ended)
	for quiet := time.Now().Add(quietTime); err == nil && l.outstanding.Load() > 0; time.Sleep(time.Millisecond) {
		if err = context.Cause(ctx); err == nil && time.Now().After(quiet) {
			err = fmt.Errorf("%d of %d messages did not reach all their readers within %s", l.outstanding.Load(), l.sent.Load(), quietTime)
		}
	}
	return result, errors.Join(err, t.crowd.problem())
}

// tell shows that the client is not what is measured.
func (s spoken) tell() {
	progress(fmt.Sprintf("  %.0f deliveries/s; own p50 %.2f p99 %.2f ms, other p50 %.2f p99 %.2f ms; processor time per delivery: server %.1f µs, client %.1f µs",
		s.perSecond, milliseconds(s.phase.own.percentile(0.50)), milliseconds(s.phase.own.percentile(0.99)),
		milliseconds(s.phase.other.percentile(0.50)), milliseconds(s.phase.other.percentile(0.99)), s.cpu, s.clientCPU))
}

// measure waits for the end of the warm-up and then looks at clocks and counters twice.
func (t talk) measure(ctx context.Context, p *phase) (spoken, error) {
	if err := sleep(ctx, t.warmup); err != nil {
		return spoken{}, err
	}
	p.isWarm.Store(true)
	before, err := t.look()
	if err != nil {
		return spoken{}, err
	}
	if err := sleep(ctx, t.duration); err != nil {
		return spoken{}, err
	}
	after, err := t.look()
	if err != nil {
		return spoken{}, err
	}
	s := spoken{phase: p, deliveries: after.deliveries - before.deliveries}
	if s.deliveries == 0 {
		return s, errors.New("nothing was delivered")
	}
	each := float64(s.deliveries)
	s.perSecond = each / after.at.Sub(before.at).Seconds()
	s.cpu = float64((after.server - before.server).Microseconds()) / each
	s.clientCPU = float64((after.client - before.client).Microseconds()) / each
	return s, nil
}

// reading is a look at clocks and counters.
type reading struct {
	at             time.Time
	deliveries     int64
	server, client time.Duration // processor time
}

func (t talk) look() (r reading, err error) {
	var other error
	r.at, r.deliveries = time.Now(), t.crowd.ledger.deliveries.Load()
	r.server, err = cpuTime(t.pid)
	r.client, other = cpuTime(os.Getpid())
	return r, errors.Join(err, other)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
