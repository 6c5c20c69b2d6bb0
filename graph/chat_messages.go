package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
)

// shownText returns what readers see of a message: what was loaded along, or else what one statement finds for all messages of the operation.
func shownText(ctx context.Context, m *ent.ChatMessage) (chat.Text, error) {
	if text, ok := chat.TextOf(m); ok {
		return text, nil
	}
	return loadersOf(ctx).text.Load(ctx, m)
}

// texts answers with one statement.
func (r *Resolver) texts(ctx context.Context, messages []*ent.ChatMessage) ([]chat.Text, []error) {
	found, err := r.Chat.Newer(ctx, idsOf(messages))
	if err != nil {
		return nil, []error{err}
	}
	list := make([]chat.Text, len(messages))
	for i, m := range messages {
		list[i] = chat.TextFrom(m, found[m.ID])
	}
	return list, nil
}

func idsOf(messages []*ent.ChatMessage) []uuid.UUID {
	list := make([]uuid.UUID, len(messages))
	for i, m := range messages {
		list[i] = m.ID
	}
	return list
}

// receipts answers with one statement.
func (r *Resolver) receipts(ctx context.Context, messages []*ent.ChatMessage) ([][]*chat.ChatReceipt, []error) {
	asked := make([]chat.Sent, len(messages))
	for i, m := range messages {
		asked[i] = chat.Sent{ID: m.ID, Room: m.RoomID, Sender: m.SenderID, Position: m.Position}
	}
	found, err := r.Chat.Receipts(ctx, asked)
	if err != nil {
		return nil, []error{err}
	}
	return byMessage(messages, found), nil
}

// versions answers with two statements, or one for who may not read them.
func (r *Resolver) versions(ctx context.Context, messages []*ent.ChatMessage) ([][]*chat.MessageText, []error) {
	found, err := r.Chat.Versions(ctx, messages)
	if err != nil {
		return nil, []error{err}
	}
	return byMessage(messages, found), nil
}

// byMessage puts what was found for messages in their order.
func byMessage[T any](messages []*ent.ChatMessage, found map[uuid.UUID][]T) [][]*T {
	lists := make([][]*T, len(messages))
	for i, m := range messages {
		lists[i] = make([]*T, len(found[m.ID]))
		for n := range found[m.ID] {
			lists[i][n] = &found[m.ID][n]
		}
	}
	return lists
}

// roomsOf reads rooms as the viewer sees them, with one statement.
func (r *Resolver) roomsOf(ctx context.Context, rooms []uuid.UUID) (map[uuid.UUID]*ent.ChatRoom, error) {
	list, err := r.client().ChatRoom.Query().Where(chatroom.IDIn(rooms...)).All(ctx)
	found := make(map[uuid.UUID]*ent.ChatRoom, len(list))
	for _, room := range list {
		found[room.ID] = room
	}
	return found, err
}

// canEdit tells whether the viewer may change the message now.
func (r *Resolver) canEdit(ctx context.Context, m *ent.ChatMessage) (bool, error) {
	text, err := shownText(ctx, m)
	v := access.From(ctx)
	if err != nil || !r.Chat.CanEdit(v, m, text) {
		return false, err
	}
	room, err := loadersOf(ctx).room.Load(ctx, m.RoomID)
	return room != nil && chat.CanSend(v, room), err
}

// highlights are where the list that the message stands in was searched for.
func highlights(ctx context.Context, m *ent.ChatMessage) ([]*chat.TextRange, error) {
	for f := graphql.GetFieldContext(ctx); f != nil; f = f.Parent {
		if f.Object != "ChatRoom" || f.Field.Field == nil || f.Field.Name != "messages" {
			continue
		}
		search, _ := f.Args["search"].(*string)
		text, err := shownText(ctx, m)
		if search == nil || err != nil || text.Body == nil {
			return []*chat.TextRange{}, err
		}
		found := chat.Highlights(*text.Body, *search)
		list := make([]*chat.TextRange, len(found))
		for i := range found {
			list[i] = &found[i]
		}
		return list, nil
	}
	return []*chat.TextRange{}, nil
}
