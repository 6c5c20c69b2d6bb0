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

// Appointment is a visit of a patient to a practitioner.
type Appointment struct{ ent.Schema }

// Mixin of the Appointment.
func (Appointment) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Appointment.
func (Appointment) Annotations() []schema.Annotation {
	return filtered("A visit of a patient to a practitioner, from booking to its end.")
}

// Fields of the Appointment.
func (Appointment) Fields() []ent.Field {
	return []ent.Field{
		ref("patient_id", "patientId", "Who visits.").Field(),
		ref("practitioner_id", "practitionerId", "Who is visited.").Field(),
		ref("slot_id", "slotId", "The slot that the visit takes.").Field(),
		at("starts_at", "When the visit starts.").OrderBy("STARTS_AT").Field(),
		at("ends_at", "When the visit ends.").NoFilter().Field(),
		field.Enum("status").
			Values("PENDING", "BOOKED", "COMPLETED", "NO_SHOW", "PAYMENT_EXPIRED", "CANCELLED_BY_PATIENT", "CANCELLED_BY_DOCTOR", "CANCELLED_BY_ADMIN", "RESCHEDULED").
			Comment("Where the visit stands, as last written; the API answers the state as of now.").
			Annotations(entgql.Skip(entgql.SkipType), Values{
				"PENDING": "Booked, waiting for the payment until expiresAt.", "BOOKED": "Paid.", "COMPLETED": "The visit took place.",
				"NO_SHOW": "The patient did not come.", "PAYMENT_EXPIRED": "The payment did not come in time; the slot is free again.",
				"CANCELLED_BY_PATIENT": "Cancelled by the patient.", "CANCELLED_BY_DOCTOR": "Cancelled by the practitioner.",
				"CANCELLED_BY_ADMIN": "Cancelled by an administrator.", "RESCHEDULED": "Moved to another time by a new appointment.",
			}),
		field.Bool("is_initial").Immutable().Comment("True when the patient had never been here before the booking; fixes the price.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		minor("price_minor", "Price fixed at booking, in minor units."),
		field.String("currency").MaxLen(3).Immutable().Comment("ISO 4217 code of the price.").Annotations(entgql.Skip(entgql.SkipAll)),
		at("expires_at", "Until when a PENDING visit can be paid.").NoFilter().Field(),
		ref("booked_by", "bookedBy", "The user who booked.").Field(),
		ref("rescheduled_from_id", "rescheduledFromId", "The appointment that was moved to this time; null for one that was booked as such.").Optional().Field(),
		at("deleted_at", "When it was deleted; null for one that was not.").Optional().NoFilter().Field(),
		ref("deleted_by", "deletedBy", "The user who deleted it.").Optional().Editable().Field(),
	}
}

// Edges of the Appointment.
func (Appointment) Edges() []ent.Edge {
	return []ent.Edge{
		to("patient", Patient.Type, "patient_id", "Who visits.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "Who is visited.", false, false),
		to("slot", Slot.Type, "slot_id", "The slot that the visit takes.", false, false),
		to("booker", User.Type, "booked_by", "The user who booked.", false, false),
		hidden(to("deleter", User.Type, "deleted_by", "The user who deleted it.", true, true)),
		edge.To("rescheduled_to", Appointment.Type).Unique().
			Comment("The appointment that took the place of this one; null when it was not moved.").
			Annotations(entsql.OnDelete(entsql.Restrict), entgql.Skip(entgql.SkipWhereInput)).
			From("rescheduled_from").Unique().Immutable().Field("rescheduled_from_id").
			Comment("The appointment that was moved to this time; null for one that was booked as such.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		edge.To("intake", AppointmentIntake.Type).Unique().
			Comment("What the patient said before the visit; null for who may not read clinical context.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		edge.From("orders", Order.Type).Ref("appointment").Comment("Payments asked for the visit.").Annotations(entgql.RelayConnection()),
		edge.From("history", AppointmentStatusChange.Type).Ref("appointment").Comment("Changes of status.").Annotations(entgql.RelayConnection()),
	}
}

// Indexes of the Appointment.
func (Appointment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("slot_id").Unique().StorageKey("appointments_live_slot"). // a slot is held by one live appointment
											Annotations(entsql.IndexWhere("status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW')")),
		index.Fields("slot_id", "status"),            // history of a slot
		index.Fields("patient_id", "starts_at"),      // visits of a patient; the overlap trigger reads it
		index.Fields("practitioner_id", "starts_at"), // calendar of a practitioner
		index.Fields("status", "expires_at"),         // due payments
		index.Fields("starts_at"),                    // the order of lists
		index.Fields("booked_by", "created_at"),      // bookings per hour
		index.Fields("deleted_by"),
		index.Fields("created_at"),
	}
}
