package booking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/question"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
)

const (
	maxPrompt    = 500
	maxChoice    = 200
	maxChoices   = 30
	maxQuestions = 100 // that are asked at once
)

// CreateQuestionInput is the input of createQuestion.
type CreateQuestionInput struct {
	// The question as patients read it, 1 to 500 characters.
	Prompt string
	// How it is answered.
	Kind question.Kind
	// What can be chosen, 2 to 30 different ones for RADIO, 1 to 30 for CHECKBOX, none for TEXT; each has 1 to 200 characters.
	Choices []string
	// Place in the questionnaire; behind all others when left out.
	Position *int
	// False keeps it back; asked when left out.
	IsActive *bool
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// UpdateQuestionInput is the input of updateQuestion. What is left out stays. The kind stays: what has been answered must keep its meaning.
type UpdateQuestionInput struct {
	// The question.
	ID uuid.UUID
	// The question as patients read it, 1 to 500 characters.
	Prompt *string
	// What can be chosen.
	Choices []string
	// Place in the questionnaire.
	Position *int
	// Whether patients are asked.
	IsActive *bool
	// The version that the change was made from.
	ExpectedVersion *int
}

// checkQuestion reports all errors of a question.
func checkQuestion(prompt string, kind question.Kind, choices []string) error {
	problems := []error{fits(&prompt, maxPrompt, "A question has at most 500 characters.", "prompt")}
	if strings.TrimSpace(prompt) == "" {
		problems = append(problems, fault.InvalidAt("A question has a text.", "prompt"))
	}
	least := map[question.Kind]int{question.KindRADIO: 2, question.KindCHECKBOX: 1}[kind]
	switch {
	case kind == question.KindTEXT && len(choices) > 0:
		problems = append(problems, fault.InvalidAt("A TEXT question has no choices.", "choices"))
	case kind != question.KindTEXT && (len(choices) < least || len(choices) > maxChoices):
		problems = append(problems, fault.InvalidAt(fmt.Sprintf("This kind of question has %d to %d choices.", least, maxChoices), "choices"))
	}
	seen := map[string]bool{}
	for _, c := range choices {
		if problem := fits(&c, maxChoice, "A choice has at most 200 characters.", "choices"); problem != nil {
			problems = append(problems, problem)
		}
		if strings.TrimSpace(c) != c || c == "" || seen[c] {
			problems = append(problems, fault.InvalidAt("Choices are different texts without space around them.", "choices"))
			break
		}
		seen[c] = true
	}
	return errors.Join(problems...)
}

// CreateQuestion adds a question to the questionnaire; administrators may. Errors: FORBIDDEN, INVALID_INPUT.
func (s *Service) CreateQuestion(ctx context.Context, in CreateQuestionInput) (*ent.Question, error) {
	if err := checkQuestion(in.Prompt, in.Kind, in.Choices); err != nil {
		return nil, err
	}
	result, err := idem.Do(ctx, s.DB, "createQuestion", in.IdempotencyKey, in, func(ctx context.Context) ([]uuid.UUID, error) {
		isActive := in.IsActive == nil || *in.IsActive
		if err := s.mayAskMore(ctx, isActive); err != nil {
			return nil, err
		}
		position, err := s.place(ctx, in.Position)
		if err != nil {
			return nil, err
		}
		made, err := s.DB.Client.Question.Create().SetPrompt(strings.TrimSpace(in.Prompt)).SetKind(in.Kind).SetChoices(notNil(in.Choices)).
			SetPosition(position).SetIsActive(isActive).Save(ctx)
		if err != nil {
			return nil, err
		}
		return []uuid.UUID{made.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	return s.DB.Client.Question.Get(ctx, result[0])
}

func notNil(choices []string) []string {
	if choices == nil {
		return []string{}
	}
	return choices
}

// place is the position asked for, or the one behind all others.
func (s *Service) place(ctx context.Context, asked *int) (int, error) {
	if asked != nil {
		return *asked, nil
	}
	last, err := s.DB.Client.Question.Query().Order(ent.Desc(question.FieldPosition)).First(ctx)
	if ent.IsNotFound(err) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	return last.Position + 1, nil
}

func (s *Service) mayAskMore(ctx context.Context, isActive bool) error {
	if !isActive {
		return nil
	}
	n, err := s.DB.Client.Question.Query().Where(question.IsActive(true)).Count(ctx)
	if err == nil && n >= maxQuestions {
		err = fault.InvalidAt("A questionnaire has at most 100 questions.", "isActive")
	}
	return err
}

// UpdateQuestion changes a question; administrators may. Answers keep the question as it was put. It returns the question, after a CONFLICT as it is now.
// Errors: NOT_FOUND, CONFLICT, FORBIDDEN, INVALID_INPUT.
func (s *Service) UpdateQuestion(ctx context.Context, in UpdateQuestionInput) (changed *ent.Question, err error) {
	err = s.DB.WithTx(ctx, func(ctx context.Context) error {
		changed, err = s.updateQuestion(ctx, in)
		return err
	})
	if err != nil && !errors.Is(err, fault.ErrConflict) {
		return nil, err
	}
	return changed, err
}

func (s *Service) updateQuestion(ctx context.Context, in UpdateQuestionInput) (*ent.Question, error) {
	if err := s.DB.Lock(ctx, question.Table, in.ID); err != nil {
		return nil, err
	}
	present, err := s.DB.Client.Question.Get(ctx, in.ID)
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("id")
	}
	if err != nil {
		return nil, err
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != present.Version {
		return present, fault.ErrConflict.At("expectedVersion")
	}
	prompt, choices := present.Prompt, present.Choices
	if in.Prompt != nil {
		prompt = strings.TrimSpace(*in.Prompt)
	}
	if in.Choices != nil {
		choices = in.Choices
	}
	if err := checkQuestion(prompt, present.Kind, choices); err != nil {
		return nil, err
	}
	update := s.DB.Client.Question.UpdateOne(present).SetPrompt(prompt).SetChoices(slices.Clone(choices))
	if in.Position != nil {
		update.SetPosition(*in.Position)
	}
	if in.IsActive != nil {
		if err := s.mayAskMore(ctx, *in.IsActive && !present.IsActive); err != nil {
			return nil, err
		}
		update.SetIsActive(*in.IsActive)
	}
	return update.Save(ctx)
}

// Questionnaire returns the questions that patients are asked, in order; to administrators also those that are kept back, if they want them.
func (s *Service) Questionnaire(ctx context.Context, withInactive bool) ([]*ent.Question, error) {
	q := s.DB.Client.Question.Query().Order(question.ByPosition(), question.ByID())
	if !withInactive || !access.From(ctx).Has(access.Admin) {
		q.Where(question.IsActive(true))
	}
	return q.All(ctx)
}
