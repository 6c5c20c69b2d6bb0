package chat

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatattachment"
	"github.com/caregraph/caregraph/ent/chatupload"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
)

// attachWithin is how long after its announcement an upload can go into a message; the clean-up takes those that are older.
const attachWithin = 24 * time.Hour

// usable are the uploads that sends of a group name and that can go into a message: stored, fresh, and in none yet.
type usable map[uuid.UUID]*ent.ChatUpload

// claim takes the uploads of a send out, so that no other send of the group has them; false, and nothing is taken, when one is not there or not the
// sender's for that room.
func (u usable) claim(one *send) bool {
	for _, id := range one.files {
		if f, ok := u[id]; !ok || f.UserID != one.viewer.UserID || f.RoomID != one.room || one.claimed[id] != nil {
			return false
		}
	}
	for _, id := range one.files {
		if one.claimed == nil {
			one.claimed = map[uuid.UUID]*ent.ChatUpload{}
		}
		one.claimed[id] = u[id]
		delete(u, id)
	}
	return true
}

// usable reads the uploads that the group names. That asks nothing when it names none.
func (s *Service) usable(ctx context.Context, batch []*send) (usable, error) {
	var ids []uuid.UUID
	for _, one := range batch {
		one.claimed = nil // of an attempt before
		ids = append(ids, one.files...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.DB.Client.ChatUpload.Query().Where(chatupload.IDIn(distinct(ids)...), chatupload.StoredAtNotNil(),
		chatupload.CreatedAtGT(s.DB.Now().Add(-attachWithin)), isFree).All(ctx)
	found := make(usable, len(list))
	for _, f := range list {
		found[f.ID] = f
	}
	return found, err
}

// isFree matches uploads that are in no message. It looks each one up: NOT IN has PostgreSQL read all files that there are, while the rooms are locked.
func isFree(q *sql.Selector) {
	b := sql.Dialect(q.Dialect())
	used := b.Table(chatattachment.Table).As("used")
	q.Where(sql.NotExists(b.Select(used.C(chatattachment.FieldID)).From(used).
		Where(sql.ColumnsEQ(used.C(chatattachment.FieldUploadID), q.C(chatupload.FieldID)))))
}

// attach writes the files of the messages, with one statement; that an upload goes into one message only, a unique index decides.
func (s *Service) attach(ctx context.Context, batch []*send, accepted []int, added []*ent.ChatMessage) error {
	insert, n := s.DB.Build().Insert(chatattachment.Table).Columns(chatattachment.FieldID, chatattachment.FieldCreatedAt, chatattachment.FieldRoomID,
		chatattachment.FieldPatientID, chatattachment.FieldPractitionerID, chatattachment.FieldMessageID, chatattachment.FieldUploadID,
		chatattachment.FieldPlace, chatattachment.FieldFileName, chatattachment.FieldContentType, chatattachment.FieldSizeBytes), 0
	for i, m := range added {
		one := batch[accepted[i]]
		for place, upload := range one.files {
			f, id := one.claimed[upload], s.DB.NewID(ent.TypeChatAttachment)
			insert.Values(id, m.CreatedAt, m.RoomID, m.PatientID, m.PractitionerID, m.ID, upload, place+1, f.FileName, string(f.ContentType), f.SizeBytes)
			n++
			if err := s.Audit.Record(behind(ctx, one), audit.Event{
				Action: auditevent.ActionCREATE, Entity: ent.TypeChatAttachment, EntityID: id, PatientID: m.PatientID,
				Changes: []audit.Change{{Field: chatattachment.FieldMessageID, New: m.ID.String()}, {Field: chatattachment.FieldUploadID, New: upload.String()}},
			}); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return nil
	}
	_, err := s.DB.Exec(ctx, reason, insert)
	return err
}

// Attachments returns the files of messages under the rights of ctx, with one statement; of deleted messages none.
func (s *Service) Attachments(ctx context.Context, messages []uuid.UUID) (map[uuid.UUID][]*ent.ChatAttachment, error) {
	found := make(map[uuid.UUID][]*ent.ChatAttachment, len(messages))
	list, err := s.DB.Client.ChatAttachment.Query().Where(chatattachment.MessageIDIn(messages...), isShown).
		Order(chatattachment.ByPlace()).All(ctx)
	for _, a := range list {
		found[a.MessageID] = append(found[a.MessageID], a)
	}
	return found, err
}

// isShown matches files of messages that nobody deleted.
func isShown(q *sql.Selector) {
	b := sql.Dialect(q.Dialect())
	q.Where(sql.NotExists(deletions(b, q.C(chatattachment.FieldMessageID))))
}

// Link is where the viewer can read a file: for five minutes, and only as long as the viewer may read the message.
func (s *Service) Link(v *access.Viewer, a *ent.ChatAttachment) string {
	if v == nil || v.UserID == uuid.Nil {
		return ""
	}
	until := s.DB.Now().Add(linkFor).Unix()
	return s.link("/files/"+a.ID.String(), v.UserID.String(), until, s.sign("GET", a.ID, v.UserID.String(), until))
}
