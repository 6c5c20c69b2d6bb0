package chat

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatmessageversion"
	"github.com/caregraph/caregraph/internal/fault"
)

const maxSearch = 200

// MessagesInput chooses messages of a room; what is nil chooses nothing away.
type MessagesInput struct {
	RoomID   uuid.UUID
	Search   *string
	From, To *time.Time // from on, before
}

// Validate reports everything that is wrong with the input. Errors: INVALID_INPUT.
func (in MessagesInput) Validate() error {
	if in.Search == nil {
		return nil
	}
	if text := strings.TrimSpace(*in.Search); text == "" || utf8.RuneCountInString(text) > maxSearch || !isText(text) {
		return fault.InvalidAt(fmt.Sprintf("A search has 1 to %d characters.", maxSearch), "search")
	}
	return nil
}

// Messages returns the query of a room's messages, under the rights of the ctx that runs it. A search finds a message by its latest text, and a deleted
// one not at all. Errors: INVALID_INPUT.
func (s *Service) Messages(in MessagesInput) (*ent.ChatMessageQuery, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	q := s.DB.Client.ChatMessage.Query().Where(chatmessage.RoomID(in.RoomID))
	if in.From != nil {
		q.Where(chatmessage.CreatedAtGTE(in.From.UTC()))
	}
	if in.To != nil {
		q.Where(chatmessage.CreatedAtLT(in.To.UTC()))
	}
	if in.Search != nil {
		q.Where(holds(in.RoomID, fold(strings.TrimSpace(*in.Search))))
	}
	return q, nil
}

// holds matches messages of the room whose latest text holds the folded one. It looks for a position: no character of the text is a wildcard.
func holds(roomID uuid.UUID, folded string) func(*sql.Selector) {
	return func(q *sql.Selector) {
		b := sql.Dialect(q.Dialect())
		m, v := b.Table(chatmessage.Table).As("sm"), b.Table(chatmessageversion.Table).As("sv")
		unchanged := b.Select(m.C(chatmessage.FieldID)).From(m).Where(sql.And(
			sql.EQ(m.C(chatmessage.FieldRoomID), roomID),
			contains("COALESCE("+m.C(chatmessage.FieldSearchKey)+", lower("+m.C(chatmessage.FieldBody)+"))", folded, q.Dialect()),
			sql.NotExists(b.Select(v.C(chatmessageversion.FieldID)).From(v).Where(sql.ColumnsEQ(v.C(chatmessageversion.FieldMessageID), m.C(chatmessage.FieldID))))))
		changed := b.Select(v.C(chatmessageversion.FieldMessageID)).From(v).Where(sql.And(
			sql.EQ(v.C(chatmessageversion.FieldRoomID), roomID),
			contains(v.C(chatmessageversion.FieldSearchKey), folded, q.Dialect()),
			isNewest(b, v.C)))
		q.Where(sql.Or(sql.In(q.C(chatmessage.FieldID), unchanged), sql.In(q.C(chatmessage.FieldID), changed)))
	}
}

func contains(column, text, engine string) *sql.Predicate {
	position := "instr"
	if engine == dialect.Postgres {
		position = "strpos"
	}
	return sql.P(func(b *sql.Builder) {
		b.WriteString(position + "(" + column + ", ").Arg(text).WriteString(") > 0")
	})
}
