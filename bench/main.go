// Command bench measures whole paths of the built program from outside, beside the least that a plain Go server would need for
// the same answers on the same database, or beside another program of the kind, in the same run. It imports nothing of the product: what it knows
// is the API, and of the tables as much as filling them quickly takes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// command is one entry of the command line. run gets a flag set of its own, on which it declares its flags before parsing.
type command struct {
	name, summary string
	run           func(ctx context.Context, flags *flag.FlagSet, args []string) error
}

func commands() []command {
	return []command{
		{"query", "Point read and nested list: requests/s, latency and CPU beside the floor server.", runQuery},
		{"start", "Time from exec to the first answer, and memory when idle.", runStart},
		{"chat", "Sockets in rooms of two: latency, deliveries/s and memory beside the library centrifuge.", runChat},
		{"fanout", "One room with many readers: deliveries/s and latency beside the library centrifuge.", runFanout},
		{"booking", "200 callers at once for one slot and for 50: latency of winners and losers, bookings/s, beside a bare insert.", runBooking},
		{"charges", "The daily charges of 100,000 admissions beside one statement that writes the same rows, and a reader meanwhile.", runCharges},
		{"floor-server", "The plain server to compare with; the other commands start it themselves.", runFloorServer},
		{"claim-server", "The plain server that takes slots by one insert; `booking` starts it itself.", runClaimServer},
		{"peer-server", "The centrifuge server to compare with; the other commands start it themselves.", runPeerServer},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	if err != nil && ctx.Err() != nil {
		err = errors.New("interrupted; servers are stopped and databases removed")
	}
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(os.Stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, newFlags(c), args[1:])
		}
	}
	return fmt.Errorf("there is no command %q; run `go run . --help` for the list", args[0])
}

func newFlags(c command) *flag.FlagSet {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprintf(flags.Output(), "Usage: go run . %s [flags]\n\n%s\n\n", c.name, c.summary)
		flags.PrintDefaults()
	}
	return flags
}

func usage(w io.Writer) {
	_, _ = fmt.Fprint(w, "Usage: go run . <command> [flags]\n\nCommands:\n")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-14s%s\n", c.name, c.summary)
	}
	_, _ = fmt.Fprint(w, "\n`go run . <command> --help` lists the flags. Everything stays on loopback; databases and processes are removed at the end.\n")
}
