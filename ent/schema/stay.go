package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/index"
)

// Stay is the time of an admission in one bed. It is never rewritten: it begins, and it ends. Triggers hold that, and that no bed has two patients at
// one instant.
type Stay struct{ ent.Schema }

// Mixin of the Stay.
func (Stay) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Stay.
func (Stay) Annotations() []schema.Annotation {
	return node("The time of an admission in one bed: from an instant on and until before another. It is never rewritten.")
}

// Fields of the Stay.
func (Stay) Fields() []ent.Field {
	return []ent.Field{
		ref("admission_id", "admissionId", "The admission.").Field(),
		ref("patient_id", "patientId", "The patient.").Field(),
		ref("bed_id", "bedId", "The bed.").Field(),
		ref("ward_id", "wardId", "The bed's ward.").Field(),
		at("from_at", "First instant in the bed.").Immutable().OrderBy("FROM_AT").Field(),
		at("to_at", "First instant no longer in the bed; null while the patient lies in it.").Optional().Field(),
	}
}

// Edges of the Stay.
func (Stay) Edges() []ent.Edge {
	return []ent.Edge{
		to("admission", Admission.Type, "admission_id", "The admission; null when the viewer may not see it.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient; null when the viewer may not see the record.", false, false),
		to("bed", Bed.Type, "bed_id", "The bed; null when the viewer may not see it.", false, false),
		to("ward", Ward.Type, "ward_id", "The bed's ward; null when the viewer may not see it.", false, false),
	}
}

// Indexes of the Stay.
func (Stay) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("bed_id").Unique().StorageKey("stays_bed_taken").Annotations(entsql.IndexWhere("to_at IS NULL")),            // one patient per bed
		index.Fields("admission_id").Unique().StorageKey("stays_admission_open").Annotations(entsql.IndexWhere("to_at IS NULL")), // one bed per patient
		index.Fields("admission_id", "from_at"),
		index.Fields("bed_id", "from_at"),
		index.Fields("ward_id", "to_at"), // the bed board
		index.Fields("patient_id"),
		index.Fields("from_at"), // the census of a date
		index.Fields("to_at"),
	}
}
