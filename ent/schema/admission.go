package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Admission is a patient's time in hospital, from the first bed to the end.
type Admission struct{ ent.Schema }

// Mixin of the Admission.
func (Admission) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Admission.
func (Admission) Annotations() []schema.Annotation {
	return filtered("A patient's time in hospital, from the admission to discharge or death (FHIR Encounter of class inpatient).")
}

// Fields of the Admission.
func (Admission) Fields() []ent.Field {
	return []ent.Field{
		ref("patient_id", "patientId", "The patient.").Field(),
		ref("attending_id", "attendingId", "The practitioner who attends the patient; null when none was named.").Optional().Field(),
		field.Enum("status").Values("ADMITTED", "DISCHARGED", "DECEASED").Default("ADMITTED").Comment("Where the admission stands.").
			Annotations(Values{"ADMITTED": "The patient is in hospital.", "DISCHARGED": "The patient has left.", "DECEASED": "The patient has died in hospital."}),
		at("admitted_at", "From when on the patient was in hospital.").Immutable().OrderBy("ADMITTED_AT").Field(),
		at("discharged_at", "When the patient left or died; null until then.").Optional().OrderBy("DISCHARGED_AT").Field(),
		ref("admitted_by", "", "The user who entered the admission.").Optional().Field(),
		ref("discharged_by", "", "The user who entered its end.").Optional().Editable().Field(),
	}
}

// Edges of the Admission.
func (Admission) Edges() []ent.Edge {
	return []ent.Edge{
		to("patient", Patient.Type, "patient_id", "The patient; null when the viewer may not see the record.", false, false),
		to("attending", Practitioner.Type, "attending_id", "The practitioner who attends the patient; null when none was named or the viewer may not see him or her.", true, false),
		edge.To("record", AdmissionRecord.Type).Unique().Comment("Reason, diagnosis and discharge notes; null when the viewer may not see them.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.Restrict)),
		edge.From("stays", Stay.Type).Ref("admission").Comment("The beds, one after the other, in which the patient lay.").Annotations(entgql.RelayConnection()),
		edge.From("charge_failures", ChargeFailure.Type).Ref("admission").Comment("Daily charges that could not be posted, for who bills.").Annotations(entgql.RelayConnection()),
	}
}

// Indexes of the Admission.
func (Admission) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("patient_id").Unique().StorageKey("admissions_open").Annotations(entsql.IndexWhere("status = 'ADMITTED'")), // one open admission per patient
		index.Fields("patient_id", "admitted_at"),
		index.Fields("attending_id"),
		index.Fields("status", "admitted_at"), // lists of who is in hospital
		index.Fields("admitted_at"),
	}
}
