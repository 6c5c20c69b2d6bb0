package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AppointmentIntake is the clinical context of a visit, apart from the appointment because not everyone who plans visits may read it.
type AppointmentIntake struct{ ent.Schema }

// Mixin of the AppointmentIntake.
func (AppointmentIntake) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the AppointmentIntake.
func (AppointmentIntake) Annotations() []schema.Annotation {
	return node("What the patient said before a visit, for the patient and the practitioner.")
}

// Fields of the AppointmentIntake.
func (AppointmentIntake) Fields() []ent.Field {
	return []ent.Field{
		ref("appointment_id", "appointmentId", "The visit.").Field(),
		ref("patient_id", "patientId", "Who visits.").Field(),
		ref("practitioner_id", "practitionerId", "Who is visited.").Field(),
		field.String("note").MaxLen(8000).Optional().Comment("Note of the patient for the practitioner, at most 2,000 characters."),
		field.String("symptoms").MaxLen(8000).Optional().Comment("What the patient complains of, as the practice wrote it down, at most 2,000 characters."),
		field.Enum("consultation_type").Values("IN_PERSON", "VIDEO", "PHONE").Optional().Nillable().Comment("How the two meet; null while it is not settled.").
			Annotations(Values{"IN_PERSON": "At the practice.", "VIDEO": "By video.", "PHONE": "By telephone."}),
	}
}

// Edges of the AppointmentIntake.
func (AppointmentIntake) Edges() []ent.Edge {
	return []ent.Edge{
		oneOf("appointment", Appointment.Type, "intake", "appointment_id", "The visit."),
		to("patient", Patient.Type, "patient_id", "Who visits.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "Who is visited.", false, false),
	}
}

// Indexes of the AppointmentIntake.
func (AppointmentIntake) Indexes() []ent.Index {
	return []ent.Index{index.Fields("appointment_id").Unique(), index.Fields("patient_id"), index.Fields("practitioner_id")}
}
