package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Wallet is a patient's account with the hospital. Its id follows from the patient's, so that there is one at most.
type Wallet struct{ ent.Schema }

// Mixin of the Wallet.
func (Wallet) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Wallet.
func (Wallet) Annotations() []schema.Annotation {
	return node("A patient's account with the hospital. The balance may be below zero: care is never interrupted.")
}

// Fields of the Wallet.
func (Wallet) Fields() []ent.Field {
	return []ent.Field{
		ref("patient_id", "patientId", "Whose wallet it is.").Field(),
		field.String("currency").MaxLen(3).Immutable().Comment("ISO 4217 code of all amounts.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("balance_minor").Default(0).Comment("Sum of the transactions' amounts in minor units.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("position").Default(0).NonNegative().Comment("Position of the newest transaction; 0 when there is none.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("hash").MaxLen(64).Default("").Comment("Hash of the newest transaction; empty when there is none.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("alert_level").Values("NONE", "LOW", "OVERDRAWN").Default("NONE").Comment("What the watch over low balances found last.").
			Annotations(entgql.Skip(entgql.SkipAll), Values{"NONE": "Enough.", "LOW": "Below the threshold.", "OVERDRAWN": "Below zero."}),
		at("low_told_at", "When it was last told that the balance is low.").Optional().Hidden().Field(),
		at("overdrawn_told_at", "When it was last told that the balance is below zero.").Optional().Hidden().Field(),
	}
}

// Edges of the Wallet.
func (Wallet) Edges() []ent.Edge {
	return []ent.Edge{
		oneOf("patient", Patient.Type, "wallet", "patient_id", "Whose wallet it is; null when the viewer may not see the record."),
		edge.From("transactions", WalletTransaction.Type).Ref("wallet").Comment("What was posted, as positions ascend.").Annotations(entgql.RelayConnection()),
	}
}
