package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
)

// engines are the flags of commands that measure on every engine at hand.
type engines struct{ only, postgres, recorded string }

func (o *engines) declare(flags *flag.FlagSet) {
	flags.StringVar(&o.only, "engine", "", "only this one: sqlite or postgres; default: SQLite, and PostgreSQL when there is a URL")
	flags.StringVar(&o.postgres, "postgres", "", "`URL` of a PostgreSQL server on which a database may be created and dropped; default TEST_DATABASE_URL")
	flags.StringVar(&o.recorded, "recorded", "../docs/benchmarks.md", "file with the recorded ratios")
}

// complete fills in what the flags leave to the environment.
func (o *engines) complete() {
	if o.postgres == "" {
		o.postgres = os.Getenv("TEST_DATABASE_URL") // not as the flag's default, which --help would print with the password
	}
}

func (o *engines) check() error {
	switch o.only {
	case "", "sqlite":
	case "postgres":
		if o.postgres == "" {
			return errors.New("--engine postgres needs --postgres URL or TEST_DATABASE_URL")
		}
	default:
		return fmt.Errorf("--engine must be sqlite or postgres, not %q", o.only)
	}
	return nil
}

// measuring measures on one engine.
type measuring func(ctx context.Context, binary string, e engine, src source) ([]figure, error)

// report measures on every engine and reports, beside the recorded ratios.
func (o *engines) report(ctx context.Context, measure measuring) error {
	recorded, err := readRecorded(o.recorded)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "caregraph-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	figures, err := o.each(ctx, dir, measure)
	if err != nil {
		return err
	}
	return report(os.Stdout, figures, recorded)
}

func (o *engines) each(ctx context.Context, dir string, measure measuring) ([]figure, error) {
	warnWhenBusy()
	progress("building the program")
	binary, err := buildProduct(ctx, dir)
	if err != nil {
		return nil, err
	}
	src := sourceOf(ctx)
	var figures []figure
	if o.only != "postgres" {
		if figures, err = measure(ctx, binary, newSQLite(dir), src); err != nil {
			return nil, fmt.Errorf("on SQLite: %w", err)
		}
	}
	if o.only == "sqlite" {
		return figures, nil
	}
	if o.postgres == "" {
		progress("PostgreSQL is left out: give --postgres URL or set TEST_DATABASE_URL")
		return figures, nil
	}
	e, err := newPostgres(ctx, o.postgres)
	if err != nil {
		return nil, err
	}
	defer e.drop()
	more, err := measure(ctx, binary, e, src)
	if err != nil {
		return nil, fmt.Errorf("on PostgreSQL: %w", err)
	}
	return append(figures, more...), nil
}
