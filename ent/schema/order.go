package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Order is a payment asked for an appointment.
type Order struct{ ent.Schema }

// Mixin of the Order.
func (Order) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Order.
func (Order) Annotations() []schema.Annotation {
	return filtered("A payment asked for one appointment.")
}

// Fields of the Order.
func (Order) Fields() []ent.Field {
	return []ent.Field{
		ref("appointment_id", "appointmentId", "The visit that is paid; the next one when it is moved.").Editable().Field(),
		ref("patient_id", "patientId", "Who pays.").Field(),
		minor("amount_minor", "Amount asked, in minor units."),
		field.String("currency").MaxLen(3).Immutable().Comment("ISO 4217 code of the amounts.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("status").Values("PENDING", "PAID", "COMPLETED", "REFUNDED", "FAILED", "EXPIRED").Comment("Where the payment stands.").
			Annotations(Values{
				"PENDING": "Waiting for the payment.", "PAID": "The money was taken.", "COMPLETED": "Paid, and the visit is over.",
				"REFUNDED": "Paid back in full.", "FAILED": "The payment was declined; a new order may be made.", "EXPIRED": "Not paid in time.",
			}),
		field.String("provider").MaxLen(20).Immutable().Comment("Payment provider: sandbox or stripe."),
		field.String("provider_ref").MaxLen(255).Optional().Nillable().Unique().Comment("The provider's id of the checkout.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Enum("method").Values("ONLINE", "CASH", "TERMINAL").Optional().Nillable().Comment("How it was paid; null until then.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), Values{
				"ONLINE": "On the payment provider's page.", "CASH": "In cash at the desk.", "TERMINAL": "By card at the desk.",
			}),
		field.String("payment_ref").MaxLen(255).Optional().Annotations(entgql.Skip(entgql.SkipWhereInput)).
			Comment("The provider's id of the payment, or the reference of the receipt of one taken at the desk."),
		field.String("checkout_url").MaxLen(2048).Optional().Comment("Page on which the patient pays.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		at("expires_at", "Until when it can be paid.").NoFilter().Field(),
		at("checkout_at", "When the page to pay on was opened; null until then.").Optional().NoFilter().Field(),
		at("failed_at", "When the payment was last declined; null when it was not.").Optional().NoFilter().Field(),
		at("expired_at", "When its page was closed or the time to pay was over; null when neither was.").Optional().NoFilter().Field(),
		at("paid_at", "When the money was taken; null until then.").Optional().NoFilter().Field(),
		at("completed_at", "When the order was completed; null until then.").Optional().NoFilter().Field(),
		field.Int64("refunded_minor").Default(0).Comment("Amount paid back, in minor units.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("fee_minor").Default(0).Comment("The provider's fee, in minor units.").Annotations(entgql.Skip(entgql.SkipAll)),
	}
}

// Edges of the Order.
func (Order) Edges() []ent.Edge {
	return []ent.Edge{
		to("appointment", Appointment.Type, "appointment_id", "The visit that is paid.", false, true),
		to("patient", Patient.Type, "patient_id", "Who pays.", false, false),
	}
}

// Indexes of the Order.
func (Order) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("appointment_id").Unique().StorageKey("orders_live_appointment"). // one live order per visit
												Annotations(entsql.IndexWhere("status IN ('PENDING', 'PAID', 'COMPLETED')")),
		index.Fields("appointment_id", "created_at"),
		index.Fields("patient_id", "created_at"),
		index.Fields("status", "created_at"),
		index.Fields("payment_ref"), // events that name the payment alone
		index.Fields("created_at"),
	}
}
