package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// PatientHealth is what everybody who treats a patient has to know.
type PatientHealth struct{ ent.Schema }

// Mixin of the PatientHealth.
func (PatientHealth) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the PatientHealth.
func (PatientHealth) Annotations() []schema.Annotation {
	return node("What everybody who treats a patient has to know; apart from the record's identity and contact data, which the front desk sees too.")
}

// Fields of the PatientHealth.
func (PatientHealth) Fields() []ent.Field {
	return []ent.Field{
		ref("patient_id", "patientId", "The patient.").Field(),
		field.String("allergies").MaxLen(8000).Default("").Comment("Allergies and intolerances, as text; empty when none are known.").
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Edges of the PatientHealth.
func (PatientHealth) Edges() []ent.Edge {
	return []ent.Edge{oneOf("patient", Patient.Type, "health", "patient_id", "The patient; null when the viewer may not see the record.")}
}
