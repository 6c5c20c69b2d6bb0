package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"syscall"
	"time"
)

// clientGC is how seldom we collect garbage under load, as seldom as the servers do: the client is to cost the shared processors little.
const clientGC = 400

// talkOptions are the flags that the benchmarks of sockets share.
type talkOptions struct {
	sockets, rate, inFlight int
	seconds                 int
	warmup                  time.Duration
	alsoSingle              bool // a closed loop of one send in flight, too: then servers cannot put several messages into one frame
	engines
}

// declare declares the flags; what the options hold before are the defaults.
func (o *talkOptions) declare(flags *flag.FlagSet) {
	flags.IntVar(&o.sockets, "sockets", o.sockets, "sockets, an even number up to 15000")
	flags.IntVar(&o.rate, "rate", o.rate, "sends per second of the steady load")
	flags.IntVar(&o.inFlight, "inflight", o.inFlight, "sends in flight of the closed loop")
	flags.IntVar(&o.seconds, "seconds", o.seconds, "measured seconds of each load and server, at most 60")
	flags.DurationVar(&o.warmup, "warmup", o.warmup, "load before the measuring, at most 30s")
	o.engines.declare(flags)
}

func (o *talkOptions) check() error {
	var problems []error
	if o.sockets < 2 || o.sockets > 15000 || o.sockets%2 != 0 {
		problems = append(problems, errors.New("--sockets must be even, 2 to 15000"))
	}
	if o.rate < 1 || o.rate > 10000 || o.inFlight < 1 || o.inFlight > 10000 {
		problems = append(problems, errors.New("--rate and --inflight must be 1 to 10000"))
	}
	if o.seconds < 1 || o.seconds > 60 || o.warmup < 0 || o.warmup > 30*time.Second {
		problems = append(problems, errors.New("--seconds must be 1 to 60 and --warmup at most 30s"))
	}
	return errors.Join(append(problems, o.engines.check(), enoughFiles(o.sockets))...)
}

// enoughFiles makes sure that this process may open a file per socket. Go raises its limit to the hard one at the start, here and in the servers.
func enoughFiles(sockets int) error {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("the limit of open files cannot be read: %w", err)
	}
	if limit.Max < uint64(sockets+others) { // #nosec G115 -- checked
		return fmt.Errorf("%d sockets need a hard limit of %d open files (ulimit -Hn), it is %d: raise it, or give fewer --sockets", sockets, sockets+others, limit.Max)
	}
	return nil
}

// runChat measures rooms of two.
func runChat(ctx context.Context, flags *flag.FlagSet, args []string) error {
	o := talkOptions{sockets: 10_000, rate: 500, inFlight: 256, seconds: 15, warmup: 2 * time.Second}
	o.declare(flags)
	settle := flags.Duration("settle", 5*time.Second, "time to come to rest before memory is looked at")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.complete()
	if err := o.check(); err != nil {
		return err
	}
	return o.report(ctx, func(ctx context.Context, binary string, e engine, src source) ([]figure, error) {
		progress(fmt.Sprintf("%s: filling the database: %d sockets, each with a session of its own, in %d rooms; %d rooms per doctor", e.name, o.sockets,
			o.sockets/2, roomsPerDoctor))
		v, err := furnish(ctx, binary, e, o.sockets/2, 2)
		if err != nil {
			return nil, err
		}
		idle, err := v.measureIdle(ctx, *settle)
		if err != nil {
			return nil, err
		}
		loads, err := o.measure(ctx, v, 2)
		if err != nil {
			return nil, err
		}
		return append(idle.figures("chat.idle", e.name, src), loads.figures("chat", e.name, src)...), nil
	})
}

// runFanout measures one room of many.
func runFanout(ctx context.Context, flags *flag.FlagSet, args []string) error {
	o := talkOptions{sockets: 1000, rate: 20, inFlight: 8, seconds: 5, warmup: time.Second, alsoSingle: true}
	o.declare(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.complete()
	if err := o.check(); err != nil {
		return err
	}
	return o.report(ctx, func(ctx context.Context, binary string, e engine, src source) ([]figure, error) {
		progress(fmt.Sprintf("%s: filling the database: one room, %d sockets, each with a session of its own, half of its patient, half of its doctor", e.name, o.sockets))
		v, err := furnish(ctx, binary, e, 1, o.sockets)
		if err != nil {
			return nil, err
		}
		loads, err := o.measure(ctx, v, o.sockets)
		if err != nil {
			return nil, err
		}
		return loads.figures("fanout", e.name, src), nil
	})
}

// heard is what one server did under the loads.
type heard struct{ steady, single, closed spoken }

// heardOf are both servers', the product's first.
type heardOf [2]heard

// measure loads one server after the other: both at once would need more sockets than a process may open.
func (o *talkOptions) measure(ctx context.Context, v *venue, readers int) (both heardOf, err error) {
	old := debug.SetGCPercent(clientGC)
	defer debug.SetGCPercent(old)
	for i, s := range v.servers() {
		if both[i], err = o.measureOne(ctx, v, s, readers); err != nil {
			return both, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return both, nil
}

func (o *talkOptions) measureOne(ctx context.Context, v *venue, s server, readers int) (h heard, err error) {
	p, c, err := s.open(ctx, v.seats, readers)
	if err != nil {
		return h, err
	}
	defer p.stop()
	defer c.close()
	t := talk{crowd: c, pid: p.pid, warmup: o.warmup, duration: time.Duration(o.seconds) * time.Second}
	loads := []struct {
		title string
		into  *spoken
		run   func() (spoken, error)
	}{
		{fmt.Sprintf("steady, %d sends/s", o.rate), &h.steady, func() (spoken, error) { return t.steady(ctx, o.rate) }},
		{"closed loop, one send in flight", &h.single, func() (spoken, error) { return t.closed(ctx, 1) }},
		{fmt.Sprintf("closed loop, %d sends in flight", o.inFlight), &h.closed, func() (spoken, error) { return t.closed(ctx, o.inFlight) }},
	}
	for _, load := range loads {
		if err != nil || load.into == &h.single && !o.alsoSingle {
			continue
		}
		progress(fmt.Sprintf("%s, %s: %s", v.engine.name, s.name, load.title))
		if *load.into, err = load.run(); err == nil {
			load.into.tell()
		}
	}
	if err == nil && s.check != nil {
		err = s.check(ctx, c)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, p.said.String())
	}
	return h, err
}

// open starts the server and opens all sockets.
func (s server) open(ctx context.Context, seats []seat, readers int) (*process, *crowd, error) {
	p, err := s.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := newCrowd(s.speech, readers)
	if c.url, err = p.address(ctx); err == nil {
		begun := time.Now()
		if err = c.open(ctx, seats); err == nil {
			progress(fmt.Sprintf("%s: %d sockets subscribed in %.1f s", s.name, len(seats), time.Since(begun).Seconds()))
			return p, c, nil
		}
		err = fmt.Errorf("%w\n%s", err, p.said.String())
	}
	c.close()
	p.stop()
	return nil, nil, err
}

// figures names what was measured. With the single load there is one own socket among many: its latency says nothing then.
func (both heardOf) figures(name, engine string, src source) []figure {
	beside := func(suffix, unit string, of func(heard) float64) figure {
		return src.besidePeer(name+"."+suffix, engine, unit, of(both[0]), of(both[1]))
	}
	late := func(suffix string, share float64, of func(heard) *histogram) figure {
		return beside(suffix, "ms", func(h heard) float64 { return milliseconds(of(h).percentile(share)) })
	}
	steadyOther := func(h heard) *histogram { return &h.steady.phase.other }
	figures := []figure{late("steady.other.p50", 0.50, steadyOther), late("steady.other.p99", 0.99, steadyOther)}
	if both[0].single.phase != nil {
		figures = append(figures, beside("single.rate", deliveriesPerSecond, func(h heard) float64 { return h.single.perSecond }))
	} else {
		steadyOwn := func(h heard) *histogram { return &h.steady.phase.own }
		figures = append(figures, late("steady.own.p50", 0.50, steadyOwn), late("steady.own.p99", 0.99, steadyOwn))
	}
	closedOther := func(h heard) *histogram { return &h.closed.phase.other }
	return append(figures,
		beside("rate", deliveriesPerSecond, func(h heard) float64 { return h.closed.perSecond }),
		late("loaded.other.p50", 0.50, closedOther), late("loaded.other.p99", 0.99, closedOther),
		beside("cpu", "µs/delivery", func(h heard) float64 { return h.closed.cpu }))
}
