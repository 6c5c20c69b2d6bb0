package chat

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
)

// Deactivate ends writing in the room of an appointment as a part of the transaction that ends the appointment; it stays readable. It is for other
// domains. An appointment without a room is left as it is, and a room that nobody writes in any more.
func (s *Service) Deactivate(ctx context.Context, appointmentID uuid.UUID) error {
	ctx = access.System(ctx, "deactivate chat room")
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		r, err := s.followed(ctx, appointmentID)
		if err != nil || r == nil || r.DeletedAt != nil || r.Status != chatroom.StatusACTIVE && r.Status != chatroom.StatusSUSPENDED {
			return err
		}
		_, err = s.become(ctx, r.ID, chatroom.StatusINACTIVE)
		return err
	})
}

// Move gives the room of an appointment to the one that takes its place, as a part of the transaction that does so. It is for other domains, which have
// made sure that patient and practitioner are the same.
func (s *Service) Move(ctx context.Context, from, to uuid.UUID) error {
	ctx = access.System(ctx, "move chat room")
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		r, err := s.followed(ctx, from)
		if err != nil || r == nil {
			return err
		}
		return s.DB.Client.ChatRoom.UpdateOne(r).SetAppointmentID(to).Exec(ctx)
	})
}

// followed returns the room of an appointment with its stream locked, as for all who write there; nil when there is none.
func (s *Service) followed(ctx context.Context, appointmentID uuid.UUID) (*ent.ChatRoom, error) {
	id, err := s.DB.Client.ChatRoom.Query().Where(chatroom.AppointmentID(appointmentID)).OnlyID(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.DB.Lock(ctx, entstream.Table, id); err != nil {
		return nil, err
	}
	return s.DB.Client.ChatRoom.Get(ctx, id)
}
