package audit

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/chatupload"
)

func addRoom(ctx context.Context, c *clinic) (*ent.ChatRoom, error) {
	return c.db.Client.ChatRoom.Create().SetAppointmentID(c.appointment.ID).SetPatientID(c.patient.ID).
		SetPractitionerID(c.practitioner.ID).SetStatus(chatroom.StatusACTIVE).Save(ctx)
}

func addMessage(ctx context.Context, c *clinic) (*ent.ChatMessage, error) {
	room, err := addRoom(ctx, c)
	if err != nil {
		return nil, err
	}
	return c.db.Client.ChatMessage.Create().SetRoomID(room.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).
		SetSenderID(c.admin.ID).SetSenderRole(chatmessage.SenderRolePATIENT).SetPosition(1).SetBody("It hurts.").Save(ctx)
}

func addUpload(ctx context.Context, c *clinic) (*ent.ChatUpload, error) {
	room, err := addRoom(quiet(ctx), c)
	if err != nil {
		return nil, err
	}
	return c.db.Client.ChatUpload.Create().SetRoomID(room.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).SetUserID(c.admin.ID).
		SetPurpose(chatupload.PurposeCHAT_ATTACHMENT).SetFileName("x.png").SetContentType(chatupload.ContentTypePng).SetSizeBytes(1).
		SetExpiresAt(c.db.Now()).Save(ctx)
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
		ent.TypeChatMessageVersion: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				m, err := addMessage(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				return c.db.Client.ChatMessageVersion.Create().SetMessageID(m.ID).SetRoomID(m.RoomID).SetPatientID(m.PatientID).
					SetPractitionerID(m.PractitionerID).SetNumber(2).SetBody("It hurts less.").Save(ctx)
			}, "message_id", "number", "body"),
		},
		ent.TypeChatUpload: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) { return addUpload(ctx, c) }, "user_id", "file_name", "content_type"),
			update(true, func(ctx context.Context, c *clinic) (any, error) {
				return c.db.Client.ChatUpload.UpdateOneID(w.last.(*ent.ChatUpload).ID).SetStoredAt(c.db.Now()).Save(ctx)
			}, "stored_at"),
		},
		ent.TypeChatAttachment: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				m, err := addMessage(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				u := c.db.Client.ChatUpload.Create().SetRoomID(m.RoomID).SetPatientID(m.PatientID).SetPractitionerID(m.PractitionerID).SetUserID(c.admin.ID).
					SetPurpose(chatupload.PurposeCHAT_ATTACHMENT).SetFileName("x.png").SetContentType(chatupload.ContentTypePng).SetSizeBytes(1).
					SetExpiresAt(c.db.Now()).SaveX(quiet(ctx))
				return c.db.Client.ChatAttachment.Create().SetMessageID(m.ID).SetUploadID(u.ID).SetRoomID(m.RoomID).SetPatientID(m.PatientID).
					SetPractitionerID(m.PractitionerID).SetPlace(1).SetFileName("x.png").SetContentType("image/png").SetSizeBytes(1).Save(ctx)
			}, "message_id", "upload_id"),
		},
		ent.TypeRecordOpening: {
			w.create(true, func(ctx context.Context, c *clinic) (any, error) {
				room, err := addRoom(quiet(ctx), c)
				if err != nil {
					return nil, err
				}
				return c.db.Client.RecordOpening.Create().SetRoomID(room.ID).SetPatientID(c.patient.ID).SetPractitionerID(c.practitioner.ID).
					SetUserID(c.admin.ID).SetReason("A complaint of the patient.").SetExpiresAt(c.db.Now()).Save(ctx)
			}, "user_id", "reason", "expires_at"),
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
