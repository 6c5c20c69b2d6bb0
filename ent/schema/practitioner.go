package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Practitioner is the public face of somebody who treats patients; private numbers are in PractitionerCredential.
type Practitioner struct{ ent.Schema }

// Mixin of the Practitioner.
func (Practitioner) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Practitioner.
func (Practitioner) Annotations() []schema.Annotation {
	return filtered("A doctor or clinician as the directory shows them.")
}

// Fields of the Practitioner.
func (Practitioner) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "userId", "The account of the practitioner.").Field(),
		field.String("name").MaxLen(220).Comment("Name with title, as patients read it.").Annotations(entgql.OrderField("NAME")),
		field.Enum("kind").Values("DOCTOR", "CLINICIAN").Comment("Doctors prescribe; clinicians hold therapy sessions.").
			Annotations(Values{"DOCTOR": "A medical practitioner.", "CLINICIAN": "A therapist."}),
		field.String("specialty").MaxLen(100).Optional().Comment("Field of work.").Annotations(entgql.OrderField("SPECIALTY")),
		field.String("qualification").MaxLen(200).Optional().Comment("Degrees and fellowships.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.String("time_zone").MaxLen(64).Comment("IANA time zone in which the practitioner works.").Annotations(entgql.Type("TimeZone"), entgql.Skip(entgql.SkipWhereInput)),
		field.Bool("is_active").Default(true).Comment("False when the practitioner no longer works here."),
	}
}

// Edges of the Practitioner.
func (Practitioner) Edges() []ent.Edge {
	return []ent.Edge{
		to("user", User.Type, "user_id", "The account of the practitioner.", false, false),
		edge.From("slots", Slot.Type).Ref("practitioner").Comment("Times offered by the practitioner.").Annotations(entgql.RelayConnection()),
		edge.To("credentials", PractitionerCredential.Type).Unique().
			Comment("Registration and provider numbers; null unless they are the viewer's own or the viewer is an administrator.").
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Indexes of the Practitioner.
func (Practitioner) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id").Unique(), index.Fields("name"), index.Fields("created_at")}
}
