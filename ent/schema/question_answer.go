package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// QuestionAnswer is what a patient answered before a visit.
type QuestionAnswer struct{ ent.Schema }

// Mixin of the QuestionAnswer.
func (QuestionAnswer) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the QuestionAnswer.
func (QuestionAnswer) Annotations() []schema.Annotation {
	return node("What a patient answered to a question before a visit, for the patient and the practitioner.")
}

// Fields of the QuestionAnswer.
func (QuestionAnswer) Fields() []ent.Field {
	return []ent.Field{
		ref("appointment_id", "appointmentId", "The visit.").Field(),
		ref("patient_id", "patientId", "Who visits.").Field(),
		ref("practitioner_id", "practitionerId", "Who is visited.").Field(),
		ref("question_id", "questionId", "The question.").Field(),
		field.String("prompt").MaxLen(2000).Comment("The question as it was put when it was answered."),
		field.String("text").MaxLen(8000).Optional().Comment("The answer to a TEXT question, at most 2,000 characters."),
		field.Strings("choices").Comment("What was chosen, in the order of the question; empty for TEXT."),
	}
}

// Edges of the QuestionAnswer.
func (QuestionAnswer) Edges() []ent.Edge {
	return []ent.Edge{
		to("appointment", Appointment.Type, "appointment_id", "The visit.", false, false),
		to("patient", Patient.Type, "patient_id", "Who visits.", false, false),
		to("practitioner", Practitioner.Type, "practitioner_id", "Who is visited.", false, false),
		to("question", Question.Type, "question_id", "The question.", false, false),
	}
}

// Indexes of the QuestionAnswer.
func (QuestionAnswer) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("appointment_id", "question_id").Unique(), // one answer to each question
		index.Fields("question_id"), index.Fields("patient_id"), index.Fields("practitioner_id"),
	}
}
