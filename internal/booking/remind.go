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
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/notify"
)

const (
	remindBefore = 24 * time.Hour
	remindBatch  = 100
	reminder     = "APPOINTMENT_REMINDER" // the kind of the mail and the text message; one occurrence per appointment and start
)

// reminderOf names the start of which the patient is reminded: a visit at another time is another one.
func reminderOf(a *ent.Appointment) string { return a.StartsAt.UTC().Format(time.RFC3339Nano) }

// RemindDue reminds the patient of every BOOKED appointment that starts within 24 hours, once per appointment and start: by mail, and by text message if
// there is a telephone. It returns how many appointments it told of, and is the method of the job appointment-reminders. Any number of instances may run it
// at once, and again after a failure: a batch stands or falls as one. Errors are the database's.
func (s *Service) RemindDue(ctx context.Context) (reminded int, err error) {
	ctx = access.System(ctx, "job:appointment-reminders")
	var last uuid.UUID
	for {
		due, err := s.DB.Client.Appointment.Query().Where(toRemind(s.DB.Now()), appointment.IDGT(last)).
			Order(appointment.ByID()).Limit(remindBatch).All(ctx)
		if err != nil || len(due) == 0 {
			return reminded, err
		}
		n, err := s.remindAll(ctx, due)
		if reminded += n; err != nil || len(due) < remindBatch {
			return reminded, err
		}
		last = due[len(due)-1].ID
	}
}

// toRemind finds the visits that will take place within the time of the reminder.
func toRemind(now time.Time) predicate.Appointment {
	return appointment.And(appointment.StatusEQ(appointment.StatusBOOKED), appointment.StartsAtGT(now), appointment.StartsAtLTE(now.Add(remindBefore)))
}

// remindAll reminds of those appointments that still need it, in one transaction, and returns how many they were.
func (s *Service) remindAll(ctx context.Context, due []*ent.Appointment) (reminded int, err error) {
	// Most have been reminded of hours ago: seen without a write transaction, of which SQLite has one.
	ids, err := s.unreminded(ctx, due)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		reminded = 0
		// What holds the rows wins, a cancellation or another instance: it is seen after the lock. One that comes later takes the reminder back.
		if err := s.DB.Lock(ctx, appointment.Table, ids...); err != nil {
			return err
		}
		again, err := s.DB.Client.Appointment.Query().Where(appointment.IDIn(ids...), toRemind(s.DB.Now())).
			Order(appointment.ByID()).WithPatient().WithPractitioner().All(ctx)
		if err != nil {
			return err
		}
		left, err := s.unreminded(ctx, again)
		if err != nil {
			return err
		}
		for _, a := range again {
			if !slices.Contains(left, a.ID) {
				continue
			}
			told, err := s.remind(ctx, a)
			if err != nil {
				return err
			}
			if told {
				reminded++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("remind of appointments: %w", err)
	}
	return reminded, nil
}

// unreminded leaves out the appointments of whose start a reminder was written, also a withdrawn one, and whatever the address was then.
func (s *Service) unreminded(ctx context.Context, list []*ent.Appointment) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(list))
	for i, a := range list {
		ids[i] = a.ID
	}
	written, err := s.DB.Client.Delivery.Query().Where(delivery.Kind(reminder), delivery.SubjectIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(id uuid.UUID) bool {
		a := list[slices.IndexFunc(list, func(a *ent.Appointment) bool { return a.ID == id })]
		return slices.ContainsFunc(written, func(d *ent.Delivery) bool { return d.SubjectID == id && d.Occurrence == reminderOf(a) })
	}), nil
}

// remind writes the mail and the text message; told is false for a patient who has neither address nor telephone.
func (s *Service) remind(ctx context.Context, a *ent.Appointment) (told bool, err error) {
	p := a.Edges.Patient
	text := fmt.Sprintf("Your appointment with %s is on %s.", a.Edges.Practitioner.Name, whenFor(p, a.StartsAt))
	if p.Email != "" {
		err = s.Notify.Mail(ctx, notify.Mail{
			Kind: reminder, UserID: p.UserID, To: p.Email, SubjectID: a.ID, Occurrence: reminderOf(a), Subject: "Your appointment",
			Body: fmt.Sprintf("Dear %s,\n\n%s\n\n%s\n", p.GivenName, text, s.PracticeName),
		})
		if err != nil {
			return false, err
		}
	}
	if p.Phone != "" {
		err = s.Notify.Text(ctx, notify.Text{
			Kind: reminder, UserID: p.UserID, To: p.Phone, SubjectID: a.ID, Occurrence: reminderOf(a), Body: s.PracticeName + ": " + text,
		})
	}
	return p.Email != "" || p.Phone != "", err
}
