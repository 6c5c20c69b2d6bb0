package demo

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
)

// talk is a room in which something is said once the clinic stands.
type talk struct {
	appointment  *ent.Appointment
	practitioner uuid.UUID // the account
}

// lines are said in turn, the patient first.
var lines = []string{
	"Hello doctor, I have booked for the headaches that I told your front desk about.",
	"Hello! Thank you, I have seen it. How often do they come?",
	"Two or three times a week, mostly in the evening.",
	"Please write down when they come and what you did before. We will look at it together at the visit.",
}

// addTalk is a visit to come, whose payment has opened its room.
func (s *Seeder) addTalk(ctx context.Context, at *ent.Slot, p *ent.Patient) error {
	a, err := s.addVisit(ctx, at, p, appointment.StatusBOOKED)
	if err != nil {
		return err
	}
	account, err := a.QueryPractitioner().Only(ctx)
	if err != nil {
		return err
	}
	s.talks = append(s.talks, talk{appointment: a, practitioner: account.UserID})
	return s.Chat.Open(ctx, a)
}

// speak says the lines as the people of the rooms.
func (s *Seeder) speak(ctx context.Context) error {
	for _, t := range s.talks {
		room, err := s.DB.Client.ChatRoom.Query().Where(chatroom.AppointmentID(t.appointment.ID)).OnlyID(ctx)
		if err != nil {
			return err
		}
		sides := []*access.Viewer{
			{UserID: t.appointment.BookedBy, PatientID: t.appointment.PatientID, Roles: []access.Role{access.Patient}},
			{UserID: t.practitioner, PractitionerID: t.appointment.PractitionerID, Roles: []access.Role{access.Doctor, access.Clinician}},
		}
		for i, line := range lines {
			if _, err := s.Chat.Send(access.As(ctx, sides[i%2]), chat.SendMessageInput{RoomID: room, Body: line}); err != nil {
				return err
			}
		}
	}
	return nil
}
