package audit

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
)

func addRoom(ctx context.Context, c *clinic) (*ent.ChatRoom, error) {
	return c.db.Client.ChatRoom.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).
		SetPractitionerID(c.practitioner.ID).SetStatus(chatroom.StatusACTIVE).Save(ctx)
}

func (w *writer) ofChat() map[string][]change {
	return map[string][]change{
		ent.TypeChatRoom: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) { return addRoom(ctx, c) }, "appointment_id", "status"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.ChatRoom.UpdateOneID(w.last.(*ent.ChatRoom).ID).SetStatus(chatroom.StatusSUSPENDED).Save(ctx)
			}, "status"),
		},
		ent.TypeChatMessage: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				room, err := addRoom(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				return c.db.Client.ChatMessage.Create().SetRoomID(room.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).
					SetSenderID(c.admin.ID).SetSenderRole(chatmessage.SenderRolePATIENT).SetPosition(1).SetBody("It hurts.").Save(ctx)
			}, "sender_id", "position", "body"),
		},
		ent.TypeChatRead: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				room, err := addRoom(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				return c.db.Client.ChatRead.Create().SetRoomID(room.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).
					SetUserID(c.admin.ID).SetUpTo(1).Save(ctx)
			}, "user_id", "up_to"),
		},
	}
}
