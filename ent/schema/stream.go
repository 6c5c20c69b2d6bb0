package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Stream counts what a log of events holds. Its id is that of the record whose log it is.
type Stream struct{ ent.Schema }

// Mixin of the Stream.
func (Stream) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Stream.
func (Stream) Annotations() []schema.Annotation {
	return internal("Counters of one log of events; locking the row orders its writers.")
}

// Fields of the Stream.
func (Stream) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("position").Default(0).Comment("Position of the newest event; positions are dense from 1."),
		field.Int64("items").Default(0).Comment("Number of the newest record that the stream numbers beside its events, as a room its messages."),
	}
}
