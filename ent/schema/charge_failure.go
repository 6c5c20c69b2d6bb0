package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChargeFailure is a daily charge that could not be posted: it is tried again by each run until it is.
type ChargeFailure struct{ ent.Schema }

// Mixin of the ChargeFailure.
func (ChargeFailure) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChargeFailure.
func (ChargeFailure) Annotations() []schema.Annotation {
	return node("A daily charge that could not be posted. Each run tries it again until it is.")
}

// Fields of the ChargeFailure.
func (ChargeFailure) Fields() []ent.Field {
	return []ent.Field{
		ref("admission_id", "admissionId", "The admission.").Field(),
		ref("patient_id", "patientId", "The patient.").Field(),
		date("charge_date", "The date that is owed.", false),
		field.Int("attempts").Comment("How often it was tried."),
		field.String("error").MaxLen(500).Comment("What the last try failed of, without data of patients."),
		at("last_tried_at", "When it was last tried.").Field(),
		at("resolved_at", "When the charge was posted, or turned out not to be owed; null until then.").Optional().Field(),
	}
}

// Edges of the ChargeFailure.
func (ChargeFailure) Edges() []ent.Edge {
	return []ent.Edge{to("admission", Admission.Type, "admission_id", "The admission; null when the viewer may not see it.", false, false)}
}

// Indexes of the ChargeFailure.
func (ChargeFailure) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("admission_id", "charge_date").Unique(),
		index.Fields("charge_date").StorageKey("charge_failures_open").Annotations(entsql.IndexWhere("resolved_at IS NULL")), // what is to be tried again
		index.Fields("patient_id"),
	}
}
