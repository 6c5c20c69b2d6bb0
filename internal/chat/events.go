package chat

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/recordopening"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// The kinds of a room's events.
const (
	KindMessageAdded      = "MessageAdded"      // its subject is the message; readers get it as the event's value, an *ent.ChatMessage
	KindMessageEdited     = "MessageEdited"     // as MessageAdded
	KindMessageDeleted    = "MessageDeleted"    // as MessageAdded
	KindMessagesRead      = "MessagesRead"      // its data are a ReadStep
	KindRoomStatusChanged = "RoomStatusChanged" // its data are a StatusStep
	KindRecordOpened      = "RecordOpened"      // its subject is the opening; readers get it as the event's value, an *ent.RecordOpening with its user
	KindRoomDeleted       = "RoomDeleted"       // the last one; nobody is shown it
)

// ReadStep tells how far a participant has read.
type ReadStep struct {
	By   uuid.UUID `json:"by"`
	UpTo int64     `json:"upTo"`
}

// StatusStep tells a room's status from then on.
type StatusStep struct {
	Status chatroom.Status `json:"status"`
}

// Events returns the events of a room behind the cursor, or from now on when it is nil. Participants may read them; whether the viewer is one is for
// the source's Check. Errors: INVALID_INPUT for a cursor that is none of the room's; of the source: NOT_FOUND, RESUME_EXPIRED.
func (s *Service) Events(_ context.Context, roomID uuid.UUID, after *ent.Cursor) (stream.Source, error) {
	position, err := positionOf(after, roomID)
	if err != nil {
		return nil, err
	}
	source := &roomSource{now: s.DB.Now}
	source.LogSource = stream.LogSource{
		Log: s.Streams, Stream: roomID, After: position, Loader: s.load, Refetch: refetch,
		Access: func(ctx context.Context) error {
			until, err := s.readable(ctx, roomID)
			source.set(until)
			return err
		},
	}
	return source, nil
}

// refetch is the query that reads the present state of a room.
const refetch = "chatRoom"

func positionOf(after *ent.Cursor, roomID uuid.UUID) (*int64, error) {
	if after == nil {
		return nil, nil
	}
	position, err := stream.PositionOf(*after, roomID)
	return &position, err
}

// EventPage is a page of a room's log.
type EventPage struct {
	Events []*stream.Event
	After  int64 // the position that it follows
	Head   int64 // the position of the log's newest event
}

const (
	defaultPage = 20
	maxPage     = 100
)

// EventPage returns the first events behind the cursor, or from the beginning, oldest first. Participants may read them. Errors: NOT_FOUND,
// INVALID_INPUT, RESUME_EXPIRED.
func (s *Service) EventPage(ctx context.Context, roomID uuid.UUID, after *ent.Cursor, first *int) (*EventPage, error) {
	n := defaultPage
	if first != nil {
		n = *first
	}
	if n < 1 || n > maxPage {
		return nil, fault.InvalidAt(fmt.Sprintf("A page has 1 to %d events.", maxPage), "first")
	}
	position, err := positionOf(after, roomID)
	if err != nil {
		return nil, err
	}
	if _, err := s.readable(ctx, roomID); err != nil {
		return nil, err
	}
	page := &EventPage{}
	if position != nil {
		page.After = *position
	}
	if page.Events, err = s.Streams.Read(ctx, roomID, page.After, n); err != nil {
		return nil, stream.Expired(err, refetch)
	}
	if n := len(page.Events); n > 0 && page.Events[n-1].Kind == KindRoomDeleted { // meanwhile
		return nil, fault.ErrNotFound
	}
	if err := s.load(ctx, page.Events); err != nil {
		return nil, err
	}
	page.Head, err = s.Streams.Head(ctx, roomID)
	return page, err
}

// load gives events of a room their messages and openings, with a few statements: for readers of whom it is known that they may read the room. A message
// comes with its latest text, which may be later than the event.
func (s *Service) load(ctx context.Context, events []*stream.Event) error {
	ctx = access.System(ctx, "load events of a room")
	var messages, openings []uuid.UUID
	for _, e := range events {
		switch {
		case e.Value != nil:
		case e.Kind == KindMessageAdded || e.Kind == KindMessageEdited || e.Kind == KindMessageDeleted:
			messages = append(messages, e.Subject)
		case e.Kind == KindRecordOpened:
			openings = append(openings, e.Subject)
		}
	}
	found := map[uuid.UUID]any{}
	if len(messages) > 0 {
		list, err := s.DB.Client.ChatMessage.Query().Where(chatmessage.IDIn(distinct(messages)...)).
			WithVersions(func(q *ent.ChatMessageVersionQuery) { q.Where(newestOnly) }).All(ctx)
		if err != nil {
			return err
		}
		for _, m := range list {
			found[m.ID] = m
		}
	}
	if len(openings) > 0 {
		list, err := s.DB.Client.RecordOpening.Query().Where(recordopening.IDIn(openings...)).WithUser().All(ctx)
		if err != nil {
			return err
		}
		for _, o := range list {
			found[o.ID] = o
		}
	}
	for _, e := range events {
		if value, ok := found[e.Subject]; ok && e.Value == nil {
			e.Value = value
		}
	}
	return nil
}

// Told returns what the data of an event tell: a ReadStep, a StatusStep, or nil for another kind.
func Told(e *stream.Event) (any, error) {
	switch e.Kind {
	case KindMessagesRead:
		var told ReadStep
		err := json.Unmarshal(e.Data, &told)
		return told, err
	case KindRoomStatusChanged:
		var told StatusStep
		err := json.Unmarshal(e.Data, &told)
		return told, err
	default:
		return nil, nil
	}
}
