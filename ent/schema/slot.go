package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Slot is a time at which a practitioner can be visited.
type Slot struct{ ent.Schema }

// Mixin of the Slot.
func (Slot) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Slot.
func (Slot) Annotations() []schema.Annotation {
	return filtered("A time at which a practitioner can be visited, [startsAt, endsAt). Slots of one practitioner never overlap.")
}

// Fields of the Slot.
func (Slot) Fields() []ent.Field {
	return []ent.Field{
		ref("practitioner_id", "practitionerId", "Who can be visited.").Field(),
		at("starts_at", "First instant of the slot.").OrderBy("STARTS_AT").Field(),
		at("ends_at", "First instant after the slot.").Field(),
		field.Enum("type").Values("SHORT", "LONG", "EXTENDED").Comment("Length class of the slot.").
			Annotations(Values{"SHORT": "15 minutes.", "LONG": "30 minutes.", "EXTENDED": "45, 60 or 90 minutes, with a clinician."}),
		field.Int("duration_minutes").Comment("Length in minutes.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.String("time_zone").MaxLen(64).Comment("IANA time zone of the wall-clock rule behind the slot.").Annotations(entgql.Type("TimeZone"), entgql.Skip(entgql.SkipWhereInput)),
		date("local_date", "Date on which the slot starts in its zone.", false),
		field.Enum("status").Values("OPEN", "BLOCKED", "REMOVED").Default("OPEN").Comment("Whether the slot can be booked at all.").
			Annotations(Values{
				"OPEN": "It can be booked while no appointment holds it.", "BLOCKED": "The practitioner is not to be had then; the time stays taken.",
				"REMOVED": "It is gone from the calendar, and kept for the appointments that it had.",
			}),
	}
}

// Edges of the Slot.
func (Slot) Edges() []ent.Edge {
	return []ent.Edge{to("practitioner", Practitioner.Type, "practitioner_id", "Who can be visited.", false, false)}
}

// Indexes of the Slot.
func (Slot) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("practitioner_id", "starts_at"), // the calendar of a practitioner; the overlap trigger reads it
		index.Fields("starts_at"),                    // the order of lists
		index.Fields("created_at"),
	}
}
