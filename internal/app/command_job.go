package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/scheduler"
)

type jobListCommand struct {
	Database string `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run prints the table of jobs.
func (c *jobListCommand) Run(ctx context.Context, env *Environment) error {
	return withApp(ctx, env, c.Database, func(a *App) error {
		list, err := a.Jobs.Statuses(access.System(ctx, "job list"))
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "JOB\tSCHEDULE\tMISSED RUNS\tLAST\tSTATE\tNEXT\tOVERDUE")
		for _, j := range list {
			last, state := "-", "-"
			if j.LastRun != nil {
				last, state = a.local(j.LastRun.Occurrence), string(j.LastRun.State)
			}
			overdue := ""
			if j.IsOverdue {
				overdue = "yes"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", j.Name, j.Schedule, j.CatchUp, last, state, a.local(j.NextAt), overdue)
		}
		return table.Flush()
	})
}

type jobRunCommand struct {
	Name       string     `arg:"" help:"Name of the job; see job list."`
	Occurrence *time.Time `help:"The occurrence to run, in RFC 3339 form; now when neither it nor a date is given." placeholder:"INSTANT"`
	Date       string     `help:"Run the first occurrence on this date of the practice." placeholder:"YYYY-MM-DD"`
	Admission  string     `help:"One admission alone; for daily-admission-charges." placeholder:"ID"`
	DryRun     bool       `help:"Compute what would be done and write nothing; only for jobs that can."`
	Database   string     `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run runs a job and prints what it did. It fails when the job does.
func (c *jobRunCommand) Run(ctx context.Context, env *Environment) error {
	return withApp(ctx, env, c.Database, func(a *App) error {
		if c.Name == chargesJob {
			return c.charge(ctx, env, a)
		}
		if c.Admission != "" {
			return fmt.Errorf("the job %s is not run for one admission", c.Name)
		}
		at, err := c.occurrence(a.Jobs)
		if err != nil {
			return err
		}
		run, counts, err := a.Jobs.RunNow(access.System(ctx, "job run"), scheduler.RunInput{Name: c.Name, Occurrence: at, IsDry: c.DryRun})
		if err == nil && run != nil {
			run, err = a.finished(ctx, run)
		}
		if err != nil {
			return err
		}
		state := "dry run, nothing was written"
		if run != nil {
			state, counts = string(run.State), run.Counts
		}
		printRun(env.Out, c.Name, state, counts)
		if run != nil && run.Error != "" {
			return fmt.Errorf("the job %s failed: %s", c.Name, run.Error)
		}
		return nil
	})
}

func (c *jobRunCommand) occurrence(jobs *scheduler.Scheduler) (*time.Time, error) {
	switch {
	case c.Date == "":
		return c.Occurrence, nil
	case c.Occurrence != nil:
		return nil, errors.New("give an occurrence or a date, not both")
	}
	date, err := civil.ParseDate(c.Date)
	if err != nil {
		return nil, fmt.Errorf("%q is not a date: write it as 2025-01-15", c.Date)
	}
	at, err := jobs.OccurrenceOn(c.Name, date)
	return &at, err
}

func printRun(out io.Writer, name, state string, counts scheduler.Counts) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "%s\t%s\n", name, state)
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		_, _ = fmt.Fprintf(table, "  %s\t%d\n", what, counts[what])
	}
	_ = table.Flush()
}

const runPoll = 250 * time.Millisecond

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(runPoll):
		return nil
	}
}

// withApp runs a command on the program without serving it. Warnings and errors are logged, nothing else.
func withApp(ctx context.Context, env *Environment, database string, run func(*App) error) error {
	cfg, err := env.load(map[string]string{"DATABASE_URL": database})
	if err != nil {
		return err
	}
	return withAppOf(ctx, env, cfg, run)
}

func withAppOf(ctx context.Context, env *Environment, cfg config.Config, run func(*App) error) error {
	a, err := New(ctx, cfg, Options{Clock: clock.System{}, Log: env.logger(slog.LevelWarn)})
	if err != nil {
		return err
	}
	err = run(a)
	return errors.Join(err, a.Close(ctx))
}

// local shows an instant on the practice's clocks.
func (a *App) local(t time.Time) string { return t.In(a.cfg.PracticeZone).Format("2006-01-02 15:04") }
