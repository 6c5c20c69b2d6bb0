package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Counter is a running number without holes, counted on its locked row.
type Counter struct{ ent.Schema }

// Mixin of the Counter.
func (Counter) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Counter.
func (Counter) Annotations() []schema.Annotation {
	return internal("A running number: the next one is taken on the locked row, so that none is given twice.")
}

// Fields of the Counter.
func (Counter) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable().Unique().MaxLen(60).Comment("What is counted."),
		field.Int64("value").Comment("The last number given."),
	}
}
