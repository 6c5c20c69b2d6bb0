package demo

import (
	"context"

	"github.com/caregraph/caregraph/ent/question"
)

// addQuestions asks what most practices ask before a visit.
func (s *Seeder) addQuestions(ctx context.Context) error {
	for i, q := range []struct {
		prompt  string
		kind    question.Kind
		choices []string
	}{
		{"Do you smoke?", question.KindRADIO, []string{"Yes", "No", "I used to"}},
		{"Which of these do you take?", question.KindCHECKBOX, []string{"Blood thinners", "Insulin", "Painkillers"}},
		{"What else should we know?", question.KindTEXT, []string{}},
	} {
		if err := s.DB.Client.Question.Create().SetPrompt(q.prompt).SetKind(q.kind).SetChoices(q.choices).SetPosition(i + 1).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
