package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChatMessageVersion is a later text of a message, or its deletion; never changed.
type ChatMessageVersion struct{ ent.Schema }

// Mixin of the ChatMessageVersion.
func (ChatMessageVersion) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChatMessageVersion.
func (ChatMessageVersion) Annotations() []schema.Annotation {
	return internal("What became of a message after it was sent: the record keeps every text.")
}

// Fields of the ChatMessageVersion.
func (ChatMessageVersion) Fields() []ent.Field {
	return []ent.Field{
		ref("message_id", "", "The message.").Field(),
		ref("room_id", "", "The room.").Field(),
		ref("patient_id", "", "The patient of the room.").Field(),
		ref("practitioner_id", "", "The practitioner of the room.").Field(),
		field.Int("number").Immutable().Min(2).Comment("Number of the version, dense; the message as it was sent is 1."),
		field.Text("body").Immutable().Optional().Nillable().MaxLen(16000).Comment("The text from then on; null when the message was deleted."),
		field.Text("search_key").Immutable().Optional().MaxLen(64000).Comment("The text as searches compare it; null when the message was deleted."),
	}
}

// Edges of the ChatMessageVersion.
func (ChatMessageVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("message", ChatMessage.Type).Ref("versions").Unique().Required().Immutable().Field("message_id").Comment("The message."),
		to("room", ChatRoom.Type, "room_id", "The room.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient of the room.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the room.", false, false),
	}
}

// Indexes of the ChatMessageVersion.
func (ChatMessageVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("message_id", "number").Unique(),
		index.Fields("room_id"), index.Fields("patient_id"), index.Fields("practitioner_id"),
	}
}
