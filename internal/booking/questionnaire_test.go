package booking_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointmentintake"
	"github.com/caregraph/caregraph/ent/question"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// ask adds a question as an administrator.
func (c *clinic) ask(t *testing.T, prompt string, kind question.Kind, choices ...string) *ent.Question {
	t.Helper()
	q, err := c.CreateQuestion(testkit.As(t, testkit.User(t, c.db, access.Admin)), booking.CreateQuestionInput{Prompt: prompt, Kind: kind, Choices: choices})
	require.NoError(t, err)
	return q
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		admin := testkit.As(t, testkit.User(t, db, access.Admin))
		long, many := strings.Repeat("ä", 501), strings.Split(strings.Repeat("a,", 31), ",")
		for name, in := range map[string]booking.CreateQuestionInput{
			"NoText":             {Prompt: "  ", Kind: question.KindTEXT},
			"501Characters":      {Prompt: long, Kind: question.KindTEXT},
			"TextWithChoices":    {Prompt: "A?", Kind: question.KindTEXT, Choices: []string{"a"}},
			"RadioWithOneChoice": {Prompt: "A?", Kind: question.KindRADIO, Choices: []string{"a"}},
			"CheckboxWithNone":   {Prompt: "A?", Kind: question.KindCHECKBOX},
			"TheSameTwice":       {Prompt: "A?", Kind: question.KindRADIO, Choices: []string{"a", "a"}},
			"EmptyChoice":        {Prompt: "A?", Kind: question.KindRADIO, Choices: []string{"a", ""}},
			"TooManyChoices":     {Prompt: "A?", Kind: question.KindCHECKBOX, Choices: many},
			"ChoiceTooLong":      {Prompt: "A?", Kind: question.KindCHECKBOX, Choices: []string{strings.Repeat("x", 201)}},
		} {
			_, err := c.CreateQuestion(admin, in)
			require.Error(t, err, name)
			list, known := fault.All(err)
			require.True(t, known, name)
			require.Equal(t, fault.CodeInvalidInput, list[0].Code, name)
		}
		for _, who := range []any{c.patient, c.doctor, testkit.User(t, db, access.Scheduler)} {
			_, err := c.CreateQuestion(testkit.As(t, who), booking.CreateQuestionInput{Prompt: "A?", Kind: question.KindTEXT})
			requireCode(t, err, fault.CodeForbidden)
		}
		first := c.ask(t, "Do you smoke?", question.KindRADIO, "Yes", "No")
		second := c.ask(t, "Anything else?", question.KindTEXT)
		require.Equal(t, []int{1, 2}, []int{first.Position, second.Position})
		behind, no, wrong := 3, false, 9
		_, err := c.UpdateQuestion(admin, booking.UpdateQuestionInput{ID: first.ID, Position: &behind, ExpectedVersion: &first.Version})
		require.NoError(t, err)
		present, err := c.UpdateQuestion(admin, booking.UpdateQuestionInput{ID: first.ID, IsActive: &no, ExpectedVersion: &wrong})
		requireCode(t, err, fault.CodeConflict)
		require.Equal(t, first.ID, present.ID)
		_, err = c.UpdateQuestion(admin, booking.UpdateQuestionInput{ID: first.ID, Choices: []string{"Only"}})
		requireCode(t, err, fault.CodeInvalidInput)
		_, err = c.UpdateQuestion(admin, booking.UpdateQuestionInput{ID: uuid.New()})
		requireCode(t, err, fault.CodeNotFound)
		_, err = c.UpdateQuestion(testkit.As(t, c.doctor), booking.UpdateQuestionInput{ID: first.ID, IsActive: &no})
		requireCode(t, err, fault.CodeForbidden)
		list, err := c.Questionnaire(testkit.As(t, c.patient), true)
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{second.ID, first.ID}, []uuid.UUID{list[0].ID, list[1].ID})
		_, err = c.UpdateQuestion(admin, booking.UpdateQuestionInput{ID: second.ID, IsActive: &no})
		require.NoError(t, err)
		list, err = c.Questionnaire(testkit.As(t, c.patient), true)
		require.NoError(t, err)
		require.Len(t, list, 1, "patients do not see what is kept back")
		list, err = c.Questionnaire(admin, true)
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		words, one, some := c.ask(t, "Why?", question.KindTEXT), c.ask(t, "Smoker?", question.KindRADIO, "Yes", "No"), c.ask(t, "Had?", question.KindCHECKBOX, "Flu", "Covid", "Mumps")
		hidden := c.ask(t, "Old?", question.KindTEXT)
		no := false
		_, err := c.UpdateQuestion(testkit.As(t, testkit.User(t, db, access.Admin)), booking.UpdateQuestionInput{ID: hidden.ID, IsActive: &no})
		require.NoError(t, err)
		a, _ := c.paidIn(t, time.Hour)
		me := testkit.As(t, c.patient)
		say := func(s string) *string { return &s }
		answer := func(answers ...*booking.AnswerInput) ([]*ent.QuestionAnswer, error) {
			return c.Answer(me, booking.AnswerQuestionnaireInput{AppointmentID: a.ID, Answers: answers})
		}
		for name, bad := range map[string][]*booking.AnswerInput{
			"None":              {},
			"UnknownQuestion":   {{QuestionID: uuid.New(), Text: say("x")}},
			"QuestionKeptBack":  {{QuestionID: hidden.ID, Text: say("x")}},
			"Twice":             {{QuestionID: words.ID, Text: say("x")}, {QuestionID: words.ID, Text: say("y")}},
			"EmptyText":         {{QuestionID: words.ID, Text: say("  ")}},
			"2001Characters":    {{QuestionID: words.ID, Text: say(strings.Repeat("ä", 2001))}},
			"ChoicesForText":    {{QuestionID: words.ID, Choices: []string{"Yes"}}},
			"TextForRadio":      {{QuestionID: one.ID, Text: say("Yes")}},
			"TwoOfRadio":        {{QuestionID: one.ID, Choices: []string{"Yes", "No"}}},
			"NoneOfRadio":       {{QuestionID: one.ID, Choices: []string{}}},
			"NotAChoice":        {{QuestionID: one.ID, Choices: []string{"Maybe"}}},
			"ChoiceTwice":       {{QuestionID: some.ID, Choices: []string{"Flu", "Flu"}}},
			"OneGoodAndOneFake": {{QuestionID: words.ID, Text: say("x")}, {QuestionID: some.ID, Choices: []string{"Plague"}}},
		} {
			_, err := answer(bad...)
			require.Error(t, err, name)
			list, known := fault.All(err)
			require.True(t, known, "%s: %v", name, err)
			require.Equal(t, fault.CodeInvalidInput, list[0].Code, name)
		}
		n, err := db.Client.QuestionAnswer.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Zero(t, n, "all or none")

		list, err := answer(&booking.AnswerInput{QuestionID: some.ID, Choices: []string{"Mumps", "Flu"}}, &booking.AnswerInput{QuestionID: words.ID, Text: say(" It itches. ")},
			&booking.AnswerInput{QuestionID: one.ID, Choices: []string{"No"}})
		require.NoError(t, err)
		require.Equal(t, []string{"It itches.", "", ""}, []string{list[0].Text, list[1].Text, list[2].Text})
		require.Equal(t, []string{"Flu", "Mumps"}, list[2].Choices, "in the question's order")
		list, err = answer(&booking.AnswerInput{QuestionID: one.ID, Choices: []string{"Yes"}})
		require.NoError(t, err)
		require.Len(t, list, 3, "others stay")
		require.Equal(t, []string{"Yes"}, list[1].Choices, "replaced")

		for who, want := range map[any]int{c.patient: 3, c.doctor: 3, testkit.Patient(t, db): 0, testkit.Practitioner(t, db): 0,
			testkit.User(t, db, access.Admin): 0, testkit.User(t, db, access.Scheduler): 0, testkit.User(t, db, access.Nurse): 0} {
			list, err := c.Answers(testkit.As(t, who), a.ID)
			require.NoError(t, err)
			require.Len(t, list, want, "the appointment's patient and practitioner only")
		}
		_, err = c.Answer(testkit.As(t, testkit.Patient(t, db)), booking.AnswerQuestionnaireInput{AppointmentID: a.ID})
		requireCode(t, err, fault.CodeNotFound)
		_, err = c.Answer(testkit.As(t, c.doctor), booking.AnswerQuestionnaireInput{AppointmentID: a.ID})
		requireCode(t, err, fault.CodeForbidden)

		moved, err := c.Reschedule(me, moving(a, c.slotIn(t, 24*time.Hour)))
		require.NoError(t, err)
		list, err = c.Answers(me, moved.ID)
		require.NoError(t, err)
		require.Len(t, list, 3, "they go along")
		a = moved
		clk.Advance(24*time.Hour - time.Microsecond)
		_, err = answer(&booking.AnswerInput{QuestionID: one.ID, Choices: []string{"No"}})
		require.NoError(t, err)
		clk.Advance(time.Microsecond) // exactly the start
		_, err = answer(&booking.AnswerInput{QuestionID: one.ID, Choices: []string{"Yes"}})
		requireCode(t, err, "ILLEGAL_STATUS")
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, _ := c.paidIn(t, time.Hour)
		q := c.ask(t, "Why?", question.KindTEXT)
		say := func(s string) *string { return &s }
		video, wrong := appointmentintake.ConsultationTypeVIDEO, 99
		admin, me, doctor := testkit.As(t, testkit.User(t, db, access.Admin)), testkit.As(t, c.patient), testkit.As(t, c.doctor)
		answers := []*booking.AnswerInput{{QuestionID: q.ID, Text: say("Pain.")}}
		changed, err := c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say(" Please call. "), Answers: answers, ExpectedVersion: &a.Version})
		require.NoError(t, err)
		require.Equal(t, a.Version+1, changed.Version)
		present, err := c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say("x"), ExpectedVersion: &a.Version})
		requireCode(t, err, fault.CodeConflict)
		require.Equal(t, changed.Version, present.Version)
		for name, in := range map[string]booking.UpdateAppointmentInput{"Symptoms": {Symptoms: say("x")}, "ConsultationType": {ConsultationType: &video}} {
			in.AppointmentID = a.ID
			_, err = c.Update(me, in)
			require.Error(t, err, name)
			requireCode(t, err, fault.CodeForbidden)
		}
		_, err = c.Update(doctor, booking.UpdateAppointmentInput{AppointmentID: a.ID, Answers: answers})
		requireCode(t, err, fault.CodeForbidden)
		_, err = c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say(strings.Repeat("ä", 2001)), ExpectedVersion: &wrong})
		requireCode(t, err, fault.CodeInvalidInput)
		_, err = c.Update(testkit.As(t, testkit.User(t, db, access.Scheduler)), booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say("x")})
		requireCode(t, err, fault.CodeForbidden)
		_, err = c.Update(testkit.As(t, testkit.Practitioner(t, db)), booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say("x")})
		requireCode(t, err, fault.CodeNotFound)
		_, err = c.Update(doctor, booking.UpdateAppointmentInput{AppointmentID: a.ID, Symptoms: say(strings.Repeat("ä", 2000))})
		require.NoError(t, err, "2,000 characters, not bytes")
		_, err = c.Update(admin, booking.UpdateAppointmentInput{AppointmentID: a.ID, Symptoms: say("A cough."), ConsultationType: &video})
		require.NoError(t, err)
		intake, err := db.Client.AppointmentIntake.Query().Only(me)
		require.NoError(t, err)
		require.Equal(t, []any{"Please call.", "A cough.", video}, []any{intake.Note, intake.Symptoms, *intake.ConsultationType})
		n, err := db.Client.AppointmentIntake.Query().Count(admin)
		require.NoError(t, err)
		require.Zero(t, n, "administrators do not read it")
		clk.Advance(time.Hour) // exactly the start
		_, err = c.Update(me, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say("x")})
		requireCode(t, err, "ILLEGAL_STATUS")
		_, err = c.Update(doctor, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say("")})
		require.NoError(t, err, "the practitioner may, during and after")
		_, err = c.Cancel(doctor, cancelling(a))
		require.NoError(t, err)
		_, err = c.Update(doctor, booking.UpdateAppointmentInput{AppointmentID: a.ID, Note: say("x")})
		requireCode(t, err, "ILLEGAL_STATUS")
	})
}
