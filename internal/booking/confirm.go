package booking

import (
	"context"
	"fmt"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/carerelation"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/notify"
)

// confirmation is the kind of the notice and the mail; one occurrence per appointment.
const confirmation = "APPOINTMENT_CONFIRMED"

// confirm books a paid appointment: from now on the patient is one of the practitioner's, they can write to each other, and the patient is told.
func (s *Service) confirm(ctx context.Context, a *ent.Appointment, cause string) error {
	booked, err := s.change(ctx, a, appointment.StatusBOOKED, cause)
	if err != nil {
		return err
	}
	now := s.DB.Now()
	_, err = s.DB.Exec(ctx, "care relation", s.DB.Build().Insert(carerelation.Table).
		Columns("id", "created_at", carerelation.FieldPractitionerID, carerelation.FieldPatientID, carerelation.FieldSource, carerelation.FieldSourceID).
		Values(s.DB.NewID(ent.TypeCareRelation), now, a.PractitionerID, a.PatientID, carerelation.SourceAPPOINTMENT, a.ID).
		OnConflict(entsql.DoNothing()))
	if err != nil {
		return err
	}
	if err := s.Chat.Open(ctx, booked); err != nil {
		return err
	}
	return s.tellBooked(ctx, booked)
}

// tellBooked sends the confirmation to the patient and a notice to the practitioner.
func (s *Service) tellBooked(ctx context.Context, a *ent.Appointment) error {
	p, err := s.DB.Client.Patient.Get(ctx, a.PatientID)
	if err != nil {
		return err
	}
	doctor, err := s.DB.Client.Practitioner.Get(ctx, a.PractitionerID)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Your appointment with %s on %s is confirmed.", doctor.Name, whenFor(p, a.StartsAt))
	if p.UserID != nil {
		if err := s.Notify.Notice(ctx, notify.Notice{
			Kind: confirmation, UserID: *p.UserID, SubjectID: a.ID, Title: "Appointment confirmed", Text: text,
		}); err != nil {
			return err
		}
	}
	if p.Email != "" {
		if err := s.Notify.Mail(ctx, notify.Mail{
			Kind: confirmation, UserID: p.UserID, To: p.Email, SubjectID: a.ID, Subject: "Appointment confirmed",
			Body: fmt.Sprintf("Dear %s,\n\n%s\n\n%s\n", p.GivenName, text, s.PracticeName),
		}); err != nil {
			return err
		}
	}
	return s.Notify.Notice(ctx, notify.Notice{
		Kind: "APPOINTMENT_BOOKED", UserID: doctor.UserID, SubjectID: a.ID, Title: "New appointment", Text: "A new appointment has been booked with you.",
	})
}

// zoneOf is the zone in which the patient reads times. Texts name it, so that a record's wrong zone keeps nothing from being told.
func zoneOf(p *ent.Patient) *time.Location {
	zone, err := civil.LoadZone(p.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// whenFor writes an instant for the patient.
func whenFor(p *ent.Patient, t time.Time) string {
	return t.In(zoneOf(p)).Format("Monday 2 January 2006, 15:04 (MST)")
}
