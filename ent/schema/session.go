package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Session is one sign-in of a user; its row, not the token, decides whether the user is signed in.
type Session struct{ ent.Schema }

// Mixin of the Session.
func (Session) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Session.
func (Session) Annotations() []schema.Annotation {
	return filtered("One sign-in of a user on one device, from its start to its end.")
}

// Fields of the Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "userId", "The user who signed in.").Field(),
		at("last_activity_at", "When the user last did something.").OrderBy("LAST_ACTIVITY_AT").NoFilter().Field(),
		at("expires_at", "When the session ends unless the user does something before.").Field(),
		at("ends_at", "When the session ends whatever the user does.").Immutable().NoFilter().Field(),
		at("ended_at", "When the session ended; null while its end has not been recorded.").Optional().Field(),
		field.Enum("end_reason").Values("LOGOUT", "IDLE", "ABSOLUTE", "REVOKED", "SUSPICIOUS", "PASSWORD_CHANGED").Optional().Nillable().
			Comment("Why the session ended; null while it has not.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), Values{
				"LOGOUT": "The user signed out.", "IDLE": "Nothing was done for the length of the timeout.",
				"ABSOLUTE": "The longest life of a session was reached.", "REVOKED": "The user or an administrator ended it.",
				"SUSPICIOUS": "It was ended because its use looked like an attack.", "PASSWORD_CHANGED": "The password was changed on another session, or reset.",
			}),
		field.String("ip").MaxLen(45).Immutable().Comment("Network address from which the user signed in.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.String("user_agent").MaxLen(512).Immutable().Comment("Program with which the user signed in, as it names itself.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Bool("is_suspicious").Default(false).Comment("True when the session's use looked odd: another network or program in mid-session, or a flood of requests."),
	}
}

// Edges of the Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{to("user", User.Type, "user_id", "The user who signed in.", false, false)}
}

// Indexes of the Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "ended_at"),    // sessions of a user
		index.Fields("ended_at", "expires_at"), // the hourly cleanup
	}
}
