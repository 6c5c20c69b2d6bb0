package booking

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/questionanswer"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// Validate reports all errors of the input's fields.
func (in UpdateAppointmentInput) Validate() error {
	return errors.Join(
		fits(in.Note, maxNote, "A note has at most 2,000 characters.", "note"),
		fits(in.Symptoms, maxNote, "Symptoms have at most 2,000 characters.", "symptoms"),
	)
}

// Update changes what is known before or after a visit: the patient, until its start, the note and the answers; its practitioner and administrators the note,
// the symptoms and the kind of consultation. It returns the visit, after a CONFLICT as it is now. Errors: NOT_FOUND, ILLEGAL_STATUS, CONFLICT, FORBIDDEN,
// INVALID_INPUT.
func (s *Service) Update(ctx context.Context, in UpdateAppointmentInput) (*ent.Appointment, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	by := access.From(ctx)
	a, err := s.act(ctx, in.AppointmentID, ActUpdate, "updateAppointment", func(ctx context.Context, a *ent.Appointment, t Transition) error {
		if in.ExpectedVersion != nil && *in.ExpectedVersion != a.Version {
			return fault.ErrConflict.At("expectedVersion")
		}
		if err := in.isFor(t.By); err != nil {
			return err
		}
		if err := s.writeIntake(ctx, a, in); err != nil {
			return err
		}
		if len(in.Answers) > 0 {
			if _, err := s.writeAnswers(ctx, a, in.Answers); err != nil {
				return err
			}
		}
		if err := s.DB.Client.Appointment.UpdateOne(a).Exec(ctx); err != nil { // the version rises: the visit is what clients name it by
			return err
		}
		return s.tellUpdated(ctx, a, by.UserID)
	})
	if errors.Is(err, fault.ErrConflict) {
		present, readErr := s.visible(ctx, in.AppointmentID)
		return present, errors.Join(readErr, err)
	}
	return a, err
}

// isFor refuses what is not for the actor to say: clinical context for patients, the patient's own answers for others.
func (in UpdateAppointmentInput) isFor(by Actor) error {
	switch {
	case by == ByPatient && in.Symptoms != nil:
		return fault.ErrForbidden.At("symptoms")
	case by == ByPatient && in.ConsultationType != nil:
		return fault.ErrForbidden.At("consultationType")
	case by != ByPatient && len(in.Answers) > 0:
		return fault.ErrForbidden.At("answers")
	default:
		return nil
	}
}

// writeIntake stores the note and the clinical context.
func (s *Service) writeIntake(ctx context.Context, a *ent.Appointment, in UpdateAppointmentInput) error {
	if in.Note == nil && in.Symptoms == nil && in.ConsultationType == nil {
		return nil
	}
	present, err := s.DB.Client.AppointmentIntake.Query().Where(appointmentintake.AppointmentID(a.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		present, err = s.DB.Client.AppointmentIntake.Create().SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetPractitionerID(a.PractitionerID).Save(ctx)
	}
	if err != nil {
		return err
	}
	update := s.DB.Client.AppointmentIntake.UpdateOne(present)
	if in.Note != nil {
		update.SetNote(text(in.Note))
	}
	if in.Symptoms != nil {
		update.SetSymptoms(text(in.Symptoms))
	}
	return update.SetNillableConsultationType(in.ConsultationType).Exec(ctx)
}

// copyIntake gives the note, the clinical context and the answers of one visit to another.
func (s *Service) copyIntake(ctx context.Context, old, made *ent.Appointment) error {
	intake, err := s.DB.Client.AppointmentIntake.Query().Where(appointmentintake.AppointmentID(old.ID)).Only(ctx)
	if err == nil {
		err = s.DB.Client.AppointmentIntake.Create().SetAppointmentID(made.ID).SetPatientID(made.PatientID).SetPractitionerID(made.PractitionerID).
			SetNote(intake.Note).SetSymptoms(intake.Symptoms).SetNillableConsultationType(intake.ConsultationType).Exec(ctx)
	}
	if ent.MaskNotFound(err) != nil {
		return err
	}
	answers, err := s.DB.Client.QuestionAnswer.Query().Where(questionanswer.AppointmentID(old.ID)).Order(questionanswer.ByID()).All(ctx)
	if err != nil || len(answers) == 0 {
		return err
	}
	copies := make([]*ent.QuestionAnswerCreate, len(answers))
	for i, one := range answers {
		copies[i] = s.DB.Client.QuestionAnswer.Create().SetAppointmentID(made.ID).SetPatientID(made.PatientID).SetPractitionerID(made.PractitionerID).
			SetQuestionID(one.QuestionID).SetPrompt(one.Prompt).SetText(one.Text).SetChoices(one.Choices)
	}
	return s.DB.Client.QuestionAnswer.CreateBulk(copies...).Exec(ctx)
}
