package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Notification is a notice in the app for one user.
type Notification struct{ ent.Schema }

// Mixin of the Notification.
func (Notification) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the Notification.
func (Notification) Annotations() []schema.Annotation { return node("A notice for one user.") }

// Fields of the Notification.
func (Notification) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id", "userId", "For whom it is.").Field(),
		field.String("kind").Immutable().MaxLen(40).Comment("What it tells, for clients to act on: APPOINTMENT_CONFIRMED and the like."),
		field.UUID("subject_id", uuid.UUID{}).Immutable().Comment("The node it is about.").Annotations(entgql.MapsTo("subjectId"), entgql.Type("ID")),
		field.String("occurrence").Immutable().MaxLen(60).Comment("Tells notices of one kind about one node apart.").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("title").Immutable().MaxLen(200).Comment("Title for people; fit for a lock screen, without medical content."),
		field.String("text").Immutable().MaxLen(2000).Comment("Text for people, without medical content."),
		at("read_at", "When the user read it; null until then.").Optional().Field(),
		at("withdrawn_at", "When it became moot.").Optional().Hidden().Field(),
	}
}

// Edges of the Notification.
func (Notification) Edges() []ent.Edge {
	return []ent.Edge{to("user", User.Type, "user_id", "For whom it is.", false, false)}
}

// Indexes of the Notification.
func (Notification) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("kind", "subject_id", "occurrence", "user_id").Unique(), // at most once
		index.Fields("user_id", "created_at"),
	}
}
