package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
)

// Movable is a clock that can be advanced, as that of the demo.
type Movable interface {
	clock.Clock
	// AdvanceTo sets the clock to t, never back.
	AdvanceTo(t time.Time)
}

// Config is what a Scheduler is made of.
type Config struct {
	DB    *store.DB
	Zone  *time.Location // the practice's
	Log   *slog.Logger
	Audit *audit.Recorder // records what people start; nil = it does not
	Jobs  []Job
	// Clock is the database's clock where it can be advanced; nil = it cannot.
	Clock Movable
	// Lease is how long a runner that is not heard of keeps its run; 0 = 2 minutes.
	Lease time.Duration
	// Patience is how long RunNow waits for the end of a run; 0 = 8 s.
	Patience time.Duration
}

// Scheduler runs jobs until it is stopped.
type Scheduler struct {
	Config
	jobs   []*job // in the order of the table
	runner string // names this instance
	cron   gocron.Scheduler
	ctx    context.Context // of all runs; ends with Stop
	cancel context.CancelFunc
	stop   func() error
	gate   sync.RWMutex // held for reading by runs, for writing while the clock is advanced

	isAdvancing bool // under gate
}

// job is a job with what this instance knows of its ledger.
type job struct {
	Job
	running sync.Mutex // one RunDue at a time

	mu        sync.Mutex
	look      time.Time // when there may be something to do; zero = now
	unwritten []result  // that the database did not take
	failing   bool      // the ledger could not be read or written the last time
}

// alarm is the pause between two looks at the clock. Occurrences are due at whole minutes, so alarms come at them, and soon after
// where the clock has been advanced.
const (
	alarm     = 5 * time.Second
	alarmCron = "*/5 * * * * *"
)

// New prepares the jobs. It fails for a table that makes no sense.
func New(cfg Config) (*Scheduler, error) {
	if cfg.Lease == 0 {
		cfg.Lease = 2 * time.Minute
	}
	if cfg.Patience == 0 {
		cfg.Patience = 8 * time.Second
	}
	s := &Scheduler{Config: cfg, runner: instanceName()}
	for _, j := range cfg.Jobs {
		if err := j.validate(); err != nil {
			return nil, fmt.Errorf("scheduler: %w", err)
		}
		j.Schedule = j.Schedule.In(cfg.Zone)
		if s.job(j.Name) != nil {
			return nil, fmt.Errorf("scheduler: two jobs have the name %s", j.Name)
		}
		s.jobs = append(s.jobs, &job{Job: j})
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.stop = sync.OnceValue(s.end)
	return s, nil
}

// instanceName tells instances apart, also two of one machine.
func instanceName() string {
	host, err := os.Hostname()
	if err != nil || len(host) > 60 {
		host = "instance"
	}
	return host + " " + uuid.NewString()
}

func (s *Scheduler) job(name string) *job {
	if i := slices.IndexFunc(s.jobs, func(j *job) bool { return j.Name == name }); i >= 0 {
		return s.jobs[i]
	}
	return nil
}

// Start begins to run jobs: first, at once, what fell due while nothing ran. Where the clock can be advanced it goes on from where the ledger ends.
func (s *Scheduler) Start(ctx context.Context) error {
	if err := s.resumeClock(ctx); err != nil {
		return fmt.Errorf("scheduler: %w", err)
	}
	cron, err := gocron.NewScheduler(gocron.WithLocation(time.UTC))
	if err != nil {
		return fmt.Errorf("scheduler: %w", err)
	}
	for _, j := range s.jobs {
		_, err := cron.NewJob(gocron.CronJob(alarmCron, true), gocron.NewTask(s.ring, j), gocron.WithName(j.Name),
			gocron.WithSingletonMode(gocron.LimitModeReschedule), gocron.WithStartAt(gocron.WithStartImmediately()))
		if err != nil {
			return errors.Join(fmt.Errorf("job %s: %w", j.Name, err), cron.Shutdown())
		}
	}
	s.cron = cron
	cron.Start()
	return nil
}

// ring is an alarm: it runs what is due, unless there is nothing or the clock is being advanced.
func (s *Scheduler) ring(j *job) {
	if !s.isTime(j) || !s.gate.TryRLock() {
		return
	}
	defer s.gate.RUnlock()
	if _, err := s.runDue(s.ctx, j); s.isFirst(j, err) {
		s.Log.ErrorContext(s.ctx, "a job waits: its ledger cannot be read or written", slog.String("job", j.Name), slog.Any("error", err))
	}
}

func (s *Scheduler) isTime(j *job) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !s.DB.Now().Before(j.look)
}

// isFirst tells whether the error is the first after a success; the same trouble is not logged again with every alarm.
func (s *Scheduler) isFirst(j *job, err error) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	isFirst := err != nil && !j.failing && s.ctx.Err() == nil
	j.failing = err != nil
	return isFirst
}

// Stop ends the runs that are under way, so that another instance can take them over at once, and waits until they have ended. A scheduler that
// has been stopped stays so.
func (s *Scheduler) Stop() error { return s.stop() }

func (s *Scheduler) end() error {
	s.cancel()
	var err error
	if s.cron != nil {
		err = s.cron.Shutdown()
	}
	s.gate.Lock() // once all runs have given it back
	defer s.gate.Unlock()
	return err
}
