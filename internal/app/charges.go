package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/scheduler"
)

// chargesJob posts the daily charges. Its occurrences are dates: each is run, in order, however long the program was down.
const chargesJob = "daily-admission-charges"

func (a *App) dailyCharges() scheduler.Job {
	of := func(charge func(context.Context, civil.Date) (hospital.ChargeTotals, error)) func(context.Context, scheduler.Occurrence) (scheduler.Counts, error) {
		return func(ctx context.Context, o scheduler.Occurrence) (scheduler.Counts, error) {
			t, err := charge(ctx, o.Date)
			return scheduler.Counts{"processed": t.Processed, "charged": t.Charged, "exempt": t.Exempt, "skipped": t.Skipped, "failed": t.Failed}, err
		}
	}
	return scheduler.Job{
		Name: chargesJob, Description: "Charges patients in hospital for the day, by midnight census.", Schedule: scheduler.Daily(civil.LocalTime{}),
		CatchUp: scheduler.RunEvery, Run: of(a.Hospital.ChargeDue), DryRun: of(a.Hospital.PreviewDue),
	}
}

// runCharges has the job charge a date, whoever asks: who may is said where that is offered.
func (a *App) runCharges(ctx context.Context, d civil.Date) (*ent.JobRun, error) {
	at, err := a.Jobs.OccurrenceOn(chargesJob, d)
	if err != nil {
		return nil, err
	}
	run, _, err := a.Jobs.RunNow(access.System(ctx, "charge admissions"), scheduler.RunInput{Name: chargesJob, Occurrence: &at})
	return run, err
}

// charge runs the job of daily charges for the command line, or charges one admission, and prints what it came to. It fails when a charge does.
func (c *jobRunCommand) charge(ctx context.Context, env *Environment, a *App) error {
	ctx = access.System(ctx, "job run")
	in := hospital.ChargeInput{IsDry: c.DryRun, Progress: progressOn(env.Err)}
	var err error
	if in.Date, err = c.chargeDate(a); err != nil {
		return err
	}
	if c.Admission != "" {
		id, err := uuid.Parse(c.Admission)
		if err != nil {
			return fmt.Errorf("%q is not the id of an admission", c.Admission)
		}
		in.AdmissionID = &id
	}
	state := "dry run, nothing was written"
	var result *hospital.ChargeResult
	if in.IsDry || in.AdmissionID != nil {
		if result, err = a.Hospital.ChargeDate(ctx, in); !in.IsDry {
			state = "one admission"
		}
	} else {
		report := &hospital.Report{Progress: in.Progress}
		var run *ent.JobRun
		if run, err = a.runCharges(hospital.WithReport(ctx, report), in.Date); err == nil {
			run, err = a.finished(ctx, run)
		}
		if err == nil {
			result, state = report.Result(), string(run.State)
		}
		if err == nil && result == nil {
			err = fmt.Errorf("the job %s failed: %s", c.Name, run.Error)
		}
	}
	if err != nil {
		return err
	}
	printCharges(env.Out, state, result)
	if n := result.Totals.Failed; n > 0 {
		return fmt.Errorf("%d charges could not be posted; each run tries them again", n)
	}
	return nil
}

// chargeDate is the date that the flags name, or today.
func (c *jobRunCommand) chargeDate(a *App) (civil.Date, error) {
	at, err := c.occurrence(a.Jobs)
	if err != nil || at == nil {
		return civil.DateOf(a.DB.Now(), a.cfg.PracticeZone), err
	}
	d := civil.DateOf(*at, a.cfg.PracticeZone)
	if due, err := a.Jobs.OccurrenceOn(chargesJob, d); err != nil || !due.Equal(*at) {
		return d, errors.Join(errors.New("the job is not due at that time: give a date"), err)
	}
	return d, nil
}

// finished waits for the end of a run that takes longer than a request may.
func (a *App) finished(ctx context.Context, run *ent.JobRun) (_ *ent.JobRun, err error) {
	for run.FinishedAt == nil {
		if err := pause(ctx); err != nil {
			return run, err
		}
		if run, err = a.Jobs.Run(access.System(ctx, "job run"), run.ID); err != nil {
			return run, err
		}
	}
	return run, nil
}

// progressOn shows how far a run is, if somebody sits there; nil otherwise.
func progressOn(out io.Writer) func(hospital.ChargeTotals) {
	file, isFile := out.(*os.File)
	if !isFile {
		return nil
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return func(t hospital.ChargeTotals) {
		_, _ = fmt.Fprintf(out, "%d admissions looked at, %d charged\r", t.Processed, t.Charged)
	}
}

const listedCharges = 100 // more are only counted

// printCharges prints what a run came to for people.
func printCharges(out io.Writer, state string, r *hospital.ChargeResult) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, values ...any) { _, _ = fmt.Fprintf(table, format+"\n", values...) }
	line("%s of %s\t%s", chargesJob, r.Date, state)
	if n := len(r.Entries); n > 0 && r.Totals.Charged <= listedCharges {
		line("\nADMISSION\tPATIENT\tDATE\tAMOUNT\tREFERENCE")
		for _, e := range r.Entries {
			line("%s\t%s\t%s\t%s\t%s", e.AdmissionID, e.PatientID, e.ChargeDate, e.Amount, e.Reference)
		}
	}
	if len(r.Failed) > 0 {
		line("\nFAILED\tDATE\tTRIES\tWHY")
		for _, f := range r.Failed[:min(len(r.Failed), listedCharges)] {
			line("%s\t%s\t%d\t%s", f.AdmissionID, f.ChargeDate, f.Attempts, f.Error)
		}
	}
	line("\nlooked at\t%d", r.Totals.Processed)
	line("charged\t%d\t%s", r.Totals.Charged, r.Totals.Amount)
	line("left out\t%d", r.Totals.Skipped)
	for _, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		line("  %s\t%d", reason, r.Reasons[reason])
	}
	line("failed\t%d", r.Totals.Failed)
	_ = table.Flush()
}
