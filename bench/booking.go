package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"
)

const bookingTimeout = 5 * time.Minute // of one engine, whatever the clock says

type bookingOptions struct {
	callers, rounds int
	engines
}

// rushes are the kinds of rush: all callers want the one slot, or share fifty among them.
var rushes = []struct {
	name  string
	slots int
}{{"one", 1}, {"fifty", 50}}

// runBooking measures callers who want the same slots at the same moment.
func runBooking(ctx context.Context, flags *flag.FlagSet, args []string) error {
	o := bookingOptions{}
	flags.IntVar(&o.callers, "callers", 200, "callers at once, each a patient with a session of his own, 50 to 500")
	flags.IntVar(&o.rounds, "rounds", 20, "measured rushes of each kind and server, 1 to 50, after one that does not count")
	o.declare(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.complete()
	if err := o.check(); err != nil {
		return err
	}
	return o.report(ctx, o.measureEngine)
}

func (o bookingOptions) check() error {
	var problems []error
	if o.callers < 50 || o.callers > 500 {
		problems = append(problems, errors.New("--callers must be 50 to 500"))
	}
	if o.rounds < 1 || o.rounds > 50 {
		problems = append(problems, errors.New("--rounds must be 1 to 50"))
	}
	return errors.Join(append(problems, o.engines.check())...)
}

// instancesOn are the numbers of processes to measure on an engine: SQLite has one writing process.
func instancesOn(e engine) []int {
	if e.name == "postgres" {
		return []int{1, 2}
	}
	return []int{1}
}

func (o bookingOptions) measureEngine(ctx context.Context, binary string, e engine, src source) ([]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, bookingTimeout)
	defer cancel()
	needed := 0
	for range instancesOn(e) {
		for _, kind := range rushes {
			needed += (o.rounds + 1) * kind.slots
		}
	}
	progress(fmt.Sprintf("%s: filling the database: %d patients, each with a session of his own, %d slots", e.name, o.callers, needed))
	h, err := fillHall(ctx, binary, e, o.callers, needed)
	if err != nil {
		return nil, err
	}
	won := 0
	var figures []figure
	for _, instances := range instancesOn(e) {
		name := e.name
		if instances > 1 {
			name = fmt.Sprintf("%s, %d instances", e.name, instances)
		}
		more, n, err := o.measureOn(ctx, h, instances, name, src)
		if err != nil {
			return nil, err
		}
		figures, won = append(figures, more...), won+n
	}
	return figures, h.checkBooked(ctx, won)
}

// measureOn compares the product, run so many times on the database, with as many floor servers. It returns how many visits the product booked, too.
func (o bookingOptions) measureOn(ctx context.Context, h *hall, instances int, name string, src source) (figures []figure, won int, err error) {
	product, err := o.openDesk(ctx, h, instances, desk{name: "product", ask: askProduct, isWon: wonByProduct}, h.startProduct)
	if err != nil {
		return nil, 0, err
	}
	defer product.close()
	floor, err := o.openDesk(ctx, h, instances, desk{name: "floor", ask: askFloor, isWon: wonByFloor}, h.startFloor)
	if err != nil {
		return nil, 0, err
	}
	defer floor.close()
	for _, kind := range rushes {
		progress(fmt.Sprintf("%s: %d callers at once, slots: %d, rushes: %d", name, o.callers, kind.slots, o.rounds))
		product.total, floor.total = booked{}, booked{}
		for round := range o.rounds + 1 {
			slots, err := h.take(kind.slots)
			if err != nil {
				return nil, 0, err
			}
			for _, d := range []*desk{product, floor} { // in turns: what else the machine does meanwhile hits both
				if err := d.rush(ctx, h.callers, slots, round > 0); err != nil {
					return nil, 0, fmt.Errorf("%s, %d slots: %w\n%s", d.name, kind.slots, err, d.said())
				}
			}
			won += kind.slots
		}
		figures = append(figures, bookedFigures(src, "booking."+kind.name, name, product.total, floor.total)...)
	}
	return figures, won, nil
}

func (o bookingOptions) openDesk(ctx context.Context, h *hall, instances int, d desk, start func(ctx context.Context) (*process, error)) (*desk, error) {
	var err error
	for range instances {
		var p *process
		if p, err = start(ctx); err != nil {
			break
		}
		d.processes = append(d.processes, p)
	}
	if err == nil {
		err = d.open(ctx, len(h.callers))
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return &d, nil
}

func (h *hall) startProduct(ctx context.Context) (*process, error) {
	return startProduct(ctx, h.binary, []string{"serve", "--database", h.engine.database, "--listen", "127.0.0.1:0"}, h.settings()...)
}

func (h *hall) startFloor(ctx context.Context) (*process, error) {
	return startOwn(ctx, "the claim server", "claim-server", "--database", h.engine.database)
}

func bookedFigures(src source, name, engine string, product, floor booked) []figure {
	beside := func(suffix, unit string, of func(booked) float64) figure {
		return src.figure(name+"."+suffix, engine, unit, of(product), of(floor))
	}
	spread := func(suffix string, of func(booked) []time.Duration) (list []figure) {
		for _, share := range []struct {
			name string
			at   float64
		}{{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}} {
			list = append(list, beside(suffix+"."+share.name, "ms", func(b booked) float64 { return late(of(b), share.at) }))
		}
		return list
	}
	return slices.Concat(
		spread("won", func(b booked) []time.Duration { return b.won }), spread("lost", func(b booked) []time.Duration { return b.lost }),
		[]figure{
			beside("total", "ms", func(b booked) float64 { return late(b.elapsed, 0.5) }),
			beside("rate", bookingsPerSecond, booked.rate),
			beside("cpu", "µs/call", booked.cpuPerCall),
		})
}
