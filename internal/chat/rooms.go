package chat

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatmessageversion"
	"github.com/caregraph/caregraph/ent/chatread"
	"github.com/caregraph/caregraph/ent/chatroom"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/internal/access"
)

// ReadState is how far the viewer has read a room, and how many messages of the other participant lie behind.
type ReadState struct {
	UpTo   int64
	Unread int
}

const readReason = "count unread messages"

// ReadStates returns the viewer's read state of rooms, with one statement. Anybody may ask; rooms in which the viewer takes no part are left out.
func (s *Service) ReadStates(ctx context.Context, rooms []uuid.UUID) (map[uuid.UUID]ReadState, error) {
	states := make(map[uuid.UUID]ReadState, len(rooms))
	v := access.From(ctx)
	if v == nil || len(rooms) == 0 {
		return states, nil
	}
	q := s.unread(v, func(r *sql.SelectTable) *sql.Predicate { return sql.In(r.C(chatroom.FieldID), anys(rooms)...) })
	return states, s.DB.Query(access.System(ctx, readReason), readReason, q, func(row *sql.Rows) error {
		var id uuid.UUID
		var state ReadState
		err := row.Scan(&id, &state.UpTo, &state.Unread)
		states[id] = state
		return err
	})
}

// UnreadTotal counts the unread messages of all rooms in which the viewer takes part, with one statement. Anybody may ask.
func (s *Service) UnreadTotal(ctx context.Context) (total int, err error) {
	v := access.From(ctx)
	if v == nil {
		return 0, nil
	}
	all := s.unread(v, nil).As("unread_of")
	q := s.DB.Build().SelectExpr(sql.Expr("CAST(COALESCE(SUM(unread), 0) AS bigint)")).From(all)
	err = s.DB.Query(access.System(ctx, readReason), readReason, q, func(row *sql.Rows) error { return row.Scan(&total) })
	return total, err
}

// unread selects room, watermark and number of unread messages of the viewer's rooms that match. It reads rooms past the policy, so it says itself
// which are the viewer's, as participant does.
func (s *Service) unread(v *access.Viewer, where func(r *sql.SelectTable) *sql.Predicate) *sql.Selector {
	b := s.DB.Build()
	patientID, practitionerID := keysOf(v)
	r, c := b.Table(chatroom.Table).As("r"), b.Table(chatread.Table).As("c")
	mine := sql.And(sql.Or(sql.EQ(r.C(chatroom.FieldPatientID), patientID), sql.EQ(r.C(chatroom.FieldPractitionerID), practitionerID)),
		sql.IsNull(r.C(chatroom.FieldDeletedAt)))
	if where != nil {
		mine = sql.And(mine, where(r))
	}
	upTo := b.Select().AppendSelectExpr(sql.Raw("COALESCE(MAX(" + c.C(chatread.FieldUpTo) + "), 0)")).From(c).
		Where(sql.And(sql.ColumnsEQ(c.C(chatread.FieldRoomID), r.C(chatroom.FieldID)), sql.EQ(c.C(chatread.FieldUserID), v.UserID)))
	rooms := b.Select(r.C(chatroom.FieldID)).AppendSelectExprAs(upTo, "up_to").
		AppendSelectExprAs(sql.ExprFunc(func(e *sql.Builder) {
			e.WriteString("CASE WHEN ").Ident(r.C(chatroom.FieldPatientID)).WriteString(" = ").Arg(patientID).
				WriteString(" THEN 'PATIENT' ELSE 'PRACTITIONER' END")
		}), "role").From(r).Where(mine).As("w")
	m := b.Table(chatmessage.Table).As("m")
	unread := b.Select().AppendSelectExpr(sql.Raw("COUNT(*)")).From(m).Where(sql.And(
		sql.ColumnsEQ(m.C(chatmessage.FieldRoomID), rooms.C("id")), sql.ColumnsGT(m.C(chatmessage.FieldPosition), rooms.C("up_to")),
		sql.ColumnsNEQ(m.C(chatmessage.FieldSenderRole), rooms.C("role")), sql.NotExists(deletions(b, m.C(chatmessage.FieldID)))))
	return b.Select(rooms.C("id"), rooms.C("up_to")).AppendSelectExprAs(unread, "unread").From(rooms)
}

// deletions are the versions that took a message away.
func deletions(b *sql.DialectBuilder, messageID string) *sql.Selector {
	d := b.Table(chatmessageversion.Table).As("d")
	return b.Select(d.C(chatmessageversion.FieldID)).From(d).Where(sql.And(
		sql.ColumnsEQ(d.C(chatmessageversion.FieldMessageID), messageID), sql.IsNull(d.C(chatmessageversion.FieldBody))))
}

// Newest returns up to n messages of each room, newest first, with one statement, under the viewer's own rights. Positions are dense: the n newest
// are those of the n last numbers.
func (s *Service) Newest(ctx context.Context, rooms []uuid.UUID, n int) (map[uuid.UUID][]*ent.ChatMessage, error) {
	list, err := s.DB.Client.ChatMessage.Query().Where(chatmessage.RoomIDIn(rooms...), func(q *sql.Selector) {
		counters := sql.Dialect(q.Dialect()).Table(entstream.Table)
		q.Join(counters).On(q.C(chatmessage.FieldRoomID), counters.C(entstream.FieldID))
		q.Where(sql.P(func(b *sql.Builder) {
			b.Ident(q.C(chatmessage.FieldPosition)).WriteOp(sql.OpGT).Ident(counters.C(entstream.FieldItems)).WriteString(" - ").Arg(n)
		}))
	}).Order(chatmessage.ByPosition(sql.OrderDesc())).All(ctx)
	found := make(map[uuid.UUID][]*ent.ChatMessage, len(rooms))
	for _, m := range list {
		found[m.RoomID] = append(found[m.RoomID], m)
	}
	return found, err
}

// Count returns how many messages the rooms hold in which the viewer takes part, with one statement.
func (s *Service) Count(ctx context.Context, rooms []uuid.UUID) (map[uuid.UUID]int, error) {
	var list []struct {
		RoomID uuid.UUID `json:"room_id"`
		Count  int       `json:"count"`
	}
	err := s.DB.Client.ChatMessage.Query().Where(chatmessage.RoomIDIn(rooms...)).GroupBy(chatmessage.FieldRoomID).Aggregate(ent.Count()).Scan(ctx, &list)
	counts := make(map[uuid.UUID]int, len(list))
	for _, row := range list {
		counts[row.RoomID] = row.Count
	}
	return counts, err
}

func anys(ids []uuid.UUID) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}
