package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AdmissionRecord is what was written of the patient's illness at an admission.
type AdmissionRecord struct{ ent.Schema }

// Mixin of the AdmissionRecord.
func (AdmissionRecord) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the AdmissionRecord.
func (AdmissionRecord) Annotations() []schema.Annotation {
	return node("What was written of the patient's illness at an admission: for who treats the patient, not for who bills.")
}

// Fields of the AdmissionRecord.
func (AdmissionRecord) Fields() []ent.Field {
	text := func(name, comment string) ent.Field {
		return field.String(name).MaxLen(32_000).Default("").Comment(comment).Annotations(entgql.Skip(entgql.SkipWhereInput))
	}
	return []ent.Field{
		ref("admission_id", "admissionId", "The admission.").Field(),
		ref("patient_id", "patientId", "The patient.").Field(),
		text("reason", "Why the patient was admitted."),
		text("diagnosis", "Diagnosis at the admission; empty when none was written."),
		text("discharge_notes", "What was written at the end; empty until then."),
	}
}

// Edges of the AdmissionRecord.
func (AdmissionRecord) Edges() []ent.Edge {
	return []ent.Edge{oneOf("admission", Admission.Type, "record", "admission_id", "The admission.")}
}

// Indexes of the AdmissionRecord.
func (AdmissionRecord) Indexes() []ent.Index { return []ent.Index{index.Fields("patient_id")} }
