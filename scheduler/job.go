package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caregraph/caregraph/internal/civil"
)

// CatchUp says what becomes of occurrences that nobody could run when they were due.
type CatchUp string

// The policies of catching up.
const (
	RunEvery  CatchUp = "EVERY"  // all are run, in order
	RunLatest CatchUp = "LATEST" // the newest is run, those before are skipped
	RunFresh  CatchUp = "FRESH"  // those that are younger than FreshFor are run, in order
)

// Counts is what a run did, by name.
type Counts = map[string]int

// Occurrence is what a run is for.
type Occurrence struct {
	At   time.Time  // the instant at which it was due
	Date civil.Date // the practice's date that it belongs to
}

// Job is something done again and again.
type Job struct {
	Name        string
	Description string // what it does, for people
	Schedule    Schedule
	CatchUp     CatchUp
	FreshFor    time.Duration // of RunFresh
	// Run does the job for the occurrence, as the system, and says what it did. It may be run again for an occurrence, and has its place even when the
	// clock says another time. When ctx ends it stops soon.
	Run func(ctx context.Context, o Occurrence) (Counts, error)
	// DryRun computes what Run would do and writes nothing; nil when the job has none.
	DryRun func(ctx context.Context, o Occurrence) (Counts, error)
}

const maxName = 60

func (j Job) validate() error {
	if j.Name == "" || len(j.Name) > maxName || j.Run == nil {
		return fmt.Errorf("job %q lacks a name of at most %d bytes, or its method", j.Name, maxName)
	}
	err := j.Schedule.validate()
	switch {
	case err != nil:
	case j.CatchUp == RunFresh && j.FreshFor <= 0:
		err = errors.New("it is not said how long it is fresh")
	case j.CatchUp != RunEvery && j.CatchUp != RunLatest && j.CatchUp != RunFresh:
		err = errors.New("it is not said what becomes of missed occurrences")
	}
	if err != nil {
		return fmt.Errorf("job %s: %w", j.Name, err)
	}
	return nil
}

func (j Job) occurrence(at time.Time) Occurrence {
	return Occurrence{At: at.UTC(), Date: j.Schedule.date(at)}
}
