package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LoginAttempt is one try to sign in; the history stays.
type LoginAttempt struct{ ent.Schema }

// Mixin of the LoginAttempt.
func (LoginAttempt) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the LoginAttempt.
func (LoginAttempt) Annotations() []schema.Annotation {
	return internal("One try to sign in: when, from where, with which outcome.")
}

// Fields of the LoginAttempt.
func (LoginAttempt) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "", "The account, when there is one.").Optional().Field(),
		ref("session_id", "", "The session it opened, when it did.").Optional().Field(),
		field.String("email_hash").Immutable().MaxLen(64).Comment("SHA-256 of the folded address: mistyped addresses may be passwords."),
		field.String("ip").Immutable().MaxLen(45).Comment("Network address of the try."),
		field.String("user_agent").Immutable().MaxLen(512).Comment("Program of the try, as it names itself."),
		field.Enum("outcome").Values("SUCCESS", "WRONG_CREDENTIALS", "INACTIVE", "UNVERIFIED", "THROTTLED", "TOTP_REQUIRED", "WRONG_TOTP").Immutable().Comment("What became of it."),
		at("session_ended_at", "When the session ended that it opened; written before the session's row is deleted.").Optional().Field(),
		field.String("session_end_reason").MaxLen(20).Optional().Comment("Why that session ended."),
	}
}

// Indexes of the LoginAttempt.
func (LoginAttempt) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "created_at"), index.Fields("session_id"), index.Fields("created_at")}
}
