package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AppointmentStatusChange is one step of an appointment, never changed.
type AppointmentStatusChange struct{ ent.Schema }

// Mixin of the AppointmentStatusChange.
func (AppointmentStatusChange) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the AppointmentStatusChange.
func (AppointmentStatusChange) Annotations() []schema.Annotation {
	return node("One change of an appointment's status: from, to, when, by whom or by which cause.")
}

// Fields of the AppointmentStatusChange.
func (AppointmentStatusChange) Fields() []ent.Field {
	status := func(name, comment string) ent.Field {
		return field.String(name).Immutable().MaxLen(30).Comment(comment).Annotations(entgql.Type("AppointmentStatus"))
	}
	return []ent.Field{
		ref("appointment_id", "appointmentId", "The visit.").Field(),
		ref("patient_id", "patientId", "Who visits.").Field(),
		ref("practitioner_id", "practitionerId", "Who is visited.").Field(),
		field.String("from_status").Immutable().Optional().Nillable().MaxLen(30).Comment("Status before; null for the booking itself.").Annotations(entgql.Type("AppointmentStatus")),
		status("to_status", "Status after."),
		ref("changed_by", "changedBy", "The user who changed it; null when the system did.").Optional().Field(),
		field.String("cause").Immutable().MaxLen(60).Comment("What changed it: an operation's name, payment_webhook, or job:NAME."),
		field.String("reason").Immutable().MaxLen(2000).Optional().Comment("Reason given."),
		field.String("context").Immutable().MaxLen(500).Optional().Comment("What else there is to know of it, as a JSON object: the other appointment of a move, what became of the slot."),
	}
}

// Edges of the AppointmentStatusChange.
func (AppointmentStatusChange) Edges() []ent.Edge {
	return []ent.Edge{
		to("appointment", Appointment.Type, "appointment_id", "The visit.", false, false),
		to("patient", Patient.Type, "patient_id", "Who visits.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "Who is visited.", false, false),
	}
}

// Indexes of the AppointmentStatusChange.
func (AppointmentStatusChange) Indexes() []ent.Index {
	return []ent.Index{index.Fields("appointment_id", "created_at"), index.Fields("patient_id"), index.Fields("practitioner_id")}
}
