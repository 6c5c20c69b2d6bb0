package booking

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/question"
	"github.com/caregraph/caregraph/ent/questionanswer"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

// AnswerInput is the answer to one question.
type AnswerInput struct {
	// The question.
	QuestionID uuid.UUID
	// Answer to a TEXT question, 1 to 2,000 characters.
	Text *string
	// Exactly one for RADIO, any number for CHECKBOX.
	Choices []string
}

// AnswerQuestionnaireInput is the input of answerQuestionnaire.
type AnswerQuestionnaireInput struct {
	// The appointment.
	AppointmentID uuid.UUID
	// The answers; those given before to the same questions are replaced, others stay.
	Answers []*AnswerInput
}

// Answer stores the patient's answers before a visit, all or none. They can be replaced until the start; a repeated call changes nothing more. It returns all
// answers of the visit. Errors: NOT_FOUND, ILLEGAL_STATUS, FORBIDDEN, INVALID_INPUT for an answer that does not fit its question.
func (s *Service) Answer(ctx context.Context, in AnswerQuestionnaireInput) ([]*ent.QuestionAnswer, error) {
	by := access.From(ctx).UserID
	_, err := s.act(ctx, in.AppointmentID, ActAnswer, "answerQuestionnaire", func(ctx context.Context, a *ent.Appointment, _ Transition) error {
		changed, err := s.writeAnswers(ctx, a, in.Answers)
		if err != nil || !changed {
			return err
		}
		return s.tellUpdated(ctx, a, by)
	})
	if err != nil {
		return nil, err
	}
	return s.Answers(ctx, in.AppointmentID)
}

// Answers returns the answers of a visit in the order of the questions, to its patient and its practitioner; nothing to others.
func (s *Service) Answers(ctx context.Context, appointmentID uuid.UUID) ([]*ent.QuestionAnswer, error) {
	list, err := s.DB.Client.QuestionAnswer.Query().Where(questionanswer.AppointmentID(appointmentID)).WithQuestion().All(ctx)
	slices.SortFunc(list, func(a, b *ent.QuestionAnswer) int {
		if a.Edges.Question.Position != b.Edges.Question.Position {
			return a.Edges.Question.Position - b.Edges.Question.Position
		}
		return slices.Compare(a.QuestionID[:], b.QuestionID[:])
	})
	return list, err
}

// writeAnswers checks and stores answers, and tells whether one differs from what was stored. The caller holds the visit's lock.
func (s *Service) writeAnswers(ctx context.Context, a *ent.Appointment, answers []*AnswerInput) (changed bool, err error) {
	asked, err := s.questionsOf(ctx, answers)
	if err != nil {
		return false, err
	}
	present, err := s.DB.Client.QuestionAnswer.Query().Where(questionanswer.AppointmentID(a.ID)).All(ctx)
	if err != nil {
		return false, err
	}
	for _, given := range answers {
		q, words, choices := asked[given.QuestionID], text(given.Text), inOrder(asked[given.QuestionID], given.Choices)
		i := slices.IndexFunc(present, func(p *ent.QuestionAnswer) bool { return p.QuestionID == q.ID })
		switch {
		case i < 0:
			err = s.DB.Client.QuestionAnswer.Create().SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetPractitionerID(a.PractitionerID).
				SetQuestionID(q.ID).SetPrompt(q.Prompt).SetText(words).SetChoices(choices).Exec(ctx)
		case present[i].Text == words && slices.Equal(present[i].Choices, choices) && present[i].Prompt == q.Prompt:
			continue
		default:
			err = s.DB.Client.QuestionAnswer.UpdateOne(present[i]).SetPrompt(q.Prompt).SetText(words).SetChoices(choices).Exec(ctx)
		}
		if err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

// questionsOf returns the questions that are answered, if all are asked once and the answers fit. It reports all errors at once.
func (s *Service) questionsOf(ctx context.Context, answers []*AnswerInput) (map[uuid.UUID]*ent.Question, error) {
	if len(answers) == 0 || len(answers) > maxQuestions {
		return nil, fault.InvalidAt("Give 1 to 100 answers.", "answers")
	}
	ids := make([]uuid.UUID, len(answers))
	for i, given := range answers {
		ids[i] = given.QuestionID
	}
	list, err := s.DB.Client.Question.Query().Where(question.IDIn(ids...), question.IsActive(true)).All(ctx)
	if err != nil {
		return nil, err
	}
	asked := make(map[uuid.UUID]*ent.Question, len(list))
	for _, q := range list {
		asked[q.ID] = q
	}
	var problems []error
	seen := map[uuid.UUID]bool{}
	for i, given := range answers {
		q := asked[given.QuestionID]
		switch at := strconv.Itoa(i); {
		case q == nil:
			problems = append(problems, fault.InvalidAt("This question is not asked.", "answers", at, "questionId"))
		case seen[q.ID]:
			problems = append(problems, fault.InvalidAt("A question is answered once.", "answers", at, "questionId"))
		default:
			problems = append(problems, checkAnswer(q, given, at))
		}
		seen[given.QuestionID] = true
	}
	return asked, errors.Join(problems...)
}

// checkAnswer refuses an answer that does not fit the question's kind and choices.
func checkAnswer(q *ent.Question, given *AnswerInput, at string) error {
	isText := q.Kind == question.KindTEXT
	switch {
	case isText && given.Choices != nil:
		return fault.InvalidAt("This question is answered in words.", "answers", at, "choices")
	case isText && strings.TrimSpace(text(given.Text)) == "":
		return fault.InvalidAt("The answer is empty.", "answers", at, "text")
	case isText:
		return fits(given.Text, maxNote, "An answer has at most 2,000 characters.", "answers", at, "text")
	case given.Text != nil:
		return fault.InvalidAt("This question is answered by its choices.", "answers", at, "text")
	case q.Kind == question.KindRADIO && len(given.Choices) != 1:
		return fault.InvalidAt("Choose exactly one.", "answers", at, "choices")
	case len(inOrder(q, given.Choices)) != len(given.Choices):
		return fault.InvalidAt("Choose from the question's choices, each once.", "answers", at, "choices")
	default:
		return nil
	}
}

// inOrder is what was chosen, in the question's order; what is no choice is left out.
func inOrder(q *ent.Question, chosen []string) []string {
	list := []string{}
	for _, c := range q.Choices {
		if slices.Contains(chosen, c) {
			list = append(list, c)
		}
	}
	return list
}
