package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChatUpload is a file on its way into a message.
type ChatUpload struct{ ent.Schema }

// Mixin of the ChatUpload.
func (ChatUpload) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChatUpload.
func (ChatUpload) Annotations() []schema.Annotation {
	return internal("A file that a user has announced, and has sent once it is stored.")
}

// Fields of the ChatUpload.
func (ChatUpload) Fields() []ent.Field {
	return []ent.Field{
		ref("room_id", "", "The room.").Field(),
		ref("patient_id", "", "The patient of the room.").Field(),
		ref("practitioner_id", "", "The practitioner of the room.").Field(),
		ref("user_id", "", "Who announced it, and alone may send it and use it.").Field(),
		field.Enum("purpose").Values("CHAT_ATTACHMENT").Immutable().Comment("What the file is for."),
		field.String("file_name").Immutable().MaxLen(200).Comment("Name for people, without anything that a file system would interpret."),
		field.Enum("content_type").NamedValues("Jpeg", "image/jpeg", "Png", "image/png", "Pdf", "application/pdf").Immutable().Comment("What it must be."),
		field.Int64("size_bytes").Immutable().Positive().Comment("How long it must be."),
		at("expires_at", "Until when it can be sent.").Immutable().Field(),
		at("stored_at", "When it was stored, whole and checked; null until then.").Optional().Field(),
		field.String("object_key").Optional().MaxLen(200).Comment("Where the object storage holds it."),
	}
}

// Edges of the ChatUpload.
func (ChatUpload) Edges() []ent.Edge {
	return []ent.Edge{
		to("room", ChatRoom.Type, "room_id", "The room.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient of the room.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the room.", false, false),
		to("user", User.Type, "user_id", "Who announced it.", false, false),
	}
}

// Indexes of the ChatUpload.
func (ChatUpload) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("room_id"), index.Fields("patient_id"), index.Fields("practitioner_id"), index.Fields("user_id"),
		index.Fields("created_at"), // the clean-up looks for old ones
	}
}
