package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// CareRelation says that a practitioner may see a patient's record, and why.
type CareRelation struct{ ent.Schema }

// Mixin of the CareRelation.
func (CareRelation) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the CareRelation.
func (CareRelation) Annotations() []schema.Annotation {
	return internal("A practitioner's relation of care to a patient; answers 'patients of mine' for the access policy.")
}

// Fields of the CareRelation.
func (CareRelation) Fields() []ent.Field {
	return []ent.Field{
		ref("practitioner_id", "", "The practitioner.").Field(),
		ref("patient_id", "", "The patient.").Field(),
		field.Enum("source").Values("APPOINTMENT", "ADMISSION").Immutable().Comment("What made the relation."),
		field.UUID("source_id", uuid.UUID{}).Immutable().Comment("The record that made the relation."),
	}
}

// Edges of the CareRelation.
func (CareRelation) Edges() []ent.Edge {
	return []ent.Edge{
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner.", false, false),
		to("patient", Patient.Type, "patient_id", "The patient.", false, false),
	}
}

// Indexes of the CareRelation.
func (CareRelation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("practitioner_id", "patient_id", "source", "source_id").Unique(), // one row per reason; the policy reads its prefix
		index.Fields("patient_id"),
	}
}
