package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/internal/store"
)

// The statements of a group take its rows as one argument in JSON: their text, and so the prepared statement, is the same for any number of rows.

const reason = "store messages"

// statement is a text whose arguments are marked by question marks, for both engines.
type statement struct {
	text string
	args []any
}

// Query implements store.Statement.
func (s statement) Query() (string, []any) { return s.text, s.args }

func (s *Service) sql(text string, args ...any) store.Statement {
	if s.DB.Dialect() == dialect.Postgres {
		parts := strings.Split(text, "?")
		var b strings.Builder
		for i, part := range parts {
			if i > 0 {
				b.WriteString("$" + strconv.Itoa(i))
			}
			b.WriteString(part)
		}
		text = b.String()
	}
	return statement{text, args}
}

// given is the table k of the rows in an argument that is a JSON array of objects. Columns are names with their types.
func (s *Service) given(columns ...[2]string) string {
	list := make([]string, len(columns))
	if s.DB.Dialect() == dialect.Postgres {
		for i, c := range columns {
			list[i] = c[0] + " " + c[1]
		}
		return "json_to_recordset(CAST(? AS json)) AS k(" + strings.Join(list, ", ") + ")"
	}
	for i, c := range columns {
		list[i] = "value ->> '" + c[0] + "' AS " + c[0]
	}
	return "(SELECT " + strings.Join(list, ", ") + " FROM json_each(?)) AS k"
}

func encoded(rows any) (string, error) {
	text, err := json.Marshal(rows)
	return string(text), err
}

// roomsOf reads what decides who may write in the rooms, and whom to tell. Rooms that were taken away are left out.
func (s *Service) roomsOf(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]roomState, error) {
	text, args := "SELECT r.id, r.patient_id, r.practitioner_id, r.status, d.user_id, p.user_id FROM chat_rooms r JOIN practitioners d ON d.id = r.practitioner_id"+
		" JOIN patients p ON p.id = r.patient_id WHERE r.deleted_at IS NULL AND r.id ", ""
	if s.DB.Dialect() == dialect.Postgres { // an array, because the planner knows better what to do with it than with a table of rows
		text += "= ANY(CAST(? AS uuid[]))"
		list := make([]string, len(ids))
		for i, id := range ids {
			list[i] = id.String()
		}
		args = "{" + strings.Join(list, ",") + "}"
	} else {
		text += "IN (SELECT value FROM json_each(?))"
		var err error
		if args, err = encoded(ids); err != nil {
			return nil, err
		}
	}
	rooms := make(map[uuid.UUID]roomState, len(ids))
	return rooms, s.DB.Query(ctx, reason, s.sql(text, args), func(row *entsql.Rows) error {
		var id uuid.UUID
		var r roomState
		if err := row.Scan(&id, &r.patientID, &r.practitionerID, &r.status, &r.practitionerUser, &r.patientUser); err != nil {
			return err
		}
		rooms[id] = r
		return nil
	})
}

// sentBefore returns the messages that sends of the group repeat. That asks nothing when none of them could, and nothing more when none does.
func (s *Service) sentBefore(ctx context.Context, batch []*send) (map[key]*ent.ChatMessage, error) {
	type row struct {
		Sender uuid.UUID `json:"sender"`
		Room   uuid.UUID `json:"room"`
		Client string    `json:"client"`
	}
	var rows []row
	for _, one := range batch {
		if one.clientID != nil {
			rows = append(rows, row{one.viewer.UserID, one.room, *one.clientID})
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	asked, err := encoded(rows)
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	// One look into the index per row, whatever the planner thinks of the table's size.
	text := "SELECT (SELECT m.id FROM chat_messages m WHERE m.sender_id = k.sender AND m.room_id = k.room AND m.client_message_id = k.client) FROM " +
		s.given([2]string{"sender", "uuid"}, [2]string{"room", "uuid"}, [2]string{"client", "text"})
	err = s.DB.Query(ctx, reason, s.sql(text, asked), func(row *entsql.Rows) error {
		var id uuid.NullUUID
		if err := row.Scan(&id); err != nil {
			return err
		}
		if id.Valid {
			ids = append(ids, id.UUID)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := s.DB.Client.ChatMessage.Query().Where(chatmessage.IDIn(distinct(ids)...)).All(ctx)
	known := make(map[key]*ent.ChatMessage, len(found))
	for _, m := range found {
		known[key{m.SenderID, m.RoomID, *m.ClientMessageID}] = m
	}
	return known, err
}

// insert writes the messages, all with the instant of the first.
func (s *Service) insert(ctx context.Context, added []*ent.ChatMessage) error {
	type row struct {
		ID           uuid.UUID `json:"id"`
		Room         uuid.UUID `json:"room"`
		Patient      uuid.UUID `json:"patient"`
		Practitioner uuid.UUID `json:"practitioner"`
		Sender       uuid.UUID `json:"sender"`
		Role         Role      `json:"role"`
		Position     int64     `json:"position"`
		Body         string    `json:"body"`
		Search       string    `json:"search"`
		Client       *string   `json:"client"`
	}
	rows := make([]row, len(added))
	for i, m := range added {
		rows[i] = row{m.ID, m.RoomID, m.PatientID, m.PractitionerID, m.SenderID, m.SenderRole, m.Position, m.Body, m.SearchKey, m.ClientMessageID}
	}
	values, err := encoded(rows)
	if err != nil {
		return err
	}
	at := "?"
	if s.DB.Dialect() == dialect.Postgres {
		at = "CAST(? AS timestamptz)"
	}
	text := "INSERT INTO chat_messages (created_at, id, room_id, patient_id, practitioner_id, sender_id, sender_role, position, body, search_key, client_message_id) SELECT " +
		at + ", k.id, k.room, k.patient, k.practitioner, k.sender, k.role, k.position, k.body, k.search, k.client FROM " +
		s.given([2]string{"id", "uuid"}, [2]string{"room", "uuid"}, [2]string{"patient", "uuid"}, [2]string{"practitioner", "uuid"},
			[2]string{"sender", "uuid"}, [2]string{"role", "text"}, [2]string{"position", "bigint"}, [2]string{"body", "text"}, [2]string{"search", "text"}, [2]string{"client", "text"})
	n, err := s.DB.Exec(ctx, reason, s.sql(text, added[0].CreatedAt, values))
	if err == nil && int(n) != len(added) {
		err = fmt.Errorf("%s: %d rows were written, not %d", reason, n, len(added))
	}
	return err
}
