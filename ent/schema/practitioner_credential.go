package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PractitionerCredential holds what only the practitioner and administrators may read.
type PractitionerCredential struct{ ent.Schema }

// Mixin of the PractitionerCredential.
func (PractitionerCredential) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the PractitionerCredential.
func (PractitionerCredential) Annotations() []schema.Annotation {
	return node("Registration and provider numbers of a practitioner, for the practitioner and administrators alone.")
}

// Fields of the PractitionerCredential.
func (PractitionerCredential) Fields() []ent.Field {
	text := func(name, comment string, limit int) ent.Field {
		return field.String(name).MaxLen(limit).Optional().Comment(comment)
	}
	return []ent.Field{
		ref("practitioner_id", "practitionerId", "Whose numbers these are.").Field(),
		text("ahpra_number", "Registration number with AHPRA: three letters and ten digits.", 13),
		date("ahpra_expires_on", "Last day of the AHPRA registration.", true),
		text("prescriber_number", "PBS prescriber number, seven digits.", 7),
		text("provider_number", "Medicare provider number, eight characters.", 8),
		text("hpi_i", "Healthcare Provider Identifier of the individual, 16 digits.", 16),
		field.Bool("has_schedule8_authority").Default(false).Comment("True when the practitioner may prescribe Schedule 8 medicines.").
			Annotations(entgql.MapsTo("hasSchedule8Authority")),
		date("schedule8_expires_on", "Last day of the Schedule 8 authority.", true),
	}
}

// Edges of the PractitionerCredential.
func (PractitionerCredential) Edges() []ent.Edge {
	return []ent.Edge{oneOf("practitioner", Practitioner.Type, "credentials", "practitioner_id", "Whose numbers these are.")}
}

// Indexes of the PractitionerCredential.
func (PractitionerCredential) Indexes() []ent.Index {
	return []ent.Index{index.Fields("practitioner_id").Unique()}
}
