package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RateEvent is one counted use of a limit that holds across instances.
type RateEvent struct{ ent.Schema }

// Mixin of the RateEvent.
func (RateEvent) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the RateEvent.
func (RateEvent) Annotations() []schema.Annotation {
	return internal("One counted use of a limit that holds across instances.")
}

// Fields of the RateEvent.
func (RateEvent) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").Immutable().MaxLen(100).Comment("Limit and, hashed, what it counts for."),
	}
}

// Indexes of the RateEvent.
func (RateEvent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("key", "created_at"), // the sliding window
		index.Fields("created_at"),        // the cleanup
	}
}
