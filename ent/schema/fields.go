package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/civil"
)

// Values documents the members of an enum field in the API; generation fails when one has no text.
type Values map[string]string

// Name implements schema.Annotation.
func (Values) Name() string { return "CaregraphValues" }

// Base gives every entity its id and the instant of its creation. Both are stamped by a hook from the injected clock.
type Base struct{ mixin.Schema }

// Fields of the Base mixin.
func (Base) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Annotations(entgql.OrderField("ID")).
			Comment("Time-ordered id, unique among all nodes and opaque to clients."),
		field.Time("created_at").Immutable().Comment("When the record was created.").
			Annotations(entgql.Type("DateTime"), entgql.OrderField("CREATED_AT"), entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Versioned is for nodes that clients edit: an update can name the version it was made from.
type Versioned struct{ mixin.Schema }

// Fields of the Versioned mixin.
func (Versioned) Fields() []ent.Field {
	return []ent.Field{
		field.Int("version").Default(1).Annotations(entgql.Skip(entgql.SkipWhereInput)).
			Comment("Rises by one with every change; send it back as expectedVersion to change only what you have seen."),
		field.Time("updated_at").Annotations(entgql.Type("DateTime"), entgql.Skip(entgql.SkipWhereInput)).
			Comment("When the record was last changed."),
	}
}

// internal marks an entity that never shows in the API.
func internal(text string) []schema.Annotation {
	return []schema.Annotation{schema.Comment(text), entgql.Skip(entgql.SkipAll)}
}

// node marks an entity of the API that is listed by a Relay connection.
func node(text string) []schema.Annotation {
	return []schema.Annotation{
		schema.Comment(text),
		entgql.RelayConnection(), entgql.MultiOrder(), entgql.Skip(entgql.SkipWhereInput | entgql.SkipMutationCreateInput | entgql.SkipMutationUpdateInput),
	}
}

// filtered marks an entity of the API that is listed by a Relay connection with a where input.
func filtered(text string) []schema.Annotation {
	return []schema.Annotation{
		schema.Comment(text),
		entgql.RelayConnection(), entgql.MultiOrder(), entgql.Skip(entgql.SkipMutationCreateInput | entgql.SkipMutationUpdateInput),
	}
}

// at is an instant (UTC, microseconds) in the API.
func at(name, text string) *timeField { return &timeField{name: name, text: text} }

type timeField struct {
	name, text          string
	optional, immutable bool
	annotations         []schema.Annotation
}

func (f *timeField) Optional() *timeField  { f.optional = true; return f }
func (f *timeField) Immutable() *timeField { f.immutable = true; return f }
func (f *timeField) OrderBy(name string) *timeField {
	f.annotations = append(f.annotations, entgql.OrderField(name))
	return f
}

// Hidden keeps the instant out of the API.
func (f *timeField) Hidden() *timeField {
	f.annotations = append(f.annotations, entgql.Skip(entgql.SkipAll))
	return f
}

func (f *timeField) NoFilter() *timeField {
	f.annotations = append(f.annotations, entgql.Skip(entgql.SkipWhereInput))
	return f
}

func (f *timeField) Field() ent.Field {
	b := field.Time(f.name).Comment(f.text).Annotations(append(f.annotations, entgql.Type("DateTime"))...)
	if f.optional {
		b = b.Optional().Nillable()
	}
	if f.immutable {
		b = b.Immutable()
	}
	return b
}

// dateColumn is how both engines keep a civil date.
var (
	dateType   = civil.Date{}
	dateColumn = map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}
)

// date is a civil date: a day in a zone that the record tells, not an instant.
func date(name, text string, optional bool) ent.Field {
	b := field.Other(name, dateType).SchemaType(dateColumn).
		Comment(text).Annotations(entgql.Type("Date"), entgql.Skip(entgql.SkipWhereInput))
	if optional {
		b = b.Optional().Nillable()
	}
	return b
}

// ref is the foreign key of an edge, shown in the API as an ID named like the edge ("patientId").
func ref(name, graphql, text string) *refField { return &refField{name, graphql, text, false, false} }

type refField struct {
	name, graphql, text string
	optional, editable  bool
}

// Optional makes the key nullable.
func (r *refField) Optional() *refField { r.optional = true; return r }

// Editable lets the key change after creation.
func (r *refField) Editable() *refField { r.editable = true; return r }

func (r *refField) Field() ent.Field {
	b := field.UUID(r.name, uuid.UUID{}).Comment(r.text)
	if r.graphql == "" {
		b = b.Annotations(entgql.Skip(entgql.SkipAll))
	} else {
		b = b.Annotations(entgql.MapsTo(r.graphql), entgql.Type("ID"))
	}
	if r.optional {
		b = b.Optional().Nillable()
	}
	if !r.editable {
		b = b.Immutable()
	}
	return b
}

// to is the to-one edge behind a ref. Deleting the other side while this row stands is refused.
func to(name string, target any, key, text string, optional, editable bool) ent.Edge {
	b := edge.To(name, target).Unique().Field(key).Comment(text).
		Annotations(entsql.OnDelete(entsql.Restrict), entgql.Skip(entgql.SkipWhereInput))
	if !optional {
		b = b.Required()
	}
	if !editable {
		b = b.Immutable()
	}
	return b
}

// oneOf is the to-one edge of a row that its parent has at most one of; inverse is the parent's edge.
func oneOf(name string, target any, inverse, key, text string) ent.Edge {
	return edge.From(name, target).Ref(inverse).Unique().Required().Immutable().Field(key).Comment(text).
		Annotations(entgql.Skip(entgql.SkipWhereInput))
}

// minor is a fixed amount of money in minor units of the practice's currency (or the row's own); the API shows it as Money.
func minor(name, text string) ent.Field {
	return field.Int64(name).Immutable().Comment(text).Annotations(entgql.Skip(entgql.SkipAll))
}

// secret is a text that never leaves the server.
func secret(name, text string) ent.Field {
	return field.String(name).Sensitive().Comment(text).Annotations(entgql.Skip(entgql.SkipAll))
}

// hidden keeps an edge out of the API.
func hidden(e ent.Edge) ent.Edge {
	d := e.Descriptor()
	d.Annotations = append(d.Annotations, entgql.Skip(entgql.SkipAll))
	return e
}
