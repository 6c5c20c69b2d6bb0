// Package scheduler runs the table of jobs on gocron. It holds no rules: a job is a name, a schedule in the practice's zone and a service's method.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/go-co-op/gocron/v2"
)

// Job is something done again and again.
type Job struct {
	Name string
	// Cron is the schedule, five fields, in the practice's zone.
	Cron string
	// Run does the job; it is safe to run at the same time on several instances.
	Run func(ctx context.Context) error
}

// Scheduler runs jobs until it is stopped.
type Scheduler struct{ cron gocron.Scheduler }

// New prepares the jobs; a job whose run lasts past its next time skips that one. ctx ends running jobs.
func New(ctx context.Context, zone *time.Location, log *slog.Logger, jobs ...Job) (*Scheduler, error) {
	cron, err := gocron.NewScheduler(gocron.WithLocation(zone))
	if err != nil {
		return nil, fmt.Errorf("scheduler: %w", err)
	}
	for _, job := range jobs {
		_, err := cron.NewJob(gocron.CronJob(job.Cron, false), gocron.NewTask(func() {
			defer func() {
				if value := recover(); value != nil { // one job's mistake is not the end of the program
					log.ErrorContext(ctx, "job panicked", slog.String("job", job.Name), slog.String("stack", string(debug.Stack())))
				}
			}()
			if err := job.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				log.ErrorContext(ctx, "job failed", slog.String("job", job.Name), slog.Any("error", err))
			}
		}), gocron.WithName(job.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule))
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", job.Name, err)
		}
	}
	return &Scheduler{cron}, nil
}

// Start begins to run jobs.
func (s *Scheduler) Start() { s.cron.Start() }

// Stop waits for running jobs and runs no more.
func (s *Scheduler) Stop() error { return s.cron.Shutdown() }
