package chat

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/stream"
)

// Open opens the room of an appointment as a part of the transaction that books it. It is for other domains, which have decided that the room is due.
// Opening it again, also by many at once, changes nothing: the first one's commit decides.
func (s *Service) Open(ctx context.Context, a *ent.Appointment) error {
	ctx = access.System(ctx, "open chat room")
	return s.DB.WithTx(ctx, func(ctx context.Context) error {
		id, now := s.DB.NewID(ent.TypeChatRoom), s.DB.Now()
		opened, err := s.DB.Exec(ctx, "open chat room", s.DB.Build().Insert(chatroom.Table).
			Columns(chatroom.FieldID, chatroom.FieldCreatedAt, chatroom.FieldAppointmentID, chatroom.FieldPatientID, chatroom.FieldPractitionerID, chatroom.FieldStatus, chatroom.FieldStatusSince).
			Values(id, now, a.ID, a.PatientID, a.PractitionerID, chatroom.StatusACTIVE, now).
			OnConflict(entsql.ConflictColumns(chatroom.FieldAppointmentID), entsql.DoNothing()))
		if err != nil || opened == 0 {
			return err
		}
		if err := s.Audit.Record(ctx, audit.Event{
			Action: auditevent.ActionCREATE, Entity: ent.TypeChatRoom, EntityID: id, PatientID: a.PatientID,
			Changes: []audit.Change{
				{Field: chatroom.FieldAppointmentID, New: a.ID.String()}, {Field: chatroom.FieldPatientID, New: a.PatientID.String()},
				{Field: chatroom.FieldPractitionerID, New: a.PractitionerID.String()}, {Field: chatroom.FieldStatus, New: string(chatroom.StatusACTIVE)},
			},
		}); err != nil {
			return err
		}
		return s.tellOf(ctx, stream.Entry{
			Stream: id, Kind: KindRoomStatusChanged, Subject: id, Data: StatusStep{Status: chatroom.StatusACTIVE}, PatientID: a.PatientID,
		})
	})
}
