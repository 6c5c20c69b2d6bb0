package chat

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatattachment"
	"github.com/caregraph/caregraph/ent/chatroom"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// editWindow is the time in which a message can be changed: up to and with its last instant.
const editWindow = 15 * time.Minute

// CanEdit tells whether the viewer may change the message now, as far as the message tells: the room has to be ACTIVE too.
func (s *Service) CanEdit(v *access.Viewer, m *ent.ChatMessage, t Text) bool {
	return v != nil && v.UserID == m.SenderID && !t.IsDeleted() && s.isInWindow(m)
}

func (s *Service) isInWindow(m *ent.ChatMessage) bool {
	return s.DB.Now().Sub(m.CreatedAt) <= editWindow
}

// Edit gives a message another text; the record keeps the texts before. Its sender may call it up to 15 minutes after it was sent, the last instant
// included, while the room is ACTIVE. The text that the message has already changes nothing and is answered at any time. Errors: NOT_FOUND, also of a
// deleted message, FORBIDDEN, ROOM_NOT_WRITABLE, EDIT_WINDOW_CLOSED, MESSAGE_EMPTY, MESSAGE_TOO_LONG, INVALID_INPUT, CONFLICT with the present message.
func (s *Service) Edit(ctx context.Context, in EditMessageInput) (*ent.ChatMessage, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	body := trimmed(in.Body)
	return s.revise(ctx, revision{message: in.ID, expected: in.ExpectedVersion, body: &body})
}

// DeleteMessage takes a message away from its readers; the record keeps it. Who may, and when, is as for Edit; a deleted message stays so and leaves no
// event. Errors: NOT_FOUND, FORBIDDEN, ROOM_NOT_WRITABLE, EDIT_WINDOW_CLOSED, CONFLICT with the present message.
func (s *Service) DeleteMessage(ctx context.Context, in DeleteMessageInput) (*ent.ChatMessage, error) {
	return s.revise(ctx, revision{message: in.ID, expected: in.ExpectedVersion})
}

// revision is what is to become of a message; without a body it is deleted.
type revision struct {
	message  uuid.UUID
	expected *int
	body     *string
}

func (s *Service) revise(ctx context.Context, r revision) (*ent.ChatMessage, error) {
	v := access.From(ctx)
	if v == nil {
		return nil, fault.ErrUnauthenticated
	}
	m, err := s.DB.Client.ChatMessage.Get(ctx, r.message)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("id")
	}
	if err != nil {
		return nil, err
	}
	if v.UserID != m.SenderID {
		return nil, fault.ErrForbidden.At("id")
	}
	err = s.DB.WithTx(access.System(ctx, "change a message"), func(ctx context.Context) error { return s.reviseIn(ctx, v, m, r) })
	return m, err
}

// reviseIn judges a revision under the lock of the room, by what then holds, and writes it.
func (s *Service) reviseIn(ctx context.Context, v *access.Viewer, m *ent.ChatMessage, r revision) error {
	if err := s.DB.Lock(ctx, entstream.Table, m.RoomID); err != nil {
		return err
	}
	rooms, err := s.roomsOf(ctx, []uuid.UUID{m.RoomID})
	if err != nil {
		return err
	}
	room, exists := rooms[m.RoomID]
	if _, ok := participant(v, room.patientID, room.practitionerID); !exists || !ok {
		return fault.ErrNotFound.At("id")
	}
	versions, err := s.Newer(ctx, []uuid.UUID{m.ID})
	if err != nil {
		return err
	}
	now := textOf(m, versions[m.ID])
	change, err := s.judgeRevision(ctx, room, m, now, r)
	if err != nil || !change {
		return err
	}
	kind, create := KindMessageDeleted, s.DB.Client.ChatMessageVersion.Create().SetMessageID(m.ID).SetRoomID(m.RoomID).SetPatientID(m.PatientID).
		SetPractitionerID(m.PractitionerID).SetNumber(now.Version+1)
	if r.body != nil {
		kind = KindMessageEdited
		create.SetBody(*r.body).SetSearchKey(fold(*r.body))
	}
	if err := create.Exec(ctx); err != nil {
		return err
	}
	return s.tell(ctx, room, stream.Entry{Stream: m.RoomID, Kind: kind, Subject: m.ID, PatientID: m.PatientID})
}

// judgeRevision tells whether there is something to change, and whether it may be.
func (s *Service) judgeRevision(ctx context.Context, room roomState, m *ent.ChatMessage, now Text, r revision) (bool, error) {
	switch {
	case r.expected != nil && *r.expected != now.Version:
		return false, fault.ErrConflict.At("expectedVersion")
	case now.IsDeleted() && r.body == nil:
		return false, nil
	case now.IsDeleted():
		return false, fault.ErrNotFound.At("id")
	case r.body != nil && *r.body == *now.Body:
		return false, nil
	case room.status != chatroom.StatusACTIVE:
		return false, ErrRoomNotWritable
	case !s.isInWindow(m):
		return false, ErrEditWindowClosed
	case r.body == nil || *r.body != "":
		return true, nil
	}
	files, err := s.DB.Client.ChatAttachment.Query().Where(chatattachment.MessageID(m.ID)).Exist(ctx)
	if err == nil && !files {
		err = ErrMessageEmpty
	}
	return err == nil, err
}
