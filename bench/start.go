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
	warnWhenBusy()
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

// starters are the servers that are started.
type starters struct{ serve, demo, floor starter }

func startersOn(binary, database string) starters {
	return starters{
		serve: func(ctx context.Context, listen string) (*process, error) {
			return startProduct(ctx, binary, []string{"serve", "--database", database, "--listen", listen}, "ENVIRONMENT=development")
		},
		demo: func(ctx context.Context, listen string) (*process, error) {
			return startProduct(ctx, binary, []string{"demo", "--database", database, "--listen", listen})
		},
		floor: func(ctx context.Context, listen string) (*process, error) {
			return startFloor(ctx, database, "--listen", listen)
		},
	}
}

func measureStarts(ctx context.Context, dir, binary string, runs int) ([]figure, error) {
	s := startersOn(binary, filepath.Join(dir, "demo.db"))
	empty, err := timeStart(ctx, s.demo) // fills the database
	if err != nil {
		return nil, err
	}
	var serves, demos, floors []started
	for range runs {
		for _, turn := range []struct {
			with starter
			into *[]started
		}{{s.serve, &serves}, {s.floor, &floors}, {s.demo, &demos}} {
			one, err := timeStart(ctx, turn.with)
			if err != nil {
				return nil, err
			}
			*turn.into = append(*turn.into, one)
		}
	}
	progress(fmt.Sprintf("idling for %s, twice", idleTime))
	var idle [2]memory
	for i, server := range []starter{s.serve, s.floor} {
		if idle[i], err = idleMemory(ctx, server); err != nil {
			return nil, err
		}
	}
	src := sourceOf(ctx)
	beside := func(name string, pick pick, of moment, product []started) figure {
		return src.figure(name, "sqlite", "ms", pick(product, of), pick(floors, of))
	}
	return []figure{
		beside("start.connect", median, untilConnected, serves), beside("start.connect.min", least, untilConnected, serves),
		beside("start.ready", median, untilReady, serves), beside("start.ready.min", least, untilReady, serves),
		beside("start.demo.ready", median, untilReady, demos), beside("start.demo.empty", median, untilReady, []started{empty}),
		src.figure("start.idle", "sqlite", "MB", idle[0].resident, idle[1].resident),
		src.figure("start.idle.own", "sqlite", "MB", idle[0].own, idle[1].own),
	}, nil
}

// moment is one of the two instants of a start, pick the one value that stands for several starts.
type (
	moment func(started) time.Duration
	pick   func([]started, moment) float64
)

func untilConnected(s started) time.Duration { return s.connected }
func untilReady(s started) time.Duration     { return s.ready }

func times(list []started, of moment) []time.Duration {
	sorted := make([]time.Duration, len(list))
	for i, s := range list {
		sorted[i] = of(s)
	}
	slices.Sort(sorted)
	return sorted
}

func median(list []started, of moment) float64 {
	return milliseconds(percentile(times(list, of), 0.5))
}

func least(list []started, of moment) float64 {
	return milliseconds(times(list, of)[0])
}

// timeStart starts a server on a free port, times it, and stops it.
func timeStart(ctx context.Context, start starter) (started, error) {
	p, took, err := startOnFreePort(ctx, start)
	if err == nil {
		p.stop()
	}
	return took, err
}

// startOnFreePort starts a server and waits for its first answer. The port is ours to choose, so that the knocking begins at once.
func startOnFreePort(ctx context.Context, start starter) (*process, started, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, started{}, err
	}
	begun := time.Now()
	p, err := start(ctx, listen)
	if err != nil {
		return nil, started{}, err
	}
	took, err := awaitHealth(ctx, p, listen, begun)
	if err != nil {
		p.stop()
	}
	return p, took, err
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
	r, err := newRequest(http.MethodGet, "http://"+address+"/healthz", "", nil)
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
func idleMemory(ctx context.Context, start starter) (memory, error) {
	p, _, err := startOnFreePort(ctx, start)
	if err != nil {
		return memory{}, err
	}
	defer p.stop()
	select {
	case <-ctx.Done():
		return memory{}, ctx.Err()
	case <-time.After(idleTime):
	}
	return memoryOf(p.pid)
}
