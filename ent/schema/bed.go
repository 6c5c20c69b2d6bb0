package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Bed is a place for one patient.
type Bed struct{ ent.Schema }

// Mixin of the Bed.
func (Bed) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Bed.
func (Bed) Annotations() []schema.Annotation {
	return node("A place for one patient in a ward. Whether it is free follows from the stays.")
}

// Fields of the Bed.
func (Bed) Fields() []ent.Field {
	return []ent.Field{
		ref("ward_id", "wardId", "The ward.").Field(),
		field.String("number").MaxLen(80).Comment("Number of the bed, unique in its ward.").Annotations(entgql.OrderField("NUMBER")),
		field.Bool("is_active").Default(true).Comment("False for a bed that takes no patient."),
	}
}

// Edges of the Bed.
func (Bed) Edges() []ent.Edge {
	return []ent.Edge{
		to("ward", Ward.Type, "ward_id", "The ward; null when the viewer may not see it.", false, false),
		hidden(edge.From("stays", Stay.Type).Ref("bed").Comment("Who lay in it.")),
	}
}

// Indexes of the Bed.
func (Bed) Indexes() []ent.Index {
	return []ent.Index{index.Fields("ward_id", "number").Unique()} // a number is given once in a ward
}
