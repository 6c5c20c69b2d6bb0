package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// StreamEntry is one event of a log, never changed.
type StreamEntry struct{ ent.Schema }

// Mixin of the StreamEntry.
func (StreamEntry) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the StreamEntry.
func (StreamEntry) Annotations() []schema.Annotation {
	return internal("One event of a stream, at its place in the order of commits.")
}

// Fields of the StreamEntry.
func (StreamEntry) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("stream_id", uuid.UUID{}).Immutable().Comment("The stream; no foreign key, since its row is locked by all writers."),
		field.Int64("position").Immutable().Comment("Place in the stream."),
		field.String("kind").Immutable().MaxLen(60).Comment("What happened."),
		field.UUID("subject_id", uuid.UUID{}).Immutable().Optional().Nillable().Comment("The record that it happened to."),
		field.String("data").Immutable().MaxLen(2000).Default("").Comment("What else there is to tell, as JSON; never medical text."),
		field.UUID("patient_id", uuid.UUID{}).Immutable().Optional().Nillable().Comment("To whose record the event belongs."),
	}
}

// Indexes of the StreamEntry.
func (StreamEntry) Indexes() []ent.Index {
	return []ent.Index{index.Fields("stream_id", "position").Unique(), index.Fields("patient_id")}
}
