package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SecondFactor is the one-time-code generator of a user.
type SecondFactor struct{ ent.Schema }

// Mixin of the SecondFactor.
func (SecondFactor) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the SecondFactor.
func (SecondFactor) Annotations() []schema.Annotation {
	return internal("The generator of one-time codes of a user: pending until a first code has confirmed it.")
}

// Fields of the SecondFactor.
func (SecondFactor) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "", "Whose factor it is.").Field(),
		field.String("sealed").Immutable().Sensitive().MaxLen(200).Comment("The secret, encrypted by the key that key_id names, in base64."),
		field.String("key_id").Immutable().MaxLen(16).Comment("Which key of the configuration encrypted the secret."),
		field.Int64("last_counter").Default(0).Comment("Time step of the newest code that was used: it and older ones are worthless."),
		at("confirmed_at", "When a first code confirmed the factor; null until then.").Optional().Field(),
	}
}

// Edges of the SecondFactor.
func (SecondFactor) Edges() []ent.Edge {
	return []ent.Edge{to("user", User.Type, "user_id", "Whose factor it is.", false, false)}
}

// Indexes of the SecondFactor.
func (SecondFactor) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id").Unique()} // one per user
}
