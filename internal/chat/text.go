package chat

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessageversion"
	"github.com/caregraph/caregraph/internal/access"
)

// Text is what readers see of a message.
type Text struct {
	Version  int
	Body     *string    // nil when it was deleted
	EditedAt *time.Time // nil when the sender has not changed it
}

// IsDeleted tells whether the sender has taken the message away.
func (t Text) IsDeleted() bool { return t.Body == nil }

// textOf returns a message's text, given its newest version; nil when there is none but the message itself.
func textOf(m *ent.ChatMessage, v *ent.ChatMessageVersion) Text {
	switch {
	case v == nil:
		return Text{Version: 1, Body: &m.Body}
	case v.Body == nil:
		return Text{Version: v.Number}
	default:
		return Text{Version: v.Number, Body: v.Body, EditedAt: &v.CreatedAt}
	}
}

// TextOf returns a message's text when it was loaded along by the system, as with the messages of events and those that were just sent.
func TextOf(m *ent.ChatMessage) (Text, bool) {
	list, err := m.Edges.VersionsOrErr()
	if err != nil {
		return Text{}, false
	}
	if len(list) == 0 {
		return textOf(m, nil), true
	}
	return textOf(m, list[len(list)-1]), true
}

// Newer returns the newest versions of messages, with one statement; messages that nobody changed are left out. It asks nobody who they are: the caller
// shows only messages that the viewer may read.
func (s *Service) Newer(ctx context.Context, messages []uuid.UUID) (map[uuid.UUID]*ent.ChatMessageVersion, error) {
	list, err := s.DB.Client.ChatMessageVersion.Query().Where(chatmessageversion.MessageIDIn(messages...), newestOnly).
		All(access.System(ctx, "read the latest texts"))
	found := make(map[uuid.UUID]*ent.ChatMessageVersion, len(list))
	for _, v := range list {
		found[v.MessageID] = v
	}
	return found, err
}

// TextFrom is the text of a message with a version that Newer found, or nil.
func TextFrom(m *ent.ChatMessage, v *ent.ChatMessageVersion) Text { return textOf(m, v) }

func newestOnly(q *sql.Selector) { q.Where(isNewest(sql.Dialect(q.Dialect()), q.C)) }

// isNewest matches versions after which none comes; column names those of the query that it stands in.
func isNewest(b *sql.DialectBuilder, column func(string) string) *sql.Predicate {
	later := b.Table(chatmessageversion.Table).As("later")
	return sql.NotExists(b.Select(later.C(chatmessageversion.FieldID)).From(later).Where(sql.And(
		sql.ColumnsEQ(later.C(chatmessageversion.FieldMessageID), column(chatmessageversion.FieldMessageID)),
		sql.ColumnsGT(later.C(chatmessageversion.FieldNumber), column(chatmessageversion.FieldNumber)))))
}

// MessageText is one of the texts that a message had.
type MessageText struct {
	Number int
	Body   *string
	Since  time.Time
}

// Versions returns all texts of messages, oldest first, where the conversation is open to the viewer as an administrator; nothing of others.
func (s *Service) Versions(ctx context.Context, messages []*ent.ChatMessage) (map[uuid.UUID][]MessageText, error) {
	texts := map[uuid.UUID][]MessageText{}
	open, err := s.openTo(ctx, access.From(ctx))
	if err != nil || len(open) == 0 {
		return texts, err
	}
	var ids []uuid.UUID
	for _, m := range messages {
		if _, ok := open[m.RoomID]; ok {
			ids = append(ids, m.ID)
			texts[m.ID] = []MessageText{{Number: 1, Body: &m.Body, Since: m.CreatedAt}}
		}
	}
	if len(ids) == 0 {
		return texts, nil
	}
	list, err := s.DB.Client.ChatMessageVersion.Query().Where(chatmessageversion.MessageIDIn(ids...)).Order(chatmessageversion.ByNumber()).All(ctx)
	for _, v := range list {
		texts[v.MessageID] = append(texts[v.MessageID], MessageText{Number: v.Number, Body: v.Body, Since: v.CreatedAt})
	}
	return texts, err
}
