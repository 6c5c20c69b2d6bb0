package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Question is one question of the practice's questionnaire.
type Question struct{ ent.Schema }

// Mixin of the Question.
func (Question) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the Question.
func (Question) Annotations() []schema.Annotation {
	return node("A question that patients answer before a visit.")
}

// Fields of the Question.
func (Question) Fields() []ent.Field {
	return []ent.Field{
		field.String("prompt").MaxLen(2000).Comment("The question as patients read it, at most 500 characters."),
		field.Enum("kind").Values("TEXT", "RADIO", "CHECKBOX").Comment("How it is answered.").
			Annotations(Values{"TEXT": "In the patient's own words.", "RADIO": "By one of the choices.", "CHECKBOX": "By any number of the choices."}),
		field.Strings("choices").Comment("What can be chosen; empty for TEXT."),
		field.Bool("is_active").Default(true).Comment("True while patients are asked."),
		field.Int("position").Comment("Place in the questionnaire; the lowest comes first.").Annotations(entgql.OrderField("POSITION")),
	}
}

// Indexes of the Question.
func (Question) Indexes() []ent.Index { return []ent.Index{index.Fields("position")} }
