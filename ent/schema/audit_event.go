package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// AuditEvent is one write, or one opening of a patient's record.
type AuditEvent struct{ ent.Schema }

// Mixin of the AuditEvent.
func (AuditEvent) Mixin() []ent.Mixin { return []ent.Mixin{Base{}} }

// Annotations of the AuditEvent.
func (AuditEvent) Annotations() []schema.Annotation {
	return internal("Who did or read what, when and from where; never changed or deleted.")
}

// Fields of the AuditEvent.
func (AuditEvent) Fields() []ent.Field {
	text := func(name, comment string, limit int) ent.Field {
		return field.String(name).Immutable().Optional().MaxLen(limit).Comment(comment)
	}
	return []ent.Field{
		ref("actor_id", "", "The user; null for the system and for anonymous callers.").Optional().Field(),
		ref("session_id", "", "The session of the user.").Optional().Field(),
		ref("patient_id", "", "Whose record it touches; null when nobody's.").Optional().Field(),
		text("roles", "Roles the actor had.", 200),
		text("ip", "Network address of the caller.", 45),
		text("user_agent", "Program of the caller, as it names itself.", 512),
		text("request_id", "Id of the request.", 64),
		field.Enum("action").Values("CREATE", "UPDATE", "DELETE", "READ", "DENIED").Immutable().Comment("What was done."),
		field.String("entity").Immutable().MaxLen(60).Comment("Entity, or operation for denied attempts."),
		field.UUID("entity_id", uuid.UUID{}).Immutable().Optional().Nillable().Comment("The record; null for reads of many."),
		field.JSON("changes", []Change{}).Immutable().Optional().Comment("Fields with old and new value; secrets and medical texts as hashes."),
		field.String("cause").Immutable().MaxLen(120).Comment("Operation, job or webhook behind it."),
	}
}

// Indexes of the AuditEvent.
func (AuditEvent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("actor_id", "created_at"), index.Fields("session_id"), index.Fields("patient_id", "created_at"),
		index.Fields("entity", "entity_id"), index.Fields("created_at"),
	}
}

// Change is one changed field of an AuditEvent.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}
