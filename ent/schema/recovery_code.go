package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RecoveryCode stands in for a one-time code, once.
type RecoveryCode struct{ ent.Schema }

// Mixin of the RecoveryCode.
func (RecoveryCode) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the RecoveryCode.
func (RecoveryCode) Annotations() []schema.Annotation {
	return internal("A code that stands in for a one-time code, once, when the generator is lost.")
}

// Fields of the RecoveryCode.
func (RecoveryCode) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "", "Whose code it is.").Field(),
		field.String("code_hash").Immutable().Sensitive().MaxLen(64).Comment("SHA-256 of the code, which has 80 random bits."),
		at("used_at", "When it was used; null until then.").Optional().Field(),
	}
}

// Edges of the RecoveryCode.
func (RecoveryCode) Edges() []ent.Edge {
	return []ent.Edge{to("user", User.Type, "user_id", "Whose code it is.", false, false)}
}

// Indexes of the RecoveryCode.
func (RecoveryCode) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "code_hash").Unique()} // how a code is looked up
}
