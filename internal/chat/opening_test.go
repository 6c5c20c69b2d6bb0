package chat_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

const complaint = "A complaint of the family, file 12"

func (p *practice) breakGlass(t *testing.T, admin *ent.User) *ent.RecordOpening {
	t.Helper()
	opened, err := p.BreakGlass(testkit.As(t, admin), chat.BreakGlassInput{RoomID: &p.room.ID, Reason: " " + complaint + " "})
	require.NoError(t, err)
	require.Len(t, opened, 1)
	return opened[0]
}

// reads tells whether the viewer of ctx sees the room's messages, by query and by event alike.
func (p *practice) reads(ctx context.Context, t *testing.T) bool {
	t.Helper()
	n, err := p.db.Client.ChatMessage.Query().Count(ctx)
	require.NoError(t, err)
	_, err = p.EventPage(ctx, p.room.ID, nil, nil)
	require.Equal(t, n > 0, err == nil, "%v", err)
	return n > 0
}

// An opening is good for its administrator, its room and 60 minutes, to read and not to write.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m := p.send(t, p.patient, "a rash")
		require.NoError(t, p.edit(t, p.patient, m, "a red rash"))
		other := p.open(t, p.doctor, testkit.Patient(t, db))
		_, err := p.Send(testkit.As(t, p.doctor), chat.SendMessageInput{RoomID: other.ID, Body: "elsewhere"})
		require.NoError(t, err)
		ada, dana := testkit.User(t, db, access.Admin), testkit.User(t, db, access.Admin)
		ctx := testkit.As(t, ada)
		require.False(t, p.reads(ctx, t))
		o := p.breakGlass(t, ada)
		require.Equal(t, clk.Now().Add(60*time.Minute), o.ExpiresAt)
		require.True(t, p.reads(ctx, t))
		require.False(t, p.reads(testkit.As(t, dana), t), "another administrator has stated no reason")
		require.Equal(t, []string{"a rash"}, p.find(t, ada, chat.MessagesInput{}), "only this room's")

		texts, err := p.Versions(ctx, []*ent.ChatMessage{m})
		require.NoError(t, err)
		require.Len(t, texts[m.ID], 2)
		require.Equal(t, []string{"a rash", "a red rash"}, []string{*texts[m.ID][0].Body, *texts[m.ID][1].Body})

		_, err = p.Send(ctx, p.says("I write along"))
		requireCode(t, err, fault.CodeNotFound)
		_, err = p.MarkRead(ctx, chat.MarkRoomReadInput{RoomID: p.room.ID, UpTo: 1})
		requireCode(t, err, fault.CodeNotFound)
		requireCode(t, p.edit(t, ada, m, "mine"), fault.CodeForbidden)

		clk.Advance(60*time.Minute - time.Microsecond)
		require.True(t, p.reads(ctx, t))
		clk.Advance(time.Microsecond)
		require.False(t, p.reads(ctx, t))
		texts, err = p.Versions(ctx, []*ent.ChatMessage{m})
		require.NoError(t, err)
		require.Empty(t, texts)
	})
}

// The participants are told, and the reason is where they and the audit read it, not in the stream.
func TestBreakGlass_IsTold(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		ada := testkit.User(t, db, access.Admin)
		o := p.breakGlass(t, ada)
		ctx := testkit.System(t)
		for _, reader := range []uuid.UUID{*p.patient.UserID, p.doctor.UserID} {
			notice, err := db.Client.Notification.Query().Where(notification.UserID(reader), notification.Kind("RECORD_OPENED")).Only(ctx)
			require.NoError(t, err)
			require.NotContains(t, notice.Title+notice.Text, "complaint")
		}
		for _, who := range []any{p.patient, p.doctor, ada} {
			page, err := p.EventPage(testkit.As(t, who), p.room.ID, nil, nil)
			require.NoError(t, err)
			last := page.Events[len(page.Events)-1]
			require.Equal(t, chat.KindRecordOpened, last.Kind)
			require.Empty(t, last.Data)
			require.Equal(t, complaint, last.Value.(*ent.RecordOpening).Reason)
			require.Equal(t, ada.ID, last.Value.(*ent.RecordOpening).Edges.User.ID)
		}
		e, err := db.Client.AuditEvent.Query().Where(auditevent.EntityID(o.ID)).Only(ctx)
		require.NoError(t, err)
		require.Equal(t, ada.ID, *e.ActorID)
		require.Equal(t, p.patient.ID, *e.PatientID)
		var said []string
		for _, c := range e.Changes {
			said = append(said, c.New)
		}
		require.Contains(t, said, complaint)
	})
}

func TestBreakGlass_OfAPatient(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		second := p.open(t, testkit.Practitioner(t, db), p.patient)
		p.open(t, p.doctor, testkit.Patient(t, db))
		opened, err := p.BreakGlass(testkit.As(t, testkit.User(t, db, access.Admin)), chat.BreakGlassInput{PatientID: &p.patient.ID, Reason: complaint})
		require.NoError(t, err)
		var rooms []uuid.UUID
		for _, o := range opened {
			rooms = append(rooms, o.RoomID)
		}
		require.ElementsMatch(t, []uuid.UUID{p.room.ID, second.ID}, rooms)
	})
}

func TestBreakGlass_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		none, in := uuid.New(), chat.BreakGlassInput{RoomID: &p.room.ID, Reason: complaint}
		for name, v := range p.outsiders(t) {
			if !v.Has(access.Admin) {
				_, err := p.BreakGlass(access.As(t.Context(), v), in)
				requireCode(t, err, fault.CodeForbidden, name)
			}
		}
		for _, who := range []any{p.patient, p.doctor} {
			_, err := p.BreakGlass(testkit.As(t, who), in)
			requireCode(t, err, fault.CodeForbidden)
		}
		admin := testkit.As(t, testkit.User(t, db, access.Admin))
		for name, in := range map[string]chat.BreakGlassInput{
			"9 characters":   {RoomID: &p.room.ID, Reason: " 123456789 "},
			"501 characters": {RoomID: &p.room.ID, Reason: strings.Repeat("ä", 501)},
			"neither":        {Reason: complaint},
			"both":           {RoomID: &p.room.ID, PatientID: &p.patient.ID, Reason: complaint},
		} {
			_, err := p.BreakGlass(admin, in)
			requireCode(t, err, fault.CodeInvalidInput, name)
		}
		for _, in := range []chat.BreakGlassInput{{RoomID: &none, Reason: complaint}, {PatientID: &none, Reason: complaint}} {
			_, err := p.BreakGlass(admin, in)
			requireCode(t, err, fault.CodeNotFound)
		}
		for _, reason := range []string{"ten chars.", strings.Repeat("ä", 500)} {
			_, err := p.BreakGlass(admin, chat.BreakGlassInput{RoomID: &p.room.ID, Reason: reason})
			require.NoError(t, err)
		}
	})
}

// A subscription of an administrator ends when the right ends, also when nothing happens in the room; those of the participants go on.
func TestEvents_EndWithTheOpening(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		ada := testkit.User(t, db, access.Admin)
		source, err := p.Events(testkit.As(t, ada), p.room.ID, nil)
		require.NoError(t, err)
		requireCode(t, source.Check(testkit.As(t, ada)), fault.CodeNotFound)
		p.breakGlass(t, ada)
		follow := func(who any) (stream.Feed, chan struct{}) {
			ctx := testkit.As(t, who)
			source, err := p.Events(ctx, p.room.ID, nil)
			require.NoError(t, err)
			require.NoError(t, source.Check(ctx))
			woken := make(chan struct{}, 100)
			feed, err := source.Open(ctx, func() { woken <- struct{}{} })
			require.NoError(t, err)
			t.Cleanup(feed.Close)
			events, err := feed.Next(ctx)
			require.NoError(t, err)
			require.Equal(t, stream.Opened, events[0].Kind)
			events, err = feed.Next(ctx)
			require.NoError(t, err)
			require.Empty(t, events)
			return feed, woken
		}
		feed, woken := follow(ada)
		own, _ := follow(p.patient)
		p.send(t, p.patient, "still read along")
		<-woken
		events, err := feed.Next(t.Context())
		require.NoError(t, err)
		require.Len(t, events, 1)
		clk.Advance(60 * time.Minute)
		<-woken
		_, err = feed.Next(t.Context())
		requireCode(t, err, fault.CodeNotFound)
		events, err = own.Next(t.Context())
		require.NoError(t, err)
		require.Len(t, events, 1)
	})
}

// Reading ends with the room, after what happened before.
func TestEvents_EndWithTheRoom(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		ctx, start := testkit.As(t, p.patient), stream.CursorOf(p.room.ID, 1)
		source, err := p.Events(ctx, p.room.ID, &start)
		require.NoError(t, err)
		require.NoError(t, source.Check(ctx))
		feed, err := source.Open(ctx, func() {})
		require.NoError(t, err)
		t.Cleanup(feed.Close)
		p.send(t, p.doctor, "the last one")
		_, err = p.DeleteRoom(testkit.As(t, testkit.User(t, db, access.Admin)), chat.DeleteChatRoomInput{RoomID: p.room.ID})
		require.NoError(t, err)
		var kinds []string
		for err = error(nil); err == nil; {
			var events []*stream.Event
			events, err = feed.Next(ctx)
			for _, e := range events {
				kinds = append(kinds, e.Kind)
			}
		}
		var e *fault.Error
		require.True(t, errors.As(err, &e))
		require.Equal(t, fault.CodeNotFound, e.Code)
		require.Equal(t, []string{chat.KindMessageAdded}, kinds)
	})
}

// A repeated call with the same key opens nothing anew and tells nobody again; another reason under that key is refused.
func TestBreakGlass_Repeated(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		ctx, key := testkit.As(t, testkit.User(t, db, access.Admin)), "k"
		in := chat.BreakGlassInput{RoomID: &p.room.ID, Reason: "A complaint of 3 May.", IdempotencyKey: &key}
		first, err := p.BreakGlass(ctx, in)
		require.NoError(t, err)
		clk.Advance(time.Minute)
		again, err := p.BreakGlass(ctx, in)
		require.NoError(t, err)
		require.Len(t, again, 1)
		require.Equal(t, first[0].ID, again[0].ID)
		n, err := db.Client.RecordOpening.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		in.Reason = "Another complaint."
		_, err = p.BreakGlass(ctx, in)
		requireCode(t, err, "IDEMPOTENCY_KEY_REUSED")
	})
}
