package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Delivery is a mail or text message of the outbox.
type Delivery struct{ ent.Schema }

// Mixin of the Delivery.
func (Delivery) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Delivery.
func (Delivery) Annotations() []schema.Annotation {
	return internal("A mail or text message of the outbox: written with the change that causes it, delivered after commit.")
}

// Fields of the Delivery.
func (Delivery) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "", "For whom it is; null when the address has no account.").Optional().Field(),
		field.String("kind").Immutable().MaxLen(40).Comment("What it tells."),
		field.UUID("subject_id", uuid.UUID{}).Immutable().Comment("The record it is about."),
		field.String("occurrence").Immutable().MaxLen(60).Comment("Tells messages of one kind about one record apart."),
		field.Enum("channel").Values("EMAIL", "SMS").Immutable().Comment("How it goes."),
		field.String("address").Immutable().MaxLen(254).Comment("Where it goes."),
		field.String("subject").Immutable().MaxLen(200).Comment("Subject line."),
		field.String("body").Sensitive().MaxLen(20000).Comment("Text; emptied once it has been sent."),
		field.Enum("status").Values("QUEUED", "SENT", "KEPT", "WITHDRAWN", "DEAD").Comment("Where it stands; KEPT when no mail server is configured."),
		field.Int("attempts").Default(0).Comment("Tries so far."),
		at("next_attempt_at", "When it is tried next.").Field(),
		at("leased_until", "Until when one worker has it.").Optional().Field(),
		at("sent_at", "When the server took it.").Optional().Field(),
		field.String("answer").MaxLen(300).Optional().Comment("Last answer of the server, for administrators."),
	}
}

// Indexes of the Delivery.
func (Delivery) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("kind", "subject_id", "occurrence", "channel", "address").Unique(), // at most once
		index.Fields("status", "next_attempt_at"),                                       // what is due
		index.Fields("user_id"),
		index.Fields("created_at"),
	}
}
