package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// EmailToken is a single-use token that was mailed.
type EmailToken struct{ ent.Schema }

// Mixin of the EmailToken.
func (EmailToken) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the EmailToken.
func (EmailToken) Annotations() []schema.Annotation {
	return internal("A single-use token that was mailed to prove that its holder reads an address.")
}

// Fields of the EmailToken.
func (EmailToken) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "", "Whose address it proves.").Field(),
		field.Enum("purpose").Values("VERIFY_EMAIL", "RESET_PASSWORD").Immutable().Comment("What it is good for."),
		field.String("token_hash").Immutable().Sensitive().Unique().MaxLen(64).Comment("SHA-256 of the token."),
		at("expires_at", "When it becomes worthless.").Immutable().Field(),
		at("used_at", "When it was used; null until then.").Optional().Field(),
	}
}

// Edges of the EmailToken.
func (EmailToken) Edges() []ent.Edge {
	return []ent.Edge{to("user", User.Type, "user_id", "Whose address it proves.", false, false)}
}

// Indexes of the EmailToken.
func (EmailToken) Indexes() []ent.Index { return []ent.Index{index.Fields("user_id")} }
