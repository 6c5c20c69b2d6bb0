package chat

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/appointment"
)

// ChatContext is what the visit of a room is about, for who prepares for it.
type ChatContext struct {
	StartsAt, EndsAt time.Time
	DurationMinutes  int
	Note             *string
}

// Contexts returns the contexts of appointments, under the rights of ctx and with two statements: none where the viewer may not read the appointment, and
// without what the patient said where the viewer takes no part in it.
func (s *Service) Contexts(ctx context.Context, appointments []uuid.UUID) (map[uuid.UUID]*ChatContext, error) {
	list, err := s.DB.Client.Appointment.Query().Where(appointment.IDIn(appointments...)).WithIntake().All(ctx)
	found := make(map[uuid.UUID]*ChatContext, len(list))
	for _, a := range list {
		c := &ChatContext{StartsAt: a.StartsAt, EndsAt: a.EndsAt, DurationMinutes: int(a.EndsAt.Sub(a.StartsAt) / time.Minute)}
		if in := a.Edges.Intake; in != nil && in.Note != "" {
			c.Note = &in.Note
		}
		found[a.ID] = c
	}
	return found, err
}
