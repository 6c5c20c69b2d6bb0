package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RecordOpening is a right to read a conversation that an administrator took for a stated reason; never changed.
type RecordOpening struct{ ent.Schema }

// Mixin of the RecordOpening.
func (RecordOpening) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the RecordOpening.
func (RecordOpening) Annotations() []schema.Annotation {
	return internal("A conversation opened to an administrator for a while.")
}

// Fields of the RecordOpening.
func (RecordOpening) Fields() []ent.Field {
	return []ent.Field{
		ref("room_id", "", "The room.").Field(),
		ref("patient_id", "", "The patient of the room.").Field(),
		ref("practitioner_id", "", "The practitioner of the room.").Field(),
		ref("user_id", "", "The administrator.").Field(),
		field.String("reason").Immutable().MaxLen(2000).Comment("Why, in the administrator's words."),
		at("expires_at", "From when on it gives no right any more.").Immutable().Field(),
	}
}

// Edges of the RecordOpening.
func (RecordOpening) Edges() []ent.Edge {
	return []ent.Edge{
		to("room", ChatRoom.Type, "room_id", "The room.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient of the room.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the room.", false, false),
		to("user", User.Type, "user_id", "The administrator.", false, false),
	}
}

// Indexes of the RecordOpening.
func (RecordOpening) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("room_id"), index.Fields("patient_id"), index.Fields("practitioner_id"),
		index.Fields("user_id", "expires_at"), // what is open to a user now
	}
}
