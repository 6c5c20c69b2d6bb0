package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"
)

const chargesTimeout = 20 * time.Minute // of one engine, whatever the clock says

type chargesOptions struct {
	admissions, rounds int
	engines
}

// runCharges measures the daily charges of a big hospital beside one statement that writes the same rows.
func runCharges(ctx context.Context, flags *flag.FlagSet, args []string) error {
	o := chargesOptions{}
	flags.IntVar(&o.admissions, "admissions", 100_000, "active admissions, 1,000 to 1,000,000")
	flags.IntVar(&o.rounds, "rounds", 3, "dates that are charged by either, in turns, 1 to 9")
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

func (o chargesOptions) check() error {
	var problems []error
	if o.admissions < 1000 || o.admissions > 1_000_000 {
		problems = append(problems, errors.New("--admissions must be 1,000 to 1,000,000"))
	}
	if o.rounds < 1 || o.rounds > 9 {
		problems = append(problems, errors.New("--rounds must be 1 to 9"))
	}
	return errors.Join(append(problems, o.engines.check())...)
}

// charged is what the rounds came to.
type charged struct {
	product, again, floor []time.Duration
	idle, busy            histogram // how long a reader waited, before the charging and during it
	resident              float64   // the most memory that the server held, in MB
}

func (o chargesOptions) measureEngine(ctx context.Context, binary string, e engine, src source) ([]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, chargesTimeout)
	defer cancel()
	progress(fmt.Sprintf("%s: filling the database: %d patients in beds", e.name, o.admissions))
	h, err := fillHospital(ctx, binary, e, o.admissions, 2*o.rounds)
	if err != nil {
		return nil, err
	}
	db, err := openFloor(e.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	server, err := startProduct(ctx, binary, []string{"serve", "--database", e.database, "--listen", "127.0.0.1:0"}, h.signer.setting(), longSessions[0], longSessions[1])
	if err != nil {
		return nil, err
	}
	defer server.stop()
	c, err := h.open(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.said.String())
	}
	total := &charged{}
	if err := c.read(ctx, &total.idle, func() error { return sleep(ctx, idleRead) }); err != nil {
		return nil, err
	}
	for round := range o.rounds {
		if err := o.round(ctx, db, c, h, round, total); err != nil {
			return nil, fmt.Errorf("round %d: %w\n%s", round+1, err, server.said.String())
		}
	}
	return total.figures(e.name, src), nil
}

// round charges one date by the statement and the next by the product, and that again.
func (o chargesOptions) round(ctx context.Context, db *sql.DB, c *cashier, h *ward, round int, total *charged) error {
	progress(fmt.Sprintf("%s: charging two dates of %d admissions, round %d of %d", h.engine.name, o.admissions, round+1, o.rounds))
	byFloor, byProduct := h.dates[2*round], h.dates[2*round+1]
	took, err := chargeByStatement(ctx, db, h, byFloor)
	if err != nil {
		return fmt.Errorf("the floor's statement: %w", err)
	}
	total.floor = append(total.floor, took)
	err = c.read(ctx, &total.busy, func() error {
		took, err = c.charge(ctx, db, byProduct)
		return err
	})
	if err != nil {
		return err
	}
	total.product = append(total.product, took)
	if m, err := memoryOf(c.server.pid); err == nil {
		total.resident = max(total.resident, m.resident)
	}
	if took, err = c.charge(ctx, db, byProduct); err != nil {
		return err
	}
	total.again = append(total.again, took)
	for _, d := range []string{byFloor, byProduct} {
		if err := h.checkCharged(ctx, db, d, o.admissions); err != nil {
			return err
		}
	}
	return nil
}

func (t *charged) figures(engine string, src source) []figure {
	mid := func(list []time.Duration) float64 {
		sorted := slices.Sorted(slices.Values(list))
		return milliseconds(sorted[len(sorted)/2])
	}
	waited := func(name string, share float64) figure {
		return src.figure("charges.reader."+name, engine, "ms", milliseconds(t.busy.percentile(share)), milliseconds(t.idle.percentile(share)))
	}
	return []figure{
		src.figure("charges.run", engine, "ms", mid(t.product), mid(t.floor)),
		src.figure("charges.again", engine, "ms", mid(t.again), mid(t.product)),
		waited("p50", 0.5), waited("p99", 0.99), waited("max", 1),
		src.figure("charges.resident", engine, "MB", t.resident, 0),
	}
}
