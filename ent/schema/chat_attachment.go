package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChatAttachment is a file that belongs to a message; never changed.
type ChatAttachment struct{ ent.Schema }

// Mixin of the ChatAttachment.
func (ChatAttachment) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChatAttachment.
func (ChatAttachment) Annotations() []schema.Annotation {
	return internal("A file of a message.")
}

// Fields of the ChatAttachment.
func (ChatAttachment) Fields() []ent.Field {
	return []ent.Field{
		ref("room_id", "", "The room.").Field(),
		ref("patient_id", "", "The patient of the room.").Field(),
		ref("practitioner_id", "", "The practitioner of the room.").Field(),
		ref("message_id", "", "The message.").Field(),
		ref("upload_id", "", "The upload that became this file; the same one for no other message.").Field(),
		field.Int("place").Immutable().Positive().Comment("Place among the files of the message."),
		field.String("file_name").Immutable().MaxLen(200).Comment("Name for people."),
		field.String("content_type").Immutable().MaxLen(40).Comment("What it is, by its content."),
		field.Int64("size_bytes").Immutable().Comment("How long it is."),
	}
}

// Edges of the ChatAttachment.
func (ChatAttachment) Edges() []ent.Edge {
	return []ent.Edge{
		to("room", ChatRoom.Type, "room_id", "The room.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient of the room.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the room.", false, false),
		to("message", ChatMessage.Type, "message_id", "The message.", false, false),
		to("upload", ChatUpload.Type, "upload_id", "The upload that became this file.", false, false),
	}
}

// Indexes of the ChatAttachment.
func (ChatAttachment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("upload_id").Unique(), // one upload goes into one message
		index.Fields("message_id", "place").Unique(),
		index.Fields("room_id"), index.Fields("patient_id"), index.Fields("practitioner_id"),
	}
}
