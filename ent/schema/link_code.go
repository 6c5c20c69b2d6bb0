package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LinkCode joins a patient's record to an account.
type LinkCode struct{ ent.Schema }

// Mixin of the LinkCode.
func (LinkCode) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the LinkCode.
func (LinkCode) Annotations() []schema.Annotation {
	return internal("A single-use code that was mailed to the address of a patient's record: who enters it joins the record to the own account.")
}

// Fields of the LinkCode.
func (LinkCode) Fields() []ent.Field {
	return []ent.Field{
		ref("patient_id", "", "The record.").Field(),
		field.String("address").Immutable().MaxLen(254).Comment("Folded address it was mailed to: worthless once the record has another."),
		field.String("code_hash").Immutable().Sensitive().Unique().MaxLen(64).Comment("SHA-256 of the code, which has 80 random bits."),
		at("expires_at", "When it becomes worthless.").Immutable().Field(),
		at("used_at", "When it was used; null until then.").Optional().Field(),
	}
}

// Edges of the LinkCode.
func (LinkCode) Edges() []ent.Edge {
	return []ent.Edge{to("patient", Patient.Type, "patient_id", "The record.", false, false)}
}

// Indexes of the LinkCode.
func (LinkCode) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("patient_id"), index.Fields("address", "created_at"), // the limit per address
		index.Fields("expires_at"), // the cleanup
	}
}
