package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// NhiaMembership is a time in which a patient is a member of the national scheme, and exempt from charges.
type NhiaMembership struct{ ent.Schema }

// Mixin of the NhiaMembership.
func (NhiaMembership) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the NhiaMembership.
func (NhiaMembership) Annotations() []schema.Annotation {
	return node("A time in which a patient is a member of the national health insurance scheme, and exempt from the hospital's daily charges.")
}

// Fields of the NhiaMembership.
func (NhiaMembership) Fields() []ent.Field {
	return []ent.Field{
		ref("patient_id", "patientId", "The patient.").Field(),
		field.String("registration_number").MaxLen(30).Immutable().Comment("Number of the registration, of one patient alone.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		date("registered_on", "The first date on which the membership counts, in the practice's zone.", false),
		date("ended_on", "The last date on which it counts; null while it is active.", true),
		ref("registered_by", "", "The user who entered it.").Optional().Field(),
		ref("ended_by", "", "The user who ended it.").Optional().Editable().Field(),
	}
}

// Edges of the NhiaMembership.
func (NhiaMembership) Edges() []ent.Edge {
	return []ent.Edge{to("patient", Patient.Type, "patient_id", "The patient; null when the viewer may not see the record.", false, false)}
}

// Indexes of the NhiaMembership.
func (NhiaMembership) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("patient_id").Unique().StorageKey("nhia_memberships_active").Annotations(entsql.IndexWhere("ended_on IS NULL")),          // one active per patient
		index.Fields("registration_number").Unique().StorageKey("nhia_memberships_number").Annotations(entsql.IndexWhere("ended_on IS NULL")), // one patient per active number
		index.Fields("patient_id", "registered_on"),
		index.Fields("registration_number", "registered_on").Unique(),
	}
}
