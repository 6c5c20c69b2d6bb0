package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Refund is money on its way back.
type Refund struct{ ent.Schema }

// Mixin of the Refund.
func (Refund) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Refund.
func (Refund) Annotations() []schema.Annotation {
	return node("Money of an order on its way back to the patient.")
}

// Fields of the Refund.
func (Refund) Fields() []ent.Field {
	return []ent.Field{
		ref("order_id", "orderId", "The order that is paid back.").Field(),
		ref("patient_id", "patientId", "Who gets it.").Field(),
		minor("amount_minor", "Amount in minor units."),
		field.String("currency").MaxLen(3).Immutable().Comment("ISO 4217 code of the amount.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("status").Values("PROCESSING", "SUCCEEDED", "FAILED").Comment("Where the refund stands.").
			Annotations(Values{"PROCESSING": "On its way: asked of the provider, or for a person to pay back.", "SUCCEEDED": "The provider has paid it back.", "FAILED": "Given up after several tries; somebody must look."}),
		field.String("reason").MaxLen(800).Immutable().Comment("Why it is paid back."),
		field.String("provider_ref").MaxLen(255).Optional().Comment("The provider's id of the refund, or the reference of a receipt."),
		field.Int("attempts").Default(0).Comment("How often the provider was asked."),
		at("finished_at", "When it was paid back or given up; null until then.").Optional().Field(),
		at("next_attempt_at", "When the provider is asked next; null when it will not be.").Optional().Field(),
	}
}

// Edges of the Refund.
func (Refund) Edges() []ent.Edge {
	return []ent.Edge{
		to("order", Order.Type, "order_id", "The order that is paid back.", false, false),
		to("patient", Patient.Type, "patient_id", "Who gets it.", false, false),
	}
}

// Indexes of the Refund.
func (Refund) Indexes() []ent.Index {
	return []ent.Index{index.Fields("order_id"), index.Fields("patient_id"), index.Fields("status", "next_attempt_at")}
}
