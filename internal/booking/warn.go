package booking

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/notify"
)

const (
	warnBefore     = 5 * time.Minute
	warnBatch      = 100
	paymentWarning = "PAYMENT_WARNING" // the kind of the notice and the mail; one occurrence per appointment
)

// WarnDue tells the patient of every PENDING appointment, at most once, that its time to pay ends within 5 minutes, and returns how many appointments
// it told of. It is the method of the job payment-warnings. Any number of instances may run it at once, and again after a failure: a batch stands or
// falls as one. Errors are the database's.
func (s *Service) WarnDue(ctx context.Context) (warned int, err error) {
	ctx = access.System(ctx, "job:payment-warnings")
	var last uuid.UUID
	for {
		due, err := s.DB.Client.Appointment.Query().Where(toWarn(s.DB.Now()), appointment.IDGT(last)).
			Order(appointment.ByID()).Limit(warnBatch).IDs(ctx)
		if err != nil || len(due) == 0 {
			return warned, err
		}
		n, err := s.warnAll(ctx, due)
		if warned += n; err != nil || len(due) < warnBatch {
			return warned, err
		}
		last = due[len(due)-1]
	}
}

// toWarn finds the appointments whose time to pay runs out within the time of the warning, and has not.
func toWarn(now time.Time) predicate.Appointment {
	return appointment.And(appointment.StatusEQ(appointment.StatusPENDING),
		appointment.ExpiresAtGT(now), appointment.ExpiresAtLTE(now.Add(warnBefore)))
}

// warnAll warns of those appointments that still need it, in one transaction, and returns how many they were.
func (s *Service) warnAll(ctx context.Context, ids []uuid.UUID) (warned int, err error) {
	// Most have been warned of a minute ago: seen without a write transaction, of which SQLite has one.
	if ids, err = s.unwarned(ctx, ids); err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		warned = 0
		// A payment that holds the row wins: what it and other instances have written is seen after the lock. One that comes later takes the warning back.
		if err := s.DB.Lock(ctx, appointment.Table, ids...); err != nil {
			return err
		}
		left, err := s.unwarned(ctx, ids)
		if err != nil {
			return err
		}
		due, err := s.DB.Client.Appointment.Query().Where(appointment.IDIn(left...), toWarn(s.DB.Now())).
			Order(appointment.ByID()).WithPatient().All(ctx)
		if err != nil {
			return err
		}
		for _, a := range due {
			told, err := s.warn(ctx, a, a.Edges.Patient)
			if err != nil {
				return err
			}
			if told {
				warned++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("warn of payments: %w", err)
	}
	return warned, nil
}

// unwarned leaves out the appointments that a warning was written for, also a withdrawn one, and whatever the address was then.
func (s *Service) unwarned(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	var noticed, mailed []uuid.UUID
	err := s.DB.Client.Notification.Query().Where(notification.Kind(paymentWarning), notification.SubjectIDIn(ids...)).
		Select(notification.FieldSubjectID).Scan(ctx, &noticed)
	if err != nil {
		return nil, err
	}
	err = s.DB.Client.Delivery.Query().Where(delivery.Kind(paymentWarning), delivery.SubjectIDIn(ids...)).
		Select(delivery.FieldSubjectID).Scan(ctx, &mailed)
	if err != nil {
		return nil, err
	}
	var left []uuid.UUID
	for _, id := range ids {
		if !slices.Contains(noticed, id) && !slices.Contains(mailed, id) {
			left = append(left, id)
		}
	}
	return left, nil
}

// warn writes the notice and the mail; told is false for a patient who has neither account nor address.
func (s *Service) warn(ctx context.Context, a *ent.Appointment, p *ent.Patient) (told bool, err error) {
	text := fmt.Sprintf("Your appointment on %s has not been paid yet. Pay by %s; after that the time is free for others.",
		whenFor(p, a.StartsAt), a.ExpiresAt.In(zoneOf(p)).Format("15:04 (MST)"))
	if p.UserID != nil {
		if err := s.Notify.Notice(ctx, notify.Notice{
			Kind: paymentWarning, UserID: *p.UserID, SubjectID: a.ID, Title: "Payment due soon", Text: text,
		}); err != nil {
			return false, err
		}
	}
	if p.Email != "" {
		if err := s.Notify.Mail(ctx, notify.Mail{
			Kind: paymentWarning, UserID: p.UserID, To: p.Email, SubjectID: a.ID, Subject: "Payment due soon",
			Body: fmt.Sprintf("Dear %s,\n\n%s\n\n%s\n", p.GivenName, text, s.PracticeName),
		}); err != nil {
			return false, err
		}
	}
	return p.UserID != nil || p.Email != "", nil
}
