package chat

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/stream"
)

// InboxOf returns the stream of what happens in all rooms of a user. Its entries have the kinds of the rooms' entries and the room as their subject.
// Its id is the user's with the tag of streams: it exists before its first entry does.
func InboxOf(user uuid.UUID) uuid.UUID {
	user[len(user)-1] = ids.Tags[ent.TypeStream]
	return user
}

// inboxes are the streams in which a room's events are told too, beside its own; a patient without an account has none.
func (r roomState) inboxes() []uuid.UUID {
	list := []uuid.UUID{InboxOf(r.practitionerUser)}
	if r.patientUser.Valid {
		list = append(list, InboxOf(r.patientUser.UUID))
	}
	return list
}

// inInboxes are the entries that tell both participants of an entry of the room.
func inInboxes(r roomState, e stream.Entry) []stream.Entry {
	var list []stream.Entry
	for _, inbox := range r.inboxes() {
		list = append(list, stream.Entry{Stream: inbox, Kind: e.Kind, Subject: e.Stream, PatientID: e.PatientID})
	}
	return list
}

// tell appends an event to the stream of the room and to the inboxes of its participants. The caller holds the lock of the room's stream: rooms are
// locked before inboxes, and inboxes only by the flush before the commit, so that writers never wait for each other in a circle.
func (s *Service) tell(ctx context.Context, r roomState, e stream.Entry) error {
	for _, entry := range append(inInboxes(r, e), e) {
		if err := s.Streams.Append(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

// Inbox returns the events of all rooms of the viewer behind the cursor, or from now on when it is nil. Patients and practitioners may read their own;
// whether they still may is for the source's Check. Errors: UNAUTHENTICATED, INVALID_INPUT for a cursor of another stream; of the source:
// FORBIDDEN, RESUME_EXPIRED.
func (s *Service) Inbox(ctx context.Context, after *ent.Cursor) (stream.Source, error) {
	v := access.From(ctx)
	if v == nil {
		return nil, fault.ErrUnauthenticated
	}
	inbox := InboxOf(v.UserID)
	position, err := positionOf(after, inbox)
	if err != nil {
		return nil, err
	}
	return &stream.LogSource{
		Log: s.Streams, Stream: inbox, After: position, Refetch: "chatRooms",
		Access: func(ctx context.Context) error {
			now := access.From(ctx)
			if now == nil || now.UserID != v.UserID {
				return fault.ErrForbidden
			}
			return nil
		},
	}, nil
}
