package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/stream"
)

// chatEvent shows an event of a room.
func chatEvent(_ context.Context, e *stream.Event) (model.ChatEvent, error) {
	cursor, previous := cursorsOf(e)
	if e.Kind == stream.Opened {
		return &model.StreamOpened{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt}, nil
	}
	message, _ := e.Value.(*ent.ChatMessage) // null when there is none to show
	switch e.Kind {
	case chat.KindMessageAdded:
		return &model.MessageAdded{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, Message: message}, nil
	case chat.KindMessageEdited:
		return &model.MessageEdited{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, Message: message}, nil
	case chat.KindMessageDeleted:
		return &model.MessageDeleted{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, Message: message}, nil
	case chat.KindRecordOpened:
		shown := &model.RecordOpened{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt}
		if o, ok := e.Value.(*ent.RecordOpening); ok {
			shown.By, shown.Reason, shown.ExpiresAt = o.UserID, o.Reason, o.ExpiresAt
			if u := o.Edges.User; u != nil {
				shown.ByName = strings.TrimSpace(u.GivenName + " " + u.FamilyName)
			}
		}
		return shown, nil
	}
	told, err := chat.Told(e)
	if err != nil {
		return nil, err
	}
	switch told := told.(type) {
	case chat.ReadStep:
		return &model.MessagesRead{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, By: told.By, UpTo: int(told.UpTo)}, nil
	case chat.StatusStep:
		return &model.RoomStatusChanged{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, Status: told.Status}, nil
	default:
		return nil, fmt.Errorf("an event of a room of the unknown kind %q", e.Kind)
	}
}

// inboxKinds are the kinds of events as an inbox tells of them.
var inboxKinds = map[string]model.ChatEventKind{
	chat.KindMessageAdded: model.ChatEventKindMessageAdded, chat.KindMessageEdited: model.ChatEventKindMessageEdited,
	chat.KindMessageDeleted: model.ChatEventKindMessageDeleted, chat.KindMessagesRead: model.ChatEventKindMessagesRead,
	chat.KindRoomStatusChanged: model.ChatEventKindRoomStatusChanged, chat.KindRecordOpened: model.ChatEventKindRecordOpened,
	chat.KindRoomDeleted: model.ChatEventKindRoomDeleted,
}

// chatInboxEvent shows an event of an inbox.
func chatInboxEvent(_ context.Context, e *stream.Event) (model.ChatInboxEvent, error) {
	cursor, previous := cursorsOf(e)
	if e.Kind == stream.Opened {
		return &model.StreamOpened{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt}, nil
	}
	kind, known := inboxKinds[e.Kind]
	if !known {
		return nil, fmt.Errorf("an event of an inbox of the unknown kind %q", e.Kind)
	}
	return &model.ChatInboxChanged{Cursor: cursor, PreviousCursor: previous, OccurredAt: e.OccurredAt, RoomID: e.Subject, Kind: kind}, nil
}

// cursorsOf returns the event's cursor and that of the one before; nil for the first.
func cursorsOf(e *stream.Event) (cursor ent.Cursor, previous *ent.Cursor) {
	cursor = stream.CursorOf(e.Stream, e.Position)
	if e.Position > 1 {
		before := stream.CursorOf(e.Stream, e.Position-1)
		previous = &before
	}
	return cursor, previous
}

func chatEventPage(ctx context.Context, roomID uuid.UUID, page *chat.EventPage) (*model.ChatEventConnection, error) {
	shown := &model.ChatEventConnection{
		Edges: make([]*model.ChatEventEdge, len(page.Events)), TotalCount: int(page.Head),
		PageInfo: &ent.PageInfo{HasPreviousPage: page.After > 0, HasNextPage: page.After+int64(len(page.Events)) < page.Head},
	}
	for i, e := range page.Events {
		node, err := chatEvent(ctx, e)
		if err != nil {
			return nil, err
		}
		shown.Edges[i] = &model.ChatEventEdge{Node: node, Cursor: stream.CursorOf(roomID, e.Position)}
	}
	if n := len(shown.Edges); n > 0 {
		shown.PageInfo.StartCursor, shown.PageInfo.EndCursor = &shown.Edges[0].Cursor, &shown.Edges[n-1].Cursor
	}
	return shown, nil
}

// newestKey asks for the newest n messages of a room.
type newestKey struct {
	room uuid.UUID
	n    int
}

// newest answers with one statement for each different n.
func (r *Resolver) newest(ctx context.Context, keys []newestKey) ([][]*ent.ChatMessage, []error) {
	rooms := map[int][]uuid.UUID{}
	for _, key := range keys {
		rooms[key.n] = append(rooms[key.n], key.room)
	}
	found := map[newestKey][]*ent.ChatMessage{}
	for n, list := range rooms {
		lists, err := r.Chat.Newest(ctx, list, n)
		if err != nil {
			return nil, []error{err}
		}
		for room, messages := range lists {
			found[newestKey{room, n}] = messages
		}
	}
	answers := make([][]*ent.ChatMessage, len(keys))
	for i, key := range keys {
		answers[i] = found[key]
	}
	return answers, nil
}

// newestOf returns up to n messages of the room, newest first, for a whole page of rooms at once.
func newestOf(ctx context.Context, room *ent.ChatRoom, n int) ([]*ent.ChatMessage, error) {
	messages, err := loadersOf(ctx).newest.Load(ctx, newestKey{room.ID, n})
	list := make([]*ent.ChatMessage, len(messages))
	for i, m := range messages { // which others who ask for the same have too
		own := *m
		own.Edges.Room = room // known already
		list[i] = &own
	}
	return list, err
}

func lastMessage(ctx context.Context, room *ent.ChatRoom) (*ent.ChatMessage, error) {
	messages, err := newestOf(ctx, room, 1)
	if err != nil || len(messages) == 0 {
		return nil, err
	}
	return messages[0], nil
}

// isNewest tells whether the newest messages are asked for, as by a list of rooms: those are read for all rooms of a page together.
func isNewest(after *ent.Cursor, first *int, before *ent.Cursor, orderBy []*ent.ChatMessageOrder) bool {
	return first != nil && after == nil && before == nil && len(orderBy) == 0
}

// newestMessages is the page of a room's n newest messages.
func newestMessages(ctx context.Context, room *ent.ChatRoom, n int) (*ent.ChatMessageConnection, error) {
	messages, err := newestOf(ctx, room, n+1)
	if err != nil {
		return nil, err
	}
	page := &ent.ChatMessageConnection{Edges: []*ent.ChatMessageEdge{}}
	if selects(ctx, "totalCount") {
		if page.TotalCount, err = loadersOf(ctx).messages.Load(ctx, room.ID); err != nil {
			return nil, err
		}
	}
	if len(messages) > n {
		messages, page.PageInfo.HasNextPage = messages[:n], true
	}
	for _, m := range messages {
		page.Edges = append(page.Edges, &ent.ChatMessageEdge{Node: m, Cursor: ent.Cursor{ID: m.ID, Value: []any{m.Position}}})
	}
	if len(page.Edges) > 0 {
		page.PageInfo.StartCursor, page.PageInfo.EndCursor = &page.Edges[0].Cursor, &page.Edges[len(page.Edges)-1].Cursor
	}
	return page, nil
}

// selects tells whether the running field selects the named one.
func selects(ctx context.Context, name string) bool {
	for _, f := range graphql.CollectFieldsCtx(ctx, nil) {
		if f.Name == name {
			return true
		}
	}
	return false
}
