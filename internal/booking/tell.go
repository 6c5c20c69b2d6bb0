package booking

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/notify"
)

// Kinds of what is told about the end and the move of visits; each once per visit, which can be cancelled or moved once.
const (
	cancellation = "APPOINTMENT_CANCELLED"
	reschedule   = "APPOINTMENT_RESCHEDULED"
	bookingNews  = "APPOINTMENT_BOOKED" // to the practitioner, of a booking
)

// tellCancelled tells the patient that the visit will not take place, and its practitioner, unless that is who cancelled. What was told of it before and
// has not been sent is taken back.
func (s *Service) tellCancelled(ctx context.Context, a *ent.Appointment, by Actor) error {
	p, doctor, err := s.peopleOf(ctx, a)
	if err != nil {
		return err
	}
	for _, moot := range []string{reschedule, bookingNews} {
		if err := s.Notify.Withdraw(ctx, moot, a.ID, ""); err != nil {
			return err
		}
	}
	words := fmt.Sprintf("Your appointment with %s on %s has been cancelled.", doctor.Name, whenFor(p, a.StartsAt))
	if err := s.tellPatient(ctx, p, a, cancellation, "Appointment cancelled", words); err != nil || by == ByPractitioner {
		return err
	}
	return s.Notify.Notice(ctx, notify.Notice{
		Kind: cancellation, UserID: doctor.UserID, SubjectID: a.ID, Title: "Appointment cancelled", Text: "An appointment with you has been cancelled.",
	})
}

// tellRescheduled tells the patient and the practitioner, unless that is who moved it, of the new time.
func (s *Service) tellRescheduled(ctx context.Context, old, made *ent.Appointment, by Actor) error {
	p, doctor, err := s.peopleOf(ctx, made)
	if err != nil {
		return err
	}
	for _, moot := range []string{reschedule, bookingNews} {
		if err := s.Notify.Withdraw(ctx, moot, old.ID, ""); err != nil {
			return err
		}
	}
	words := fmt.Sprintf("Your appointment with %s on %s has been moved to %s.", doctor.Name, whenFor(p, old.StartsAt), whenFor(p, made.StartsAt))
	if err := s.tellPatient(ctx, p, made, reschedule, "Appointment moved", words); err != nil || by == ByPractitioner {
		return err
	}
	return s.Notify.Notice(ctx, notify.Notice{
		Kind: reschedule, UserID: doctor.UserID, SubjectID: made.ID, Title: "Appointment moved", Text: "An appointment with you has been moved to another time.",
	})
}

// tellPatient gives notice and sends a mail, as far as there are account and address.
func (s *Service) tellPatient(ctx context.Context, p *ent.Patient, a *ent.Appointment, kind, title, words string) error {
	if p.UserID != nil {
		if err := s.Notify.Notice(ctx, notify.Notice{Kind: kind, UserID: *p.UserID, SubjectID: a.ID, Title: title, Text: words}); err != nil {
			return err
		}
	}
	if p.Email == "" {
		return nil
	}
	return s.Notify.Mail(ctx, notify.Mail{
		Kind: kind, UserID: p.UserID, To: p.Email, SubjectID: a.ID, Subject: title,
		Body: fmt.Sprintf("Dear %s,\n\n%s\n\n%s\n", p.GivenName, words, s.PracticeName),
	})
}

func (s *Service) peopleOf(ctx context.Context, a *ent.Appointment) (*ent.Patient, *ent.Practitioner, error) {
	p, err := s.DB.Client.Patient.Get(ctx, a.PatientID)
	if err != nil {
		return nil, nil, err
	}
	doctor, err := s.DB.Client.Practitioner.Get(ctx, a.PractitionerID)
	return p, doctor, err
}
