package app

import (
	"context"
	"time"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/wallet"
	"github.com/caregraph/caregraph/scheduler"
)

// jobs is the table of jobs.
func (a *App) jobs() []scheduler.Job {
	return []scheduler.Job{
		latest("session-cleanup", "Closes the books on sessions that are over, and deletes those that ended more than 30 days ago.", time.Hour,
			func(ctx context.Context) (scheduler.Counts, error) {
				closed, deleted, err := a.Identity.CleanUp(ctx)
				return scheduler.Counts{"closed": closed, "deleted": deleted}, err
			}),
		latest("expire-pending-appointments", "Ends appointments that were not paid in time and frees their slots.", time.Minute,
			counted("expired", a.Booking.ExpireDue)),
		latest("payment-warnings", "Warns patients five minutes before the time to pay is over.", time.Minute, counted("warned", a.Booking.WarnDue)),
		latest("reconcile-payments", "Asks the payment provider about orders of which no event has come, and opens pages that could not be opened.", 10*time.Minute,
			counted("changed", a.Booking.Reconcile)),
		latest("appointment-reminders", "Reminds patients of visits within 24 hours, by mail and text message.", time.Hour, counted("reminded", a.Booking.RemindDue)),
		latest("refunds", "Asks the payment provider again for refunds that have not succeeded.", time.Minute, counted("succeeded", a.Booking.RetryRefunds)),
		daily("archive-chat-rooms", "Puts rooms away that became inactive 30 days ago.", civil.LocalTime{Hour: 1, Minute: 30}, counted("archived", a.Chat.ArchiveDue)),
		daily("clean-up", "Deletes files that were sent for a message and went into none within a day.", civil.LocalTime{Hour: 2, Minute: 30},
			counted("uploads", a.Chat.CleanUp)),
		a.dailyCharges(),
		latest("wallet-low-balance", "Tells patients and billers of wallets that have fallen below the threshold or below zero.", 2*time.Hour,
			func(ctx context.Context) (scheduler.Counts, error) {
				low, overdrawn, err := a.Wallets.LowBalanceDue(ctx)
				return scheduler.Counts{"low": low, "overdrawn": overdrawn}, err
			}),
		{
			Name: wallet.VerifyJob, Description: "Computes all balances and hash chains of the wallets again and tells administrators of the first bad row.",
			Schedule: scheduler.Daily(civil.LocalTime{Hour: 3, Minute: 15}), CatchUp: scheduler.RunLatest,
			Run: func(ctx context.Context, _ scheduler.Occurrence) (scheduler.Counts, error) {
				found, err := a.Wallets.VerifyDue(ctx)
				counts := scheduler.Counts{"wallets": found.Wallets, "transactions": found.Transactions, "broken": 0}
				if err == nil && found.Fault != nil {
					counts["broken"], err = 1, scheduler.Final(found.Fault.String())
				}
				return counts, err
			},
		},
	}
}

// latest is a job of which only the newest occurrence matters.
func latest(name, description string, every time.Duration, run func(context.Context) (scheduler.Counts, error)) scheduler.Job {
	return latestOf(name, description, scheduler.Every(every), run)
}

// daily is latest at a local time of the practice.
func daily(name, description string, at civil.LocalTime, run func(context.Context) (scheduler.Counts, error)) scheduler.Job {
	return latestOf(name, description, scheduler.Daily(at), run)
}

func latestOf(name, description string, schedule scheduler.Schedule, run func(context.Context) (scheduler.Counts, error)) scheduler.Job {
	return scheduler.Job{
		Name: name, Description: description, Schedule: schedule, CatchUp: scheduler.RunLatest,
		Run: func(ctx context.Context, _ scheduler.Occurrence) (scheduler.Counts, error) {
			return run(audit.Cause(access.System(ctx, "job:"+name), "job:"+name))
		},
	}
}

// counted names the number that a method answers.
func counted(name string, run func(context.Context) (int, error)) func(context.Context) (scheduler.Counts, error) {
	return func(ctx context.Context) (scheduler.Counts, error) {
		n, err := run(ctx)
		return scheduler.Counts{name: n}, err
	}
}
