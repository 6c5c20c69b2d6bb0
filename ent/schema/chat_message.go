package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChatMessage is one message of a room as it was sent, never changed.
type ChatMessage struct{ ent.Schema }

// Mixin of the ChatMessage.
func (ChatMessage) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChatMessage.
func (ChatMessage) Annotations() []schema.Annotation {
	return node("One message of a room.")
}

// Fields of the ChatMessage.
func (ChatMessage) Fields() []ent.Field {
	return []ent.Field{
		ref("room_id", "roomId", "The room.").Field(),
		ref("patient_id", "", "The patient of the room.").Field(),
		ref("practitioner_id", "", "The practitioner of the room.").Field(),
		ref("sender_id", "senderId", "The user who wrote it.").Field(),
		field.Enum("sender_role").Values("PATIENT", "PRACTITIONER").Immutable().Comment("As who the sender wrote.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), Values{"PATIENT": "The patient of the room.", "PRACTITIONER": "The practitioner of the room."}),
		field.Int64("position").Immutable().Comment("Place in the room: dense, from 1, in the order in which messages were stored.").
			Annotations(entgql.Type("Int"), entgql.OrderField("POSITION"), entgql.Skip(entgql.SkipWhereInput)),
		field.Text("body").Immutable().MaxLen(16000).Comment("The text as it was sent, at most 4,000 characters; data, never to be interpreted.").
			Annotations(entgql.Skip(entgql.SkipAll)), // the API shows the latest text
		field.Text("search_key").Immutable().Optional().MaxLen(64000).Comment("The text as searches compare it; null on messages from before there were searches.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("client_message_id").Immutable().Optional().Nillable().MaxLen(100).
			Comment("The id that the sender's program gave the message; null when it gave none.").
			Annotations(entgql.MapsTo("clientMessageId"), entgql.Type("String"), entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Edges of the ChatMessage.
func (ChatMessage) Edges() []ent.Edge {
	return []ent.Edge{
		to("room", ChatRoom.Type, "room_id", "The room.", false, false),
		hidden(to("patient", Patient.Type, "patient_id", "The patient of the room.", false, false)),
		hidden(to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the room.", false, false)),
		hidden(to("sender", User.Type, "sender_id", "The user who wrote it.", false, false)),
		hidden(edge.To("versions", ChatMessageVersion.Type).Comment("What became of the text after it was sent.")),
	}
}

// Indexes of the ChatMessage.
func (ChatMessage) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("room_id", "position").Unique(),
		index.Fields("sender_id", "room_id", "client_message_id").Unique(), // a message that is sent again is stored once
		index.Fields("patient_id"), index.Fields("practitioner_id"),
	}
}
