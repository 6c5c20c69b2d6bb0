package app_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/testkit"
)

const (
	mayWhat    = `query($id: ID!) { appointment(id: $id) { version viewerCanCancel viewerCanReschedule viewerCanComplete viewerCanMarkNoShow viewerCanUpdate viewerCanDelete } }`
	cancelIt   = `mutation($id: ID!) { cancelAppointment(input: {appointmentId: $id, reason: "Away."}) { appointment { status orders { edges { node { status } } } slot { status } } userErrors { code field } } }`
	moveIt     = `mutation($id: ID!, $to: ID!) { rescheduleAppointment(input: {appointmentId: $id, newSlotId: $to}) { appointment { id status rescheduledFrom { id status rescheduledTo { id } } } userErrors { code field ... on SlotTaken { alternatives { id } } } } }`
	completeIt = `mutation($id: ID!) { completeAppointment(input: {appointmentId: $id}) { appointment { status orders { edges { node { status completedAt } } } } userErrors { code } } }`
	missIt     = `mutation($id: ID!) { markNoShow(input: {appointmentId: $id}) { appointment { status } userErrors { code } } }`
	deleteIt   = `mutation($id: ID!) { deleteAppointment(input: {appointmentId: $id}) { deletedAppointmentId userErrors { code } } }`
	updateIt   = `mutation($id: ID!, $v: Int) { updateAppointment(input: {appointmentId: $id, note: "Please call.", expectedVersion: $v}) { appointment { version intake { note symptoms consultationType } } userErrors { code field } } }`
	treatIt    = `mutation($id: ID!) { updateAppointment(input: {appointmentId: $id, symptoms: "A cough.", consultationType: VIDEO}) { appointment { intake { symptoms consultationType } } userErrors { code } } }`
	watchIt    = `subscription($id: ID!, $after: Cursor) { appointmentChanged(appointmentId: $id, after: $after) { __typename cursor previousCursor
		... on AppointmentStatusChanged { from to } ... on AppointmentMoved { rescheduledToId } ... on AppointmentUpdated { by } } }`
)

// TestVisitsLife is the life of visits over the wire: watched, updated, moved, cancelled, finished, deleted.
func TestVisitsLife(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, nil)
			doctor, patient := testkit.Practitioner(t, i.DB), testkit.Patient(t, i.DB)
			first, second := testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(5*time.Hour)), testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(8*time.Hour))
			third := testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(9*time.Hour))
			doctorUser, err := i.DB.Client.User.Get(testkit.System(t), doctor.UserID)
			require.NoError(t, err)
			admin := i.client(t).SignIn(t, testkit.User(t, i.DB, access.Admin).Email, testkit.Password)
			mine, treats := i.client(t).SignIn(t, patient.Email, testkit.Password), i.client(t).SignIn(t, doctorUser.Email, testkit.Password)
			book := func(slot any) string {
				id := mine.Do(t, bookOperation, map[string]any{"slot": slot}).NoErrors(t).Text("bookAppointment.appointment.id")
				pay(t, mine.Do(t, orderOperation, map[string]any{"id": id}).NoErrors(t).Text("createOrder.checkoutUrl"))
				return id
			}
			id := book(first.ID)
			it := map[string]any{"id": id}
			feed := mine.Socket(t).Subscribe(watchIt, it)
			opened := feed.Next()
			require.Equal(t, "StreamOpened", opened.Text("appointmentChanged.__typename"))

			may := mine.Do(t, mayWhat, it).NoErrors(t)
			for field, want := range map[string]bool{"Cancel": true, "Reschedule": true, "Complete": false, "MarkNoShow": false, "Update": true, "Delete": false} {
				require.Equal(t, want, may.Get("appointment.viewerCan"+field), field)
			}
			updated := mine.Do(t, updateIt, map[string]any{"id": id, "v": may.Int("appointment.version")}).NoErrors(t)
			require.Equal(t, "Please call.", updated.Text("updateAppointment.appointment.intake.note"))
			stale := mine.Do(t, updateIt, map[string]any{"id": id, "v": may.Int("appointment.version")})
			require.Equal(t, "CONFLICT", stale.Text("updateAppointment.userErrors.0.code"))
			require.Equal(t, updated.Int("updateAppointment.appointment.version"), stale.Int("updateAppointment.appointment.version"), "the present one")
			require.Equal(t, "VIDEO", treats.Do(t, treatIt, it).NoErrors(t).Text("updateAppointment.appointment.intake.consultationType"))
			require.Equal(t, "FORBIDDEN", mine.Do(t, treatIt, it).Text("updateAppointment.userErrors.0.code"))

			taken := mine.Do(t, moveIt, map[string]any{"id": id, "to": first.ID})
			require.Equal(t, "SLOT_TAKEN", taken.Text("rescheduleAppointment.userErrors.0.code"))
			require.Equal(t, 2, taken.Len("rescheduleAppointment.userErrors.0.alternatives"))
			moved := mine.Do(t, moveIt, map[string]any{"id": id, "to": second.ID}).NoErrors(t)
			next := moved.Text("rescheduleAppointment.appointment.id")
			require.Equal(t, "RESCHEDULED", moved.Text("rescheduleAppointment.appointment.rescheduledFrom.status"))
			require.Equal(t, next, moved.Text("rescheduleAppointment.appointment.rescheduledFrom.rescheduledTo.id"))
			var events []string
			for range 4 {
				events = append(events, feed.Next().Text("appointmentChanged.__typename"))
			}
			require.Equal(t, []string{"AppointmentUpdated", "AppointmentUpdated", "AppointmentStatusChanged", "AppointmentMoved"}, events)
			again := treats.Socket(t).Subscribe(watchIt, map[string]any{"id": id, "after": opened.Text("appointmentChanged.cursor")})
			require.Equal(t, opened.Text("appointmentChanged.cursor"), again.Next().Text("appointmentChanged.previousCursor"), "resumed behind the cursor")

			require.Equal(t, "TOO_EARLY", treats.Do(t, completeIt, map[string]any{"id": next}).Text("completeAppointment.userErrors.0.code"))
			dropped := book(third.ID)
			gone := mine.Do(t, cancelIt, map[string]any{"id": dropped}).NoErrors(t)
			require.Equal(t, "CANCELLED_BY_PATIENT", gone.Text("cancelAppointment.appointment.status"))
			require.Equal(t, "REFUNDED", gone.Text("cancelAppointment.appointment.orders.edges.0.node.status"))
			require.Equal(t, "OPEN", gone.Text("cancelAppointment.appointment.slot.status"))
			require.Equal(t, dropped, mine.Do(t, deleteIt, map[string]any{"id": dropped}).NoErrors(t).Text("deleteAppointment.deletedAppointmentId"))
			require.Nil(t, mine.Do(t, mayWhat, map[string]any{"id": dropped}).NoErrors(t).Get("appointment"))
			require.Equal(t, dropped, admin.Do(t, `{ deletedAppointments { edges { node { id deletedAt deletedBy } } } }`, nil).NoErrors(t).Text("deletedAppointments.edges.0.node.id"))

			i.clk.Advance(7*time.Hour + time.Microsecond)
			mine = i.client(t).SignIn(t, patient.Email, testkit.Password)
			require.Equal(t, "TOO_LATE_TO_CANCEL", mine.Do(t, cancelIt, map[string]any{"id": next}).Text("cancelAppointment.userErrors.0.code"))
			i.clk.Advance(time.Hour)
			mine, treats = i.client(t).SignIn(t, patient.Email, testkit.Password), i.client(t).SignIn(t, doctorUser.Email, testkit.Password)
			require.Equal(t, "FORBIDDEN", mine.Do(t, missIt, map[string]any{"id": next}).Text("markNoShow.userErrors.0.code"))
			done := treats.Do(t, completeIt, map[string]any{"id": next}).NoErrors(t)
			require.Equal(t, "COMPLETED", done.Text("completeAppointment.appointment.status"))
			require.Equal(t, "ILLEGAL_STATUS", treats.Do(t, missIt, map[string]any{"id": next}).Text("markNoShow.userErrors.0.code"))
		})
	}
}

// TestCalendarsLife is what practitioners and administrators prepare, over the wire: slots, leave, questions.
func TestCalendarsLife(t *testing.T) {
	t.Parallel()
	i := serve(t, testkit.SQLite, nil)
	doctor, patient := testkit.Practitioner(t, i.DB), testkit.Patient(t, i.DB)
	s := testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(5*time.Hour))
	doctorUser, err := i.DB.Client.User.Get(testkit.System(t), doctor.UserID)
	require.NoError(t, err)
	treats, mine := i.client(t).SignIn(t, doctorUser.Email, testkit.Password), i.client(t).SignIn(t, patient.Email, testkit.Password)
	admin := i.client(t).SignIn(t, testkit.User(t, i.DB, access.Admin).Email, testkit.Password)

	changed := treats.Do(t, `mutation($id: ID!) { updateSlot(input: {id: $id, type: SHORT, expectedVersion: 1}) { slot { durationMinutes version status isFree } userErrors { code } } }`, map[string]any{"id": s.ID}).NoErrors(t)
	require.Equal(t, 15, changed.Int("updateSlot.slot.durationMinutes"))
	stale := treats.Do(t, `mutation($id: ID!) { deleteSlot(input: {id: $id, expectedVersion: 1}) { deletedSlotId slot { version } userErrors { code } } }`, map[string]any{"id": s.ID})
	require.Equal(t, "CONFLICT", stale.Text("deleteSlot.userErrors.0.code"))
	require.Equal(t, 2, stale.Int("deleteSlot.slot.version"))
	require.Nil(t, stale.Get("deleteSlot.deletedSlotId"))
	gone := treats.Do(t, `mutation($id: ID!) { deleteSlot(input: {id: $id, expectedVersion: 2}) { deletedSlotId userErrors { code } } }`, map[string]any{"id": s.ID}).NoErrors(t)
	require.Equal(t, s.ID.String(), gone.Text("deleteSlot.deletedSlotId"))

	testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(30*time.Hour))
	away := treats.Do(t, `mutation($from: DateTime!, $to: DateTime!) { blockTime(input: {startsAt: $from, endsAt: $to, reason: "A course."}) {
		leave { id startsAt reason } removedCount heldSlots { id } userErrors { code } } }`,
		map[string]any{"from": i.clk.Now().Add(24 * time.Hour), "to": i.clk.Now().Add(48 * time.Hour)}).NoErrors(t)
	require.Equal(t, 1, away.Int("blockTime.removedCount"))
	require.Equal(t, 1, treats.Do(t, `{ leaves { totalCount } }`, nil).NoErrors(t).Int("leaves.totalCount"))
	require.Equal(t, 0, mine.Do(t, `{ leaves { totalCount } }`, nil).NoErrors(t).Int("leaves.totalCount"))
	blocked := treats.Do(t, `mutation($at: DateTime!) { createSlot(input: {startsAt: $at, type: LONG}) { userErrors { code field } } }`, map[string]any{"at": i.clk.Now().Add(25 * time.Hour)})
	require.Equal(t, "SLOT_BLOCKED", blocked.Text("createSlot.userErrors.0.code"))
	back := treats.Do(t, `mutation($id: ID!) { unblockTime(input: {leaveId: $id}) { deletedLeaveId userErrors { code } } }`, map[string]any{"id": away.Text("blockTime.leave.id")}).NoErrors(t)
	require.Equal(t, away.Text("blockTime.leave.id"), back.Text("unblockTime.deletedLeaveId"))

	asked := admin.Do(t, `mutation { createQuestion(input: {prompt: "Do you smoke?", kind: RADIO, choices: ["Yes", "No"]}) { question { id position } userErrors { code } } }`, nil).NoErrors(t)
	question := asked.Text("createQuestion.question.id")
	bad := admin.Do(t, `mutation($id: ID!) { updateQuestion(input: {id: $id, choices: ["Yes"]}) { question { id } userErrors { code field } } }`, map[string]any{"id": question})
	require.Equal(t, "choices", bad.Text("updateQuestion.userErrors.0.field.0"))
	visit := testkit.Appointment(t, i.DB, testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(6*time.Hour)), patient)
	require.Equal(t, question, mine.Do(t, `{ questionnaire { id prompt kind choices } }`, nil).NoErrors(t).Text("questionnaire.0.id"))
	answer := `mutation($id: ID!, $q: ID!, $c: [String!]) { answerQuestionnaire(input: {appointmentId: $id, answers: [{questionId: $q, choices: $c}]}) { answers { choices } userErrors { code field } } }`
	wrong := mine.Do(t, answer, map[string]any{"id": visit.ID, "q": question, "c": []string{"Maybe"}})
	require.Equal(t, "choices", wrong.Text("answerQuestionnaire.userErrors.0.field.2"))
	require.Equal(t, "No", mine.Do(t, answer, map[string]any{"id": visit.ID, "q": question, "c": []string{"No"}}).NoErrors(t).Text("answerQuestionnaire.answers.0.choices.0"))
	read := `query($id: ID!) { questionnaireAnswers(appointmentId: $id) { prompt choices question { kind } } }`
	require.Equal(t, 1, treats.Do(t, read, map[string]any{"id": visit.ID}).NoErrors(t).Len("questionnaireAnswers"))
	require.Equal(t, 0, admin.Do(t, read, map[string]any{"id": visit.ID}).NoErrors(t).Len("questionnaireAnswers"))
}
