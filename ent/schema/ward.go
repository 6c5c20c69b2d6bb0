package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Ward is a part of the hospital with beds that cost the same.
type Ward struct{ ent.Schema }

// Mixin of the Ward.
func (Ward) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Ward.
func (Ward) Annotations() []schema.Annotation {
	return node("A part of the hospital whose beds cost the same. Who lies in it follows from the stays.")
}

// Fields of the Ward.
func (Ward) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxLen(400).Comment("Name of the ward, unique whatever the case.").Annotations(entgql.OrderField("NAME")),
		field.String("name_key").MaxLen(600).Unique().Comment("Folded name.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("type").Values("GENERAL", "SURGICAL", "MATERNITY", "PAEDIATRIC", "INTENSIVE_CARE", "EMERGENCY", "MENTAL_HEALTH", "REHABILITATION", "PALLIATIVE", "OTHER").
			Comment("What the ward is for.").
			Annotations(Values{
				"GENERAL": "General medicine.", "SURGICAL": "Before and after operations.", "MATERNITY": "Births.", "PAEDIATRIC": "Children.",
				"INTENSIVE_CARE": "Intensive care.", "EMERGENCY": "Emergency and short stay.", "MENTAL_HEALTH": "Mental health.",
				"REHABILITATION": "Rehabilitation.", "PALLIATIVE": "Palliative care.", "OTHER": "Anything else.",
			}),
		field.Bool("is_active").Default(true).Comment("False for a ward that takes no patients any more."),
	}
}

// Edges of the Ward.
func (Ward) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("rates", WardRate.Type).Ref("ward").Comment("History of the daily rate, and rates to come.").Annotations(entgql.RelayConnection()),
		edge.From("beds", Bed.Type).Ref("ward").Comment("Beds of the ward.").Annotations(entgql.RelayConnection()),
	}
}
