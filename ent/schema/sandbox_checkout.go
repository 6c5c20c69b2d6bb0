package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// SandboxCheckout is what the sandbox payment provider remembers of a checkout, as a real provider would on its side.
type SandboxCheckout struct{ ent.Schema }

// Mixin of the SandboxCheckout.
func (SandboxCheckout) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the SandboxCheckout.
func (SandboxCheckout) Annotations() []schema.Annotation {
	return internal("The sandbox payment provider's own record of a checkout.")
}

// Fields of the SandboxCheckout.
func (SandboxCheckout) Fields() []ent.Field {
	return []ent.Field{
		field.String("ref").Immutable().Unique().MaxLen(64).Comment("The checkout's unguessable id, as in its URL."),
		field.UUID("order_id", uuid.UUID{}).Immutable().Unique().Comment("The order, by which asking again finds the same checkout."),
		field.Int64("amount_minor").Immutable().Comment("Amount in minor units."),
		field.String("currency").Immutable().MaxLen(3).Comment("ISO 4217 code."),
		field.String("description").Immutable().MaxLen(200).Comment("What is paid, as the page shows it."),
		field.Enum("status").Values("OPEN", "PAID", "CANCELLED", "EXPIRED").Comment("Where the checkout stands."),
		field.Int64("refunded_minor").Default(0).Comment("Amount paid back."),
		at("expires_at", "Until when it can be paid.").Immutable().Field(),
	}
}

// Indexes of the SandboxCheckout.
func (SandboxCheckout) Indexes() []ent.Index { return []ent.Index{index.Fields("created_at")} }
