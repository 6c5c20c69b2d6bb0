package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Leave is a time in which a practitioner has no slots.
type Leave struct{ ent.Schema }

// Mixin of the Leave.
func (Leave) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Leave.
func (Leave) Annotations() []schema.Annotation {
	return node("A time, [startsAt, endsAt), in which a practitioner offers no slots.")
}

// Fields of the Leave.
func (Leave) Fields() []ent.Field {
	return []ent.Field{
		ref("practitioner_id", "practitionerId", "Who is away.").Field(),
		at("starts_at", "First instant of the leave.").Immutable().OrderBy("STARTS_AT").Field(),
		at("ends_at", "First instant after the leave.").Immutable().Field(),
		field.String("reason").Immutable().MaxLen(800).Optional().Comment("Reason given, at most 200 characters."),
		ref("created_by", "createdBy", "The user who entered it.").Field(),
	}
}

// Edges of the Leave.
func (Leave) Edges() []ent.Edge {
	return []ent.Edge{
		to("practitioner", Practitioner.Type, "practitioner_id", "Who is away.", false, false),
		hidden(to("creator", User.Type, "created_by", "The user who entered it.", false, false)),
	}
}

// Indexes of the Leave.
func (Leave) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("practitioner_id", "ends_at"), // the trigger on slots reads it
		index.Fields("created_by"),
	}
}
