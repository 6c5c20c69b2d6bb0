package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// step is something that happens at an instant.
type step struct {
	at   time.Time
	what string
	do   func(ctx context.Context) error
}

// happens adds a step.
func (s *Seeder) happens(at time.Time, what string, do func(ctx context.Context) error) {
	s.steps = append(s.steps, step{at, what, do})
}

// breaks notes that a script makes no sense; nothing is told then.
func (s *Seeder) breaks(err error) { s.broken = errors.Join(s.broken, err) }

// ago is an instant before the present.
func (s *Seeder) ago(d time.Duration) time.Time { return s.now.Add(-d) }

// tell makes the steps in the order of their instants, each when the clock has come to it.
func (s *Seeder) tell(ctx context.Context) error {
	if s.broken != nil {
		return s.broken
	}
	slices.SortStableFunc(s.steps, func(a, b step) int { return a.at.Compare(b.at) })
	for _, one := range s.steps {
		if one.at.After(s.now) {
			return fmt.Errorf("%s at %s: this has not happened yet", one.what, one.at)
		}
		if one.at.After(s.Clock.Now()) { // else the step before has taken its time
			s.Clock.Set(one.at)
		}
		if err := one.do(ctx); err != nil {
			return fmt.Errorf("%s at %s: %w", one.what, one.at, err)
		}
	}
	return nil
}

// looks lets the scheduler look at a job.
func (s *Seeder) looks(at time.Time, job string) {
	s.happens(at, "job "+job, func(ctx context.Context) error {
		_, err := s.Jobs.RunDue(ctx, job)
		return err
	})
}
