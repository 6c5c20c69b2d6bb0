package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IdempotencyKey remembers the result of a retryable mutation.
type IdempotencyKey struct{ ent.Schema }

// Mixin of the IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the IdempotencyKey.
func (IdempotencyKey) Annotations() []schema.Annotation {
	return internal("The key of a retryable mutation with the hash of its input and the ids of its result.")
}

// Fields of the IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope").Immutable().MaxLen(120).Comment("Actor and mutation."),
		field.String("key").Immutable().MaxLen(200).Comment("The client's key."),
		field.String("input_hash").Immutable().MaxLen(64).Comment("SHA-256 of the input."),
		field.Strings("result_ids").Optional().Comment("Ids of the nodes of the result; a replay reads them again through the policy."),
		at("expires_at", "When the key may be used anew.").Immutable().Field(),
	}
}

// Indexes of the IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope", "key").Unique(), index.Fields("expires_at")}
}
