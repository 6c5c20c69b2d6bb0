package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// WardRate is what a day in a ward costs from a date on.
type WardRate struct{ ent.Schema }

// Mixin of the WardRate.
func (WardRate) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the WardRate.
func (WardRate) Annotations() []schema.Annotation {
	return node("What a day in a ward costs from a date on, until the next rate begins.")
}

// Fields of the WardRate.
func (WardRate) Fields() []ent.Field {
	return []ent.Field{
		ref("ward_id", "wardId", "The ward.").Field(),
		date("from_date", "The first date that is charged at this rate, in the practice's zone.", false),
		field.Int64("rate_minor").NonNegative().Comment("Rate of a day in minor units; it can be replaced until it begins.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("currency").MaxLen(3).Immutable().Comment("ISO 4217 code of the rate.").Annotations(entgql.Skip(entgql.SkipAll)),
		ref("set_by", "setBy", "Id of the user who set it; null when the system did.").Optional().Editable().Field(),
	}
}

// Edges of the WardRate.
func (WardRate) Edges() []ent.Edge {
	return []ent.Edge{to("ward", Ward.Type, "ward_id", "The ward.", false, false)}
}

// Indexes of the WardRate.
func (WardRate) Indexes() []ent.Index {
	return []ent.Index{index.Fields("ward_id", "from_date").Unique()} // one rate per date
}
