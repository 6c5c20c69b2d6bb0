package chat

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatread"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// MarkRead moves the viewer's watermark in a room on to a message, never back: what is read already stays read and leaves no event. Participants may
// call it, whatever the room's status. 0 is before the first message. A position behind the newest message is refused, not cut: it would be that of
// something else, and messages that nobody has seen would count as read. Errors: NOT_FOUND, INVALID_INPUT.
func (s *Service) MarkRead(ctx context.Context, in MarkRoomReadInput) (*ent.ChatRoom, error) {
	if in.UpTo < 0 {
		return nil, errNoSuchMessage
	}
	r, err := s.room(ctx, in.RoomID)
	if err != nil {
		return nil, err
	}
	reader := access.From(ctx).UserID
	err = s.DB.WithTx(access.System(ctx, "mark room read"), func(ctx context.Context) error {
		return s.moveWatermark(ctx, r, reader, int64(in.UpTo))
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

var errNoSuchMessage = fault.InvalidAt("The room has no message at that position.", "upTo")

// moveWatermark moves it under the lock of the room's stream, which orders all who read and write there.
func (s *Service) moveWatermark(ctx context.Context, r *ent.ChatRoom, reader uuid.UUID, upTo int64) error {
	if err := s.DB.Lock(ctx, entstream.Table, r.ID); err != nil {
		return err
	}
	counters, err := s.DB.Client.Stream.Get(ctx, r.ID)
	if err != nil {
		return err
	}
	if upTo > counters.Items {
		return errNoSuchMessage
	}
	before, err := s.DB.Client.ChatRead.Query().Where(chatread.RoomID(r.ID), chatread.UserID(reader)).Order(chatread.ByUpTo(sql.OrderDesc())).First(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if upTo == 0 || before != nil && before.UpTo >= upTo {
		return nil
	}
	read, err := s.DB.Client.ChatRead.Create().SetRoomID(r.ID).SetPatientID(r.PatientID).SetPractitionerID(r.PractitionerID).
		SetUserID(reader).SetUpTo(upTo).Save(ctx)
	if err != nil {
		return err
	}
	return s.tellOf(ctx, stream.Entry{
		Stream: r.ID, Kind: KindMessagesRead, Subject: read.ID, Data: ReadStep{By: reader, UpTo: upTo}, PatientID: r.PatientID,
	})
}
