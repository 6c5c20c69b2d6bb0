package chat

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/appointmentintake"
)

// ChatContext is what the visit of a room is about, for who prepares for it.
type ChatContext struct {
	StartsAt, EndsAt time.Time
	DurationMinutes  int
	Note             *string
	Symptoms         *string
	ConsultationType *appointmentintake.ConsultationType
}

// Contexts returns the contexts of appointments, under the rights of ctx and with two statements: none where the viewer may not read the appointment, and
// without what the patient said where the viewer takes no part in it.
func (s *Service) Contexts(ctx context.Context, appointments []uuid.UUID) (map[uuid.UUID]*ChatContext, error) {
	list, err := s.DB.Client.Appointment.Query().Where(appointment.IDIn(appointments...)).WithIntake().All(ctx)
	found := make(map[uuid.UUID]*ChatContext, len(list))
	for _, a := range list {
		c := &ChatContext{StartsAt: a.StartsAt, EndsAt: a.EndsAt, DurationMinutes: int(a.EndsAt.Sub(a.StartsAt) / time.Minute)}
		if in := a.Edges.Intake; in != nil {
			c.Note, c.Symptoms, c.ConsultationType = given(in.Note), given(in.Symptoms), in.ConsultationType
		}
		found[a.ID] = c
	}
	return found, err
}

// given is the text, or null when there is none.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
