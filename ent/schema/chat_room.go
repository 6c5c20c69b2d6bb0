package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ChatRoom is where a patient and a practitioner write to each other about one paid appointment.
type ChatRoom struct{ ent.Schema }

// Mixin of the ChatRoom.
func (ChatRoom) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the ChatRoom.
func (ChatRoom) Annotations() []schema.Annotation {
	return filtered("Where the patient and the practitioner of one paid appointment write to each other. Nobody else reads along.")
}

// Fields of the ChatRoom.
func (ChatRoom) Fields() []ent.Field {
	return []ent.Field{
		ref("appointment_id", "appointmentId", "The appointment, the next one when it is moved; its payment opened the room.").Editable().Field(),
		ref("patient_id", "patientId", "The patient of the appointment.").Field(),
		ref("practitioner_id", "practitionerId", "The practitioner of the appointment.").Field(),
		field.Enum("status").Values("ACTIVE", "INACTIVE", "SUSPENDED", "ARCHIVED").Comment("Whether the room can be written in.").
			Annotations(Values{
				"ACTIVE": "Both may write.", "INACTIVE": "The appointment is over or cancelled: it can be read, not written in.",
				"SUSPENDED": "The practitioner or an administrator has stopped it.", "ARCHIVED": "It was put away 30 days after it became inactive.",
			}),
		at("status_since", "Since when the room has this status; null when that is not known.").Optional().NoFilter().Field(),
		at("deleted_at", "When an administrator took the room away; nobody sees it from then on.").Optional().Hidden().Field(),
	}
}

// Edges of the ChatRoom.
func (ChatRoom) Edges() []ent.Edge {
	return []ent.Edge{
		to("appointment", Appointment.Type, "appointment_id", "The appointment.", false, true),
		to("patient", Patient.Type, "patient_id", "The patient of the appointment.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "The practitioner of the appointment.", false, false),
	}
}

// Indexes of the ChatRoom.
func (ChatRoom) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("appointment_id").Unique(), // one room per appointment, however often its payment is told
		index.Fields("patient_id"), index.Fields("practitioner_id"),
		index.Fields("status", "status_since"), // those that are due for the archive
		// Every read of a message leaves out the few rooms that were taken away.
		index.Fields("deleted_at").StorageKey("chat_rooms_deleted").Annotations(entsql.IndexWhere("deleted_at IS NOT NULL")),
	}
}
