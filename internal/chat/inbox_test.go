package chat_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestInboxOf(t *testing.T) {
	t.Parallel()
	one, two := ids.New(ent.TypeUser, testkit.Start), ids.New(ent.TypeUser, testkit.Start)
	require.NotEqual(t, chat.InboxOf(one), chat.InboxOf(two))
	require.NotEqual(t, one, chat.InboxOf(one), "the user's own id may be another stream")
	require.Equal(t, ent.TypeStream, ids.Entity(chat.InboxOf(one)))
}

// A group with messages of many rooms numbers the inboxes of all their participants densely, in the order of the messages.
func TestInbox_OfAGroup(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		second, record := testkit.Patient(t, db), testkit.Record(t, db) // the latter has no account
		rooms := []*ent.ChatRoom{p.room, p.open(t, p.doctor, second), p.open(t, p.doctor, record)}
		var list []chat.Sending
		for i := range 9 {
			list = append(list, chat.Sending{By: testkit.Viewer(p.doctor), In: chat.SendMessageInput{RoomID: rooms[i%3].ID, Body: fmt.Sprint(i)}})
		}
		_, errs := p.Group(t.Context(), list...)
		for _, err := range errs {
			require.NoError(t, err)
		}
		events, err := stream.New(db, nil, p.Log).Read(t.Context(), chat.InboxOf(p.doctor.UserID), 0, 100)
		require.NoError(t, err)
		require.Len(t, events, 12)
		for i, e := range events {
			require.Equal(t, int64(i+1), e.Position)
			if i >= 3 { // after the openings of the rooms
				require.Equal(t, chat.KindMessageAdded, e.Kind)
				require.Equal(t, rooms[i%3].ID, e.Subject)
				require.Empty(t, e.Data)
			}
		}
		require.Len(t, p.kinds(t, chat.InboxOf(*p.patient.UserID)), 4)
		require.Len(t, p.kinds(t, chat.InboxOf(*second.UserID)), 4)
	})
}

// A user who has never had a room has an inbox to follow, and a first event comes to it.
func TestInbox_OfANewUser(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		newcomer := testkit.Patient(t, db)
		ctx := testkit.As(t, newcomer)
		source, err := p.Inbox(ctx, nil)
		require.NoError(t, err)
		require.NoError(t, source.Check(ctx))
		requireCode(t, source.Check(testkit.As(t, p.patient)), fault.CodeForbidden)
		woken := make(chan struct{}, 10)
		feed, err := source.Open(ctx, func() { woken <- struct{}{} })
		require.NoError(t, err)
		t.Cleanup(feed.Close)
		for range 2 { // Opened, and nothing
			_, err = feed.Next(ctx)
			require.NoError(t, err)
		}
		room := p.open(t, p.doctor, newcomer)
		<-woken
		events, err := feed.Next(ctx)
		require.NoError(t, err)
		require.Len(t, events, 1)
		require.Equal(t, room.ID, events[0].Subject)

		foreign := stream.CursorOf(chat.InboxOf(*p.patient.UserID), 1)
		_, err = p.Inbox(ctx, &foreign)
		requireCode(t, err, fault.CodeInvalidInput)
		_, err = p.Inbox(t.Context(), nil)
		requireCode(t, err, fault.CodeUnauthenticated)
	})
}

// Receipts tell when a reader's watermark first passed a message; own messages and the sender's own reading are in none.
func TestReceipts(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		var list []chat.Sent
		for i := range 4 {
			m := p.send(t, []any{p.doctor, p.patient}[i%2], "hello")
			list = append(list, chat.Sent{ID: m.ID, Room: m.RoomID, Sender: m.SenderID, Position: m.Position})
		}
		require.NoError(t, p.mark(t, p.patient, 1))
		first := clk.Now()
		second := clk.Advance(time.Minute)
		require.NoError(t, p.mark(t, p.patient, 3))
		require.NoError(t, p.mark(t, p.doctor, 2))
		clk.Advance(time.Minute)
		require.NoError(t, p.mark(t, p.patient, 4))
		var trips atomic.Int64
		found, err := p.Receipts(store.CountRoundTrips(testkit.As(t, p.doctor), &trips), list)
		require.NoError(t, err)
		require.Equal(t, int64(1), trips.Load())
		patient := chat.ChatParticipant{ID: *p.patient.UserID, Role: "PATIENT", Name: p.patient.GivenName + " " + p.patient.FamilyName}
		doctor := chat.ChatParticipant{ID: p.doctor.UserID, Role: "PRACTITIONER", Name: p.doctor.Name}
		require.Equal(t, map[uuid.UUID][]chat.ChatReceipt{
			list[0].ID: {{User: patient, ReadAt: first}}, list[1].ID: {{User: doctor, ReadAt: second}}, list[2].ID: {{User: patient, ReadAt: second}},
		}, found)
	})
}

func TestContexts(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		a, err := p.room.QueryAppointment().Only(testkit.System(t))
		require.NoError(t, err)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.AppointmentIntake.Create().SetAppointmentID(a.ID).SetPatientID(a.PatientID).SetPractitionerID(a.PractitionerID).SetNote("It itches").Exec(ctx)
		})
		for who, note := range map[any]bool{p.doctor: true, p.patient: true, testkit.User(t, db, access.Admin): false} {
			found, err := p.Contexts(testkit.As(t, who), []uuid.UUID{a.ID})
			require.NoError(t, err)
			require.Equal(t, a.StartsAt, found[a.ID].StartsAt)
			require.Equal(t, int(a.EndsAt.Sub(a.StartsAt).Minutes()), found[a.ID].DurationMinutes)
			require.Equal(t, note, found[a.ID].Note != nil, "what the patient said is for the participants")
		}
		found, err := p.Contexts(testkit.As(t, testkit.Patient(t, db)), []uuid.UUID{a.ID})
		require.NoError(t, err)
		require.Empty(t, found)
	})
}
