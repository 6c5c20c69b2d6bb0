package chat

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/internal/access"
)

// ChatReceipt tells that somebody has read a message.
type ChatReceipt struct {
	User   ChatParticipant
	ReadAt time.Time
}

// ChatParticipant is somebody who takes part in a room, as the other one sees him.
type ChatParticipant struct {
	ID   uuid.UUID
	Role Role
	Name string
}

// Sent says of a message what its receipts follow from.
type Sent struct {
	ID, Room, Sender uuid.UUID
	Position         int64
}

// Receipts returns who else has read messages, with one statement: the instant is that of the first step of the reader's watermark that passed the
// message. It asks nobody who they are: the caller shows only messages that the viewer may read.
func (s *Service) Receipts(ctx context.Context, list []Sent) (map[uuid.UUID][]ChatReceipt, error) {
	type row struct {
		ID       uuid.UUID `json:"id"`
		Room     uuid.UUID `json:"room"`
		Sender   uuid.UUID `json:"sender"`
		Position int64     `json:"position"`
	}
	rows := make([]row, len(list))
	for i, m := range list {
		rows[i] = row(m)
	}
	asked, err := encoded(rows)
	if err != nil {
		return nil, err
	}
	text := "SELECT k.id, c.user_id, c.created_at, p.user_id, p.given_name, p.family_name, d.name FROM " +
		s.given([2]string{"id", "uuid"}, [2]string{"room", "uuid"}, [2]string{"sender", "uuid"}, [2]string{"position", "bigint"}) +
		" JOIN chat_rooms r ON r.id = k.room JOIN patients p ON p.id = r.patient_id JOIN practitioners d ON d.id = r.practitioner_id" +
		" JOIN chat_reads c ON c.room_id = r.id AND c.user_id IN (p.user_id, d.user_id) AND c.user_id <> k.sender AND c.up_to =" +
		" (SELECT MIN(x.up_to) FROM chat_reads x WHERE x.room_id = c.room_id AND x.user_id = c.user_id AND x.up_to >= k.position)"
	const reason = "show receipts"
	found := make(map[uuid.UUID][]ChatReceipt, len(list))
	return found, s.DB.Query(access.System(ctx, reason), reason, s.sql(text, asked), func(row *sql.Rows) error {
		var id, reader uuid.UUID
		var patientUser uuid.NullUUID
		var at time.Time
		var given, family, doctor string
		if err := row.Scan(&id, &reader, &at, &patientUser, &given, &family, &doctor); err != nil {
			return err
		}
		who := ChatParticipant{ID: reader, Role: chatmessage.SenderRolePRACTITIONER, Name: doctor}
		if patientUser.Valid && patientUser.UUID == reader {
			who.Role, who.Name = chatmessage.SenderRolePATIENT, strings.TrimSpace(given+" "+family)
		}
		found[id] = append(found[id], ChatReceipt{User: who, ReadAt: at})
		return nil
	})
}
