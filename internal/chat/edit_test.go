package chat_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatmessageversion"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func (p *practice) edit(t *testing.T, who any, m *ent.ChatMessage, body string) error {
	t.Helper()
	_, err := p.Edit(testkit.As(t, who), chat.EditMessageInput{ID: m.ID, Body: body})
	return err
}

func (p *practice) remove(t *testing.T, who any, m *ent.ChatMessage) error {
	t.Helper()
	_, err := p.DeleteMessage(testkit.As(t, who), chat.DeleteMessageInput{ID: m.ID})
	return err
}

// text is what readers see of a message.
func (p *practice) text(t *testing.T, m *ent.ChatMessage) chat.Text {
	t.Helper()
	found, err := p.Newer(t.Context(), []uuid.UUID{m.ID})
	require.NoError(t, err)
	return chat.TextFrom(m, found[m.ID])
}

func (p *practice) kinds(t *testing.T, streamID uuid.UUID) (list []string) {
	t.Helper()
	entries, err := p.db.Client.StreamEntry.Query().Where(streamentry.StreamID(streamID)).Order(streamentry.ByPosition()).All(testkit.System(t))
	require.NoError(t, err)
	for i, e := range entries {
		require.Equal(t, int64(i+1), e.Position)
		require.NotContains(t, e.Data, "rash", "no stream holds medical text")
		list = append(list, e.Kind)
	}
	return list
}

// The window is 15 minutes, and its last instant is in it.
func TestEdit_Window(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m, gone := p.send(t, p.patient, "a rash"), p.send(t, p.patient, "a mistake")
		clk.Advance(15 * time.Minute)
		require.NoError(t, p.edit(t, p.patient, m, " a red rash "))
		require.NoError(t, p.remove(t, p.patient, gone))
		require.Equal(t, "a red rash", *p.text(t, m).Body)
		require.Equal(t, clk.Now(), *p.text(t, m).EditedAt)
		require.True(t, p.CanEdit(testkit.Viewer(p.patient), m, p.text(t, m)))
		clk.Advance(time.Microsecond)
		requireCode(t, p.edit(t, p.patient, m, "too late"), "EDIT_WINDOW_CLOSED")
		requireCode(t, p.remove(t, p.patient, m), "EDIT_WINDOW_CLOSED")
		require.False(t, p.CanEdit(testkit.Viewer(p.patient), m, p.text(t, m)))
		require.NoError(t, p.edit(t, p.patient, m, "a red rash"), "what it says already changes nothing")
		require.NoError(t, p.remove(t, p.patient, gone), "what is gone stays gone")
		require.Equal(t, "a red rash", *p.text(t, m).Body)
	})
}

func TestEdit_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m := p.send(t, p.patient, "a rash")
		for name, v := range p.outsiders(t) {
			_, err := p.Edit(access.As(t.Context(), v), chat.EditMessageInput{ID: m.ID, Body: "mine"})
			requireCode(t, err, fault.CodeNotFound, name)
			_, err = p.DeleteMessage(access.As(t.Context(), v), chat.DeleteMessageInput{ID: m.ID})
			requireCode(t, err, fault.CodeNotFound, name)
		}
		_, err := p.Edit(t.Context(), chat.EditMessageInput{ID: m.ID, Body: "nobody's"})
		requireCode(t, err, fault.CodeUnauthenticated)
		requireCode(t, p.edit(t, p.doctor, m, "the other one's"), fault.CodeForbidden)
		requireCode(t, p.remove(t, p.doctor, m), fault.CodeForbidden)
		requireCode(t, p.edit(t, p.patient, &ent.ChatMessage{ID: ids.New("ChatMessage", clk.Now())}, "none"), fault.CodeNotFound)
		requireCode(t, p.edit(t, p.patient, m, " \n "), "MESSAGE_EMPTY")
		requireCode(t, p.edit(t, p.patient, m, strings.Repeat("ä", 4001)), "MESSAGE_TOO_LONG")
		requireCode(t, p.edit(t, p.patient, m, "a\x00b"), fault.CodeInvalidInput)
		two := 2
		current, err := p.Edit(testkit.As(t, p.patient), chat.EditMessageInput{ID: m.ID, Body: "stale", ExpectedVersion: &two})
		requireCode(t, err, fault.CodeConflict)
		require.Equal(t, m.ID, current.ID)
		for _, status := range []chatroom.Status{chatroom.StatusINACTIVE, chatroom.StatusSUSPENDED, chatroom.StatusARCHIVED} {
			p.put(t, status)
			requireCode(t, p.edit(t, p.patient, m, "not here"), "ROOM_NOT_WRITABLE", status)
			requireCode(t, p.remove(t, p.patient, m), "ROOM_NOT_WRITABLE", status)
		}
		p.put(t, chatroom.StatusACTIVE)
		require.NoError(t, p.remove(t, p.patient, m))
		requireCode(t, p.edit(t, p.patient, m, "back again"), fault.CodeNotFound)
		require.Equal(t, []string{chat.KindRoomStatusChanged, chat.KindMessageAdded, chat.KindMessageDeleted}, p.kinds(t, p.room.ID))
	})
}

// Every text is kept, with its author in the audit and without the text there; readers see the latest, or that it is gone.
func TestEdit_KeepsEveryText(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m := p.send(t, p.doctor, "take one")
		for _, body := range []string{"take two", "take three"} {
			clk.Advance(time.Minute)
			require.NoError(t, p.edit(t, p.doctor, m, body))
		}
		require.NoError(t, p.remove(t, p.doctor, m))
		require.Equal(t, chat.Text{Version: 4}, p.text(t, m))
		ctx := testkit.System(t)
		versions, err := db.Client.ChatMessageVersion.Query().Order(chatmessageversion.ByNumber()).All(ctx)
		require.NoError(t, err)
		require.Len(t, versions, 3)
		require.Equal(t, []any{2, "take two", 3, "take three", 4}, []any{versions[0].Number, *versions[0].Body, versions[1].Number, *versions[1].Body, versions[2].Number})
		require.Nil(t, versions[2].Body)
		for _, v := range versions {
			e, err := db.Client.AuditEvent.Query().Where(auditevent.EntityID(v.ID)).Only(ctx)
			require.NoError(t, err)
			require.Equal(t, p.doctor.UserID, *e.ActorID)
			require.NotContains(t, fmt.Sprint(e.Changes), "take")
		}
		// By an event from before, too, a reader sees what is left of it.
		page, err := p.EventPage(testkit.As(t, p.patient), p.room.ID, nil, nil)
		require.NoError(t, err)
		require.Len(t, page.Events, 5)
		for _, e := range page.Events[1:] {
			shown, known := chat.TextOf(e.Value.(*ent.ChatMessage))
			require.True(t, known)
			require.True(t, shown.IsDeleted(), e.Kind)
		}
		for _, who := range []any{p.patient, p.doctor} {
			texts, err := p.Versions(testkit.As(t, who), []*ent.ChatMessage{m})
			require.NoError(t, err)
			require.Empty(t, texts, "participants see the latest text alone")
		}
	})
}

func TestUnread_LeavesDeletedMessagesOut(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		first, second := p.send(t, p.doctor, "one"), p.send(t, p.doctor, "two")
		p.send(t, p.patient, "mine")
		require.Equal(t, 2, p.state(t, p.patient).Unread)
		require.NoError(t, p.edit(t, p.doctor, second, "two, better"))
		require.NoError(t, p.remove(t, p.doctor, first))
		require.Equal(t, 1, p.state(t, p.patient).Unread, "an edited one is still one")
		total, err := p.UnreadTotal(testkit.As(t, p.patient))
		require.NoError(t, err)
		require.Equal(t, 1, total)
	})
}

// Many who send, change, delete and read at once leave dense positions, one order, and as many versions as events tell of.
func TestEdit_AmongManyOthers(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		target := p.send(t, p.patient, "target")
		var texts atomic.Int64
		for _, err := range atOnce(24, func(i int) error {
			switch i % 4 {
			case 0:
				_, err := p.Send(testkit.As(t, p.doctor), p.says(fmt.Sprint("message ", i)))
				return err
			case 1:
				m, err := p.Send(testkit.As(t, p.patient), p.says(fmt.Sprint("mine ", i)))
				if err != nil {
					return err
				}
				return p.remove(t, p.patient, m)
			case 2:
				texts.Add(1)
				return p.edit(t, p.patient, target, fmt.Sprint("text ", i))
			default:
				return p.mark(t, p.doctor, 1)
			}
		}) {
			require.NoError(t, err)
		}
		require.Len(t, p.requireDense(t, p.room.ID), 13)
		require.Equal(t, int(texts.Load())+1, p.text(t, target).Version)
		kinds := strings.Join(p.kinds(t, p.room.ID), " ")
		require.Equal(t, 6, strings.Count(kinds, chat.KindMessageEdited))
		require.Equal(t, 6, strings.Count(kinds, chat.KindMessageDeleted))
		require.Equal(t, 1, strings.Count(kinds, chat.KindMessagesRead))
		for _, who := range []uuid.UUID{*p.patient.UserID, p.doctor.UserID} {
			require.Equal(t, p.kinds(t, p.room.ID), p.kinds(t, chat.InboxOf(who)), "an inbox of one room tells the same in the same order")
		}
	})
}

// An edit sees what was done to the room while it waited for it.
func TestEdit_SeesWhatWasChangedWhileItWaited(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m := p.send(t, p.patient, "before")
		requireCode(t, p.meanwhile(t, func(ctx context.Context) error {
			return db.Client.ChatRoom.UpdateOne(p.room).SetStatus(chatroom.StatusSUSPENDED).Exec(ctx)
		}, func() error { return p.edit(t, p.patient, m, "after") }), "ROOM_NOT_WRITABLE")
	})
}
