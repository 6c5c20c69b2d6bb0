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

// Patient is the record of somebody cared for, with or without an account.
type Patient struct{ ent.Schema }

// Mixin of the Patient.
func (Patient) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Patient.
func (Patient) Annotations() []schema.Annotation {
	return filtered("Somebody cared for: identity and contact data. The record stands with or without a user account.")
}

// Fields of the Patient.
func (Patient) Fields() []ent.Field {
	text := func(name, comment string, limit int) ent.Field {
		return field.String(name).MaxLen(limit).Optional().Comment(comment).Annotations(entgql.Skip(entgql.SkipWhereInput))
	}
	return []ent.Field{
		field.String("number").Unique().Immutable().MaxLen(20).Comment("Number of the record for people to read out, unique in the practice."),
		ref("user_id", "userId", "The account of the patient; null when there is none.").Optional().Editable().Field(),
		field.String("given_name").MaxLen(100).Comment("Given name.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.String("family_name").MaxLen(100).Comment("Family name.").Annotations(entgql.OrderField("FAMILY_NAME"), entgql.Skip(entgql.SkipWhereInput)),
		field.String("search_key").MaxLen(300).Comment("Folded names and number: what a search looks in.").Annotations(entgql.Skip(entgql.SkipAll)),
		date("birth_date", "Date of birth; null when it is not known.", true),
		field.Enum("gender").Values("FEMALE", "MALE", "OTHER", "UNKNOWN").Default("UNKNOWN").Comment("Administrative gender (FHIR R4).").
			Annotations(entgql.Skip(entgql.SkipWhereInput), Values{"FEMALE": "Female.", "MALE": "Male.", "OTHER": "Neither female nor male.", "UNKNOWN": "Not known or not stated."}),
		text("email", "E-mail address for letters to the patient.", 254),
		text("phone", "Telephone number in E.164 form.", 20),
		text("address_line", "Street and house number.", 200),
		text("suburb", "Suburb or town.", 100),
		text("state", "State or territory.", 50),
		text("postcode", "Postcode.", 10),
		field.String("medicare_number").MaxLen(10).Optional().Nillable().Comment("Medicare card number without its IRN, ten digits; a family shares it.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		text("medicare_irn", "Individual reference number on the Medicare card, one digit.", 1),
		text("medicare_expiry", "Month to whose last day the Medicare card is valid, as YYYY-MM.", 7),
		field.String("ihi").MaxLen(16).Optional().Nillable().Unique().Comment("Individual Healthcare Identifier, 16 digits.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Enum("type").Values("REGULAR", "NHIA", "PRIVATE", "INSURANCE").Default("REGULAR").Comment("How the patient is insured.").
			Annotations(Values{"REGULAR": "Pays without insurance.", "NHIA": "Member of the national scheme.", "PRIVATE": "Private patient.", "INSURANCE": "Insured with a fund."}),
		text("emergency_name", "Whom to call in an emergency.", 200),
		text("emergency_relationship", "What he or she is to the patient.", 100),
		text("emergency_phone", "Telephone number for emergencies in E.164 form.", 20),
		field.String("time_zone").MaxLen(64).Comment("IANA time zone in which the patient reads times.").Annotations(entgql.Type("TimeZone"), entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Edges of the Patient.
func (Patient) Edges() []ent.Edge {
	return []ent.Edge{
		to("user", User.Type, "user_id", "The account of the patient.", true, true),
		edge.From("appointments", Appointment.Type).Ref("patient").Comment("Visits booked for the patient.").Annotations(entgql.RelayConnection()),
		edge.To("health", PatientHealth.Type).Unique().Comment("Allergies; null when none were noted or the viewer may not see them.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.Restrict)),
		edge.To("wallet", Wallet.Type).Unique().Comment("Account with the hospital; null when there is none yet or the viewer may not see it.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.Restrict)),
		edge.From("nhia_memberships", NhiaMembership.Type).Ref("patient").Comment("Times of membership in the national scheme.").Annotations(entgql.RelayConnection()),
		edge.From("admissions", Admission.Type).Ref("patient").Comment("Times in hospital.").Annotations(entgql.RelayConnection()),
	}
}

// Indexes of the Patient.
func (Patient) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id").Unique(),                         // one record per account
		index.Fields("medicare_number", "medicare_irn").Unique(), // the number alone is shared by a family; nulls do not collide
		index.Fields("family_name"),                              // the order of lists
		index.Fields("created_at"),
	}
}
