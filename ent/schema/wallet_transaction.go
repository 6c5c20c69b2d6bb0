package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// WalletTransaction is a row of the ledger: immutable, dense within its wallet and chained by hashes.
type WalletTransaction struct{ ent.Schema }

// Mixin of the WalletTransaction.
func (WalletTransaction) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the WalletTransaction.
func (WalletTransaction) Annotations() []schema.Annotation {
	return node("An amount that a wallet was credited (above zero) or debited (below zero). It is never changed or removed: a correction is another one.")
}

// Fields of the WalletTransaction.
func (WalletTransaction) Fields() []ent.Field {
	noFilter := entgql.Skip(entgql.SkipWhereInput)
	return []ent.Field{
		ref("wallet_id", "walletId", "The wallet.").Field(),
		ref("patient_id", "patientId", "Whose wallet it is.").Field(),
		field.Int64("position").Immutable().Positive().Comment("Position in the wallet: 1, 2, 3 without holes.").Annotations(entgql.OrderField("POSITION"), noFilter),
		field.Enum("kind").Values("TOP_UP", "ADMISSION_FEE", "DAILY_ADMISSION_CHARGE", "ADMISSION_CHARGE", "REFUND", "ADJUSTMENT", "REVERSAL").Immutable().
			Comment("What it is for.").
			Annotations(Values{
				"TOP_UP": "Money paid in.", "ADMISSION_FEE": "Fee of an admission.", "DAILY_ADMISSION_CHARGE": "A day in a bed.",
				"ADMISSION_CHARGE": "Another charge of an admission.", "REFUND": "Money paid back to the patient.", "ADJUSTMENT": "A correction with a reason.",
				"REVERSAL": "The opposite of another transaction.",
			}),
		minor("amount_minor", "Amount in minor units, signed."),
		minor("balance_after_minor", "Balance after it in minor units."),
		field.String("currency").MaxLen(3).Immutable().Comment("ISO 4217 code of the amount.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("counter_account").Values("CASH", "CARD", "WARD_REVENUE", "ADMISSION_REVENUE", "ADJUSTMENTS").Immutable().
			Comment("The account of the hospital on the other side.").
			Annotations(Values{
				"CASH": "Cash desk.", "CARD": "Card payments.", "WARD_REVENUE": "Revenue of daily charges.", "ADMISSION_REVENUE": "Revenue of fees and other charges.",
				"ADJUSTMENTS": "Corrections.",
			}),
		ref("admission_id", "admissionId", "The admission it belongs to; null when it belongs to none.").Optional().Field(),
		field.Other("charge_date", dateType).SchemaType(dateColumn).Optional().Nillable().Immutable().
			Comment("The date that it charges, in the practice's zone; null for what is not daily.").Annotations(entgql.Type("Date"), noFilter),
		field.Int("charge_sequence").Optional().Nillable().Immutable().NonNegative().
			Comment("0 for the first charge of an admission's date; one more for each that followed a reversal.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("reference").MaxLen(100).Immutable().Comment("Reference for people, unique in the ledger.").Annotations(noFilter),
		field.String("description").MaxLen(2000).Immutable().Comment("What it is for, in words.").Annotations(noFilter),
		ref("reverses_id", "reversesId", "The transaction that this one reverses; null for all others.").Optional().Field(),
		ref("actor_id", "actorId", "The user who posted it; null when a job did.").Optional().Field(),
		field.String("actor").MaxLen(100).Immutable().Comment("Who posted it: user, or the name of the job.").Annotations(noFilter),
		field.String("hash").MaxLen(64).Immutable().Comment("SHA-256 over the hash of the transaction before it and this one's content, in hexadecimal digits.").Annotations(noFilter),
	}
}

// Edges of the WalletTransaction.
func (WalletTransaction) Edges() []ent.Edge {
	return []ent.Edge{
		to("wallet", Wallet.Type, "wallet_id", "The wallet; null when the viewer may not see it.", false, false),
		to("admission", Admission.Type, "admission_id", "The admission it belongs to; null when there is none or the viewer may not see it.", true, false),
		// Of two ends, although one is enough: an edge from an entity to itself without its other end would be taken for one of both directions.
		edge.To("reversals", WalletTransaction.Type).Comment("The transaction that reverses this one, if any.").
			Annotations(entsql.OnDelete(entsql.Restrict), entgql.Skip(entgql.SkipAll)).
			From("reverses").Unique().Immutable().Field("reverses_id").Comment("The transaction that this one reverses.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Indexes of the WalletTransaction.
func (WalletTransaction) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("wallet_id", "position").Unique(), // dense
		index.Fields("reference").Unique(),
		index.Fields("admission_id", "charge_date", "charge_sequence").Unique().StorageKey("wallet_transactions_charge"). // a date is charged once
																	Annotations(entsql.IndexWhere("kind = 'DAILY_ADMISSION_CHARGE'")),
		index.Fields("reverses_id").Unique(), // reversed once; nulls do not collide
		index.Fields("admission_id"),
		index.Fields("patient_id", "created_at"), // statements
	}
}
