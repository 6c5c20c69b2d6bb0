package chat

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/recordopening"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/stream"
)

// openFor is how long a conversation is open to an administrator who stated a reason.
const openFor = 60 * time.Minute

const maxOpened = 100 // rooms of a patient that are opened at once, the newest

// BreakGlass opens a conversation, or all present ones of a patient, to the administrator who asks, for 60 minutes: to read and not to write. The reason is
// in the audit; the participants are told by an event of the room and a notice. Errors: NOT_FOUND, INVALID_INPUT.
func (s *Service) BreakGlass(ctx context.Context, in BreakGlassInput) ([]*ent.RecordOpening, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	v := access.From(ctx)
	if !v.Has(access.Admin) {
		return nil, fault.ErrForbidden
	}
	q, field := s.DB.Client.ChatRoom.Query(), "roomId"
	if in.RoomID != nil {
		q.Where(chatroom.ID(*in.RoomID))
	} else {
		q.Where(chatroom.PatientID(*in.PatientID))
		field = "patientId"
	}
	rooms, err := q.Order(chatroom.ByID(sql.OrderDesc())).Limit(maxOpened).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(rooms) == 0 {
		return nil, fault.ErrNotFound.At(field)
	}
	made, err := idem.Do(access.System(ctx, "break glass"), s.DB, "breakGlass", in.IdempotencyKey, in, func(ctx context.Context) (opened []uuid.UUID, err error) {
		ids := make([]uuid.UUID, len(rooms))
		for i, r := range rooms {
			ids[i] = r.ID
		}
		if err := s.DB.Lock(ctx, entstream.Table, ids...); err != nil {
			return nil, err
		}
		states, err := s.roomsOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, r := range rooms {
			state, stands := states[r.ID]
			if !stands {
				continue
			}
			o, err := s.open(ctx, v.UserID, r, state, trimmed(in.Reason))
			if err != nil {
				return nil, err
			}
			opened = append(opened, o.ID)
		}
		if len(opened) == 0 {
			return nil, fault.ErrNotFound.At(field)
		}
		return opened, nil
	})
	if err != nil {
		return nil, err
	}
	return s.DB.Client.RecordOpening.Query().Where(recordopening.IDIn(made...)).Order(recordopening.ByRoomID(sql.OrderDesc())).All(ctx)
}

// open opens one room and tells of it.
func (s *Service) open(ctx context.Context, admin uuid.UUID, r *ent.ChatRoom, state roomState, reason string) (*ent.RecordOpening, error) {
	o, err := s.DB.Client.RecordOpening.Create().SetRoomID(r.ID).SetPatientID(r.PatientID).SetPractitionerID(r.PractitionerID).
		SetUserID(admin).SetReason(reason).SetExpiresAt(s.DB.Now().Add(openFor)).Save(ctx)
	if err != nil {
		return nil, err
	}
	readers := []uuid.UUID{state.practitionerUser}
	if state.patientUser.Valid {
		readers = append(readers, state.patientUser.UUID)
	}
	for _, reader := range readers {
		if s.Notify == nil {
			break
		}
		if err := s.Notify.Notice(ctx, notify.Notice{
			Kind: "RECORD_OPENED", UserID: reader, SubjectID: r.ID, Occurrence: o.ID.String(), Title: "A conversation of yours was opened",
			Text: "An administrator has opened a conversation of yours to read it, and stated why. The conversation shows who and for what reason.",
		}); err != nil {
			return nil, err
		}
	}
	return o, s.tell(ctx, state, stream.Entry{Stream: r.ID, Kind: KindRecordOpened, Subject: o.ID, PatientID: r.PatientID})
}

// openTo returns the rooms that are open to the viewer as an administrator now, and until when.
func (s *Service) openTo(ctx context.Context, v *access.Viewer) (map[uuid.UUID]time.Time, error) {
	if !v.Has(access.Admin) {
		return nil, nil
	}
	list, err := s.DB.Client.RecordOpening.Query().Where(recordopening.UserID(v.UserID), recordopening.ExpiresAtGT(s.DB.Now())).
		Order(recordopening.ByExpiresAt()).All(ctx)
	open := make(map[uuid.UUID]time.Time, len(list))
	for _, o := range list {
		open[o.RoomID] = o.ExpiresAt
	}
	return open, err
}

// readable tells whether the viewer may read along in a room, and until when if not for good. Errors: NOT_FOUND.
func (s *Service) readable(ctx context.Context, roomID uuid.UUID) (until *time.Time, err error) {
	r, err := s.seen(ctx, roomID)
	if err != nil {
		return nil, err
	}
	v := access.From(ctx)
	if _, ok := participant(v, r.PatientID, r.PractitionerID); ok {
		return nil, nil
	}
	open, err := s.openTo(ctx, v)
	if err != nil {
		return nil, err
	}
	end, ok := open[roomID]
	if !ok {
		return nil, fault.ErrNotFound
	}
	return &end, nil
}
