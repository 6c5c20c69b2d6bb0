package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	listenAim    = 50.0 // ms from exec to the first connection
	memoryAim    = 60.0 // MB after the idle time
	idleTime     = 5 * time.Second
	startTimeout = 30 * time.Second
	lookEvery    = 200 * time.Microsecond
)

type starter func(ctx context.Context, listen string) (*process, error)

// started tells how long after exec the server took a connection, and how long until it answered.
type started struct{ connected, ready time.Duration }

// runStart measures starts on an existing demo database, in turns with the floor server, and the memory of the idle program.
func runStart(ctx context.Context, flags *flag.FlagSet, args []string) error {
	runs := flags.Int("runs", 10, "starts of each server, 1 to 100")
	recordedPath := flags.String("recorded", "../docs/benchmarks.md", "file with the recorded ratios")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 || *runs > 100 {
		return fmt.Errorf("--runs must be 1 to 100, not %d", *runs)
	}
	recorded, err := readRecorded(*recordedPath)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "caregraph-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	progress("building the program and its demo database")
	binary, err := buildProduct(ctx, dir)
	if err != nil {
		return err
	}
	figures, err := measureStarts(ctx, dir, binary, *runs)
	if err != nil {
		return err
	}
	if err := report(os.Stdout, figures, recorded); err != nil {
		return err
	}
	progress(fmt.Sprintf("aims: start.connect below %g ms, start.idle below %g MB", listenAim, memoryAim))
	return nil
}

func measureStarts(ctx context.Context, dir, binary string, runs int) ([]figure, error) {
	database := filepath.Join(dir, "demo.db")
	demo := func(database string) starter {
		return func(ctx context.Context, listen string) (*process, error) {
			return startProduct(ctx, binary, []string{"demo", "--database", database, "--listen", listen})
		}
	}
	serve := func(ctx context.Context, listen string) (*process, error) {
		return startProduct(ctx, binary, []string{"serve", "--database", database, "--listen", listen}, "ENVIRONMENT=development")
	}
	floor := func(ctx context.Context, listen string) (*process, error) {
		return startFloor(ctx, database, "--listen", listen)
	}
	var first, serves, floors, demos []started
	takes := []struct {
		with starter
		into *[]started
	}{{serve, &serves}, {floor, &floors}, {demo(database), &demos}}
	one, err := timeStart(ctx, demo(database)) // also fills the database
	if err != nil {
		return nil, err
	}
	first = append(first, one)
	for range runs {
		for _, t := range takes {
			one, err := timeStart(ctx, t.with)
			if err != nil {
				return nil, err
			}
			*t.into = append(*t.into, one)
		}
	}
	progress(fmt.Sprintf("idling for %s, twice", idleTime))
	productMB, err := idleMemory(ctx, serve)
	if err != nil {
		return nil, err
	}
	floorMB, err := idleMemory(ctx, floor)
	if err != nil {
		return nil, err
	}
	src := sourceOf(ctx)
	ms := func(name string, pick func([]started, func(started) time.Duration) float64, of func(started) time.Duration, product []started) figure {
		return src.figure(name, "sqlite", "ms", pick(product, of), pick(floors, of))
	}
	return []figure{
		ms("start.connect", median, untilConnected, serves), ms("start.connect.min", least, untilConnected, serves),
		ms("start.ready", median, untilReady, serves), ms("start.ready.min", least, untilReady, serves),
		ms("start.demo.ready", median, untilReady, demos), ms("start.demo.empty", median, untilReady, first),
		src.figure("start.idle", "sqlite", "MB", productMB, floorMB),
	}, nil
}

func untilConnected(s started) time.Duration { return s.connected }
func untilReady(s started) time.Duration     { return s.ready }

func times(list []started, of func(started) time.Duration) []time.Duration {
	sorted := make([]time.Duration, len(list))
	for i, s := range list {
		sorted[i] = of(s)
	}
	slices.Sort(sorted)
	return sorted
}

func median(list []started, of func(started) time.Duration) float64 {
	return milliseconds(percentile(times(list, of), 0.5))
}

func least(list []started, of func(started) time.Duration) float64 {
	return milliseconds(times(list, of)[0])
}

// timeStart starts a server on a free port, times it, and stops it.
func timeStart(ctx context.Context, start starter) (started, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return started{}, err
	}
	begun := time.Now()
	p, err := start(ctx, listen)
	if err != nil {
		return started{}, err
	}
	defer p.stop()
	return awaitHealth(ctx, p, listen, begun)
}

// awaitHealth knocks until somebody opens, and then asks on that connection whether the server is well.
func awaitHealth(ctx context.Context, p *process, address string, begun time.Time) (started, error) {
	for {
		conn, err := (&net.Dialer{Timeout: startTimeout}).DialContext(ctx, "tcp", address)
		if err == nil {
			connected := time.Since(begun)
			return started{connected, 0}.withHealth(conn, address, begun)
		}
		select {
		case <-ctx.Done():
			return started{}, ctx.Err()
		case <-p.done:
			return started{}, fmt.Errorf("%s ended before it listened: %s", p.name, p.said.String())
		case <-time.After(lookEvery):
		}
		if time.Since(begun) > startTimeout {
			return started{}, fmt.Errorf("%s does not listen within %s: %w", p.name, startTimeout, err)
		}
	}
}

func (s started) withHealth(conn net.Conn, address string, begun time.Time) (started, error) {
	defer func() { _ = conn.Close() }()
	r, err := newRequest(http.MethodGet, "http://"+address+"/healthz", "none", nil)
	if err != nil {
		return s, err
	}
	status, _, err := newKeepAlive(conn).do(r.wire)
	if err != nil || status != http.StatusOK {
		return s, fmt.Errorf("/healthz at %s answered with status %d (%v)", address, status, err)
	}
	s.ready = time.Since(begun)
	return s, nil
}

// freeAddress finds a port that nobody uses just now.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no free port on loopback: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// idleMemory returns what a server holds in RAM a while after its start.
func idleMemory(ctx context.Context, start starter) (float64, error) {
	p, err := start(ctx, "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if _, err := p.address(ctx); err != nil {
		return 0, err
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(idleTime):
	}
	return residentMB(p.pid)
}
