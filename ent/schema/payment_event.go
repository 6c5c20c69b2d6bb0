package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PaymentEvent is a webhook event of a payment provider: the claim that its effect happens once.
type PaymentEvent struct{ ent.Schema }

// Mixin of the PaymentEvent.
func (PaymentEvent) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the PaymentEvent.
func (PaymentEvent) Annotations() []schema.Annotation {
	return internal("A webhook event of a payment provider, written in one transaction with its effect.")
}

// Fields of the PaymentEvent.
func (PaymentEvent) Fields() []ent.Field {
	return []ent.Field{
		field.String("provider").Immutable().MaxLen(20).Comment("The provider."),
		field.String("event_id").Immutable().MaxLen(255).Comment("The provider's id of the event."),
		field.String("type").Immutable().MaxLen(100).Comment("The provider's type of the event."),
		ref("order_id", "", "The order it was about, when it was about one.").Optional().Field(),
		field.String("outcome").Immutable().MaxLen(100).Comment("What it changed."),
	}
}

// Indexes of the PaymentEvent.
func (PaymentEvent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("provider", "event_id").Unique(), index.Fields("order_id")}
}
