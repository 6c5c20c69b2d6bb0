package chat

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// roomSteps is the table of allowed changes of a room's status. A room is put away only once nobody writes in it, and can be taken up again.
var roomSteps = map[chatroom.Status][]chatroom.Status{
	chatroom.StatusACTIVE:    {chatroom.StatusINACTIVE, chatroom.StatusSUSPENDED},
	chatroom.StatusINACTIVE:  {chatroom.StatusACTIVE, chatroom.StatusSUSPENDED, chatroom.StatusARCHIVED},
	chatroom.StatusSUSPENDED: {chatroom.StatusACTIVE, chatroom.StatusINACTIVE, chatroom.StatusARCHIVED},
	chatroom.StatusARCHIVED:  {chatroom.StatusACTIVE},
}

// RoomMayBecome tells whether the table allows the change.
func RoomMayBecome(from, to chatroom.Status) bool { return slices.Contains(roomSteps[from], to) }

// ChatRoomAction is what can be done with a room.
type ChatRoomAction string

var roomActions = map[ChatRoomAction]chatroom.Status{
	"ACTIVATE": chatroom.StatusACTIVE, "DEACTIVATE": chatroom.StatusINACTIVE, "SUSPEND": chatroom.StatusSUSPENDED, "ARCHIVE": chatroom.StatusARCHIVED,
}

// Manage changes the status of a room as the table of steps allows. The room's practitioner and administrators may call it. What a room is already
// changes nothing and leaves no event. Errors: NOT_FOUND, ILLEGAL_STATUS.
func (s *Service) Manage(ctx context.Context, in ManageChatRoomInput) (*ent.ChatRoom, error) {
	to, ok := roomActions[in.Action]
	if !ok {
		return nil, fault.InvalidAt("There is no such action.", "action")
	}
	v := access.From(ctx)
	r, err := s.seen(ctx, in.RoomID)
	if err != nil {
		return nil, err
	}
	if _, own := keysOf(v); !v.Has(access.Admin) && (own == uuid.Nil || own != r.PractitionerID) {
		return nil, fault.ErrForbidden
	}
	err = s.DB.WithTx(access.System(ctx, "manage chat room"), func(ctx context.Context) error {
		r, err = s.become(ctx, r.ID, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// become moves a room to another status, under its lock, and tells of it. Errors: NOT_FOUND, ILLEGAL_STATUS.
func (s *Service) become(ctx context.Context, roomID uuid.UUID, to chatroom.Status) (*ent.ChatRoom, error) {
	if err := s.DB.Lock(ctx, entstream.Table, roomID); err != nil {
		return nil, err
	}
	r, err := s.DB.Client.ChatRoom.Query().Where(chatroom.ID(roomID), chatroom.DeletedAtIsNil()).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, fault.ErrNotFound.At("roomId")
	case err != nil || r.Status == to:
		return r, err
	case !RoomMayBecome(r.Status, to):
		return nil, ErrIllegalStatus
	}
	r, err = s.DB.Client.ChatRoom.UpdateOne(r).SetStatus(to).SetStatusSince(s.DB.Now()).Save(ctx)
	if err != nil {
		return nil, err
	}
	return r, s.tellOf(ctx, stream.Entry{
		Stream: r.ID, Kind: KindRoomStatusChanged, Subject: r.ID, Data: StatusStep{Status: to}, PatientID: r.PatientID,
	})
}

// tellOf is tell for a caller who has not read who takes part. Errors: NOT_FOUND of a room that was taken away meanwhile, as nothing follows that.
func (s *Service) tellOf(ctx context.Context, e stream.Entry) error {
	rooms, err := s.roomsOf(ctx, []uuid.UUID{e.Stream})
	if err != nil {
		return err
	}
	room, stands := rooms[e.Stream]
	if !stands {
		return fault.ErrNotFound.At("roomId")
	}
	return s.tell(ctx, room, e)
}

// DeleteRoom takes a room away from everybody, its readers included; the record keeps it with all that it holds. Administrators may call it. Errors:
// NOT_FOUND.
func (s *Service) DeleteRoom(ctx context.Context, in DeleteChatRoomInput) (uuid.UUID, error) {
	r, err := s.seen(ctx, in.RoomID)
	if err != nil {
		return uuid.Nil, err
	}
	if !access.From(ctx).Has(access.Admin) {
		return uuid.Nil, fault.ErrForbidden
	}
	err = s.DB.WithTx(access.System(ctx, "delete chat room"), func(ctx context.Context) error {
		if err := s.DB.Lock(ctx, entstream.Table, r.ID); err != nil {
			return err
		}
		// Who takes part is read before the room is gone.
		if err := s.tellOf(ctx, stream.Entry{Stream: r.ID, Kind: KindRoomDeleted, Subject: r.ID, PatientID: r.PatientID}); err != nil {
			return err
		}
		err := s.DB.Client.ChatRoom.UpdateOne(r).Where(chatroom.DeletedAtIsNil()).SetDeletedAt(s.DB.Now()).Exec(ctx)
		if ent.IsNotFound(err) { // a twin was faster
			return fault.ErrNotFound.At("roomId")
		}
		return err
	})
	if err != nil {
		return uuid.Nil, err
	}
	return r.ID, nil
}

// archiveAfter is how long a room stays INACTIVE before it is put away.
const archiveAfter = 30 * 24 * time.Hour

const archivePage = 200

// ArchiveDue puts the rooms away that became INACTIVE 30 days ago or before, and returns how many. It is for the job: each room has a transaction of
// its own, and one that was taken up or away meanwhile stays.
func (s *Service) ArchiveDue(ctx context.Context) (n int, err error) {
	ctx = access.System(ctx, "archive chat rooms")
	due := s.DB.Now().Add(-archiveAfter)
	for {
		list, err := s.DB.Client.ChatRoom.Query().Where(chatroom.StatusEQ(chatroom.StatusINACTIVE), chatroom.DeletedAtIsNil(),
			chatroom.Or(chatroom.StatusSinceLTE(due), chatroom.And(chatroom.StatusSinceIsNil(), chatroom.CreatedAtLTE(due)))).
			Order(chatroom.ByID()).Limit(archivePage).IDs(ctx)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, id := range list {
			done, err := s.archive(ctx, id, due)
			if err != nil {
				return n, err
			}
			if done {
				n++
			}
		}
	}
}

func (s *Service) archive(ctx context.Context, id uuid.UUID, due time.Time) (done bool, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		done = false
		if err := s.DB.Lock(ctx, entstream.Table, id); err != nil {
			return err
		}
		r, err := s.DB.Client.ChatRoom.Get(ctx, id)
		if err != nil || r.DeletedAt != nil || r.Status != chatroom.StatusINACTIVE || r.StatusSince != nil && r.StatusSince.After(due) {
			return err
		}
		done = true
		_, err = s.become(ctx, id, chatroom.StatusARCHIVED)
		return err
	})
	return done, err
}
