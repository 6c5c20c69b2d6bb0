package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChatRead is one step of a reader's watermark in a room, never changed: it tells what was read when.
type ChatRead struct{ ent.Schema }

// Mixin of the ChatRead.
func (ChatRead) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChatRead.
func (ChatRead) Annotations() []schema.Annotation {
	return internal("How far a participant had read at an instant.")
}

// Fields of the ChatRead.
func (ChatRead) Fields() []ent.Field {
	return []ent.Field{
		ref("room_id", "", "The room.").Field(),
		ref("patient_id", "", "The patient of the room.").Field(),
		ref("practitioner_id", "", "The practitioner of the room.").Field(),
		ref("user_id", "", "The reader.").Field(),
		field.Int64("up_to").Immutable().Comment("Position of the last message that was read."),
	}
}

// Edges of the ChatRead.
func (ChatRead) Edges() []ent.Edge {
	return []ent.Edge{
		to("room", ChatRoom.Type, "room_id", "The room.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient of the room.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the room.", false, false),
		to("user", User.Type, "user_id", "The reader.", false, false),
	}
}

// Indexes of the ChatRead.
func (ChatRead) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("room_id", "user_id", "up_to").Unique(), // the watermark is the newest
		index.Fields("user_id"), index.Fields("patient_id"), index.Fields("practitioner_id"),
	}
}
