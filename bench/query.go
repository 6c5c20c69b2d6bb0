package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

const maxSeconds = 120

type queryOptions struct {
	clients          int
	warmup, duration time.Duration
	engines
}

// runQuery measures both operations on every engine at hand.
func runQuery(ctx context.Context, flags *flag.FlagSet, args []string) error {
	o := queryOptions{}
	flags.IntVar(&o.clients, "clients", 8, "concurrent keep-alive clients, 1 to 64")
	flags.DurationVar(&o.warmup, "warmup", time.Second, "load before the measuring, per operation and server")
	flags.DurationVar(&o.duration, "duration", 5*time.Second, "measured load, per operation and server; at most 2m")
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

func (o queryOptions) check() error {
	var problems []error
	if o.clients < 1 || o.clients > 64 {
		problems = append(problems, errors.New("--clients must be 1 to 64"))
	}
	if o.duration <= 0 || o.duration > maxSeconds*time.Second || o.warmup < 0 || o.warmup > maxSeconds*time.Second {
		problems = append(problems, fmt.Errorf("--duration and --warmup must be positive and at most %d seconds", maxSeconds))
	}
	return errors.Join(append(problems, o.engines.check())...)
}

// measureEngine starts both servers on one database, fills it, and compares them operation by operation.
func (o queryOptions) measureEngine(ctx context.Context, binary string, e engine, src source) ([]figure, error) {
	progress(e.name + ": starting and filling the demo")
	product, err := startProduct(ctx, binary, []string{"demo", "--database", e.database, "--listen", "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	defer product.stop()
	productURL, err := product.address(ctx)
	if err != nil {
		return nil, err
	}
	a := newAPI(productURL)
	if err := fillAppointments(ctx, a); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, product.said.String())
	}
	floor, err := startFloor(ctx, e.database)
	if err != nil {
		return nil, err
	}
	defer floor.stop()
	floorURL, err := floor.address(ctx)
	if err != nil {
		return nil, err
	}
	operations, err := prepare(ctx, a, floorURL)
	if err != nil {
		return nil, err
	}
	var figures []figure
	for _, op := range operations {
		progress(e.name + ": measuring " + op.name)
		more, err := o.measure(ctx, op, [2]*process{product, floor}, [2]string{productURL, floorURL})
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s%s", op.name, err, product.said.String(), floor.said.String())
		}
		figures = append(figures, more.figures(op.name, e.name, src)...)
	}
	return figures, nil
}

// measured are the totals of product and floor.
type measured [2]totals

func (o queryOptions) measure(ctx context.Context, op operation, servers [2]*process, urls [2]string) (measured, error) {
	var rivals [2]*rival
	for i, requests := range [2][]request{op.product, op.floor} {
		l, err := newLoad(ctx, urls[i], o.clients, requests)
		if err != nil {
			return measured{}, err
		}
		defer l.close()
		rivals[i] = &rival{name: servers[i].name, pid: servers[i].pid, load: l}
	}
	if err := op.check(); err != nil {
		return measured{}, err
	}
	err := compare(ctx, rivals[0], rivals[1], o.warmup, o.duration)
	return measured{rivals[0].totals(), rivals[1].totals()}, err
}

func (m measured) figures(name, engine string, src source) []figure {
	product, floor := m[0], m[1]
	return []figure{
		src.figure("query."+name+".rate", engine, perSecond, product.perSecond, floor.perSecond),
		src.figure("query."+name+".p50", engine, "ms", product.p50, floor.p50),
		src.figure("query."+name+".p99", engine, "ms", product.p99, floor.p99),
		src.figure("query."+name+".cpu", engine, "µs/request", product.cpu, floor.cpu),
	}
}

// progress tells a person at the terminal what goes on; standard output stays for the results.
func progress(text string) { fmt.Fprintln(os.Stderr, "bench:", text) }

func warnWhenBusy() {
	if notice := busyNotice(); notice != "" {
		progress(notice)
	}
}
