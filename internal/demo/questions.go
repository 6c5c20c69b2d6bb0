package demo

import (
	"context"

	"github.com/caregraph/caregraph/ent/question"
	"github.com/caregraph/caregraph/internal/booking"
)

// addQuestions asks what most practices ask before a visit, and keeps back what is asked no more.
func (s *Seeder) addQuestions(ctx context.Context) error {
	by := s.as(ctx, adminKey)
	for _, in := range []booking.CreateQuestionInput{
		{Prompt: "Do you smoke?", Kind: question.KindRADIO, Choices: []string{"Yes", "No", "I used to"}},
		{Prompt: "Which of these do you take?", Kind: question.KindCHECKBOX, Choices: []string{"Blood thinners", "Insulin", "Painkillers"}},
		{Prompt: "What else should we know?", Kind: question.KindTEXT},
		{Prompt: "Have you been abroad within the last fortnight?", Kind: question.KindRADIO, Choices: []string{"Yes", "No"}},
	} {
		made, err := s.Booking.CreateQuestion(by, in)
		if err != nil {
			return err
		}
		s.questions = append(s.questions, made)
	}
	old := s.questions[len(s.questions)-1]
	isAsked := false
	_, err := s.Booking.UpdateQuestion(by, booking.UpdateQuestionInput{ID: old.ID, IsActive: &isAsked})
	s.questions = s.questions[:len(s.questions)-1]
	return err
}
