package chat_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

var statuses = []chatroom.Status{chatroom.StatusACTIVE, chatroom.StatusINACTIVE, chatroom.StatusSUSPENDED, chatroom.StatusARCHIVED}

// The table of steps as the documentation of the package states it: what each action does in each status; "" is refused.
var steps = map[chat.ChatRoomAction][4]chatroom.Status{
	"ACTIVATE":   {"ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE"},
	"DEACTIVATE": {"INACTIVE", "INACTIVE", "INACTIVE", ""},
	"SUSPEND":    {"SUSPENDED", "SUSPENDED", "SUSPENDED", ""},
	"ARCHIVE":    {"", "ARCHIVED", "ARCHIVED", "ARCHIVED"},
}

func TestManage_Steps(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		admin := testkit.User(t, db, access.Admin)
		events := 1
		for i, from := range statuses {
			for action, want := range steps {
				p.put(t, from)
				clk.Advance(time.Second)
				who := any(p.doctor)
				if action == "ARCHIVE" {
					who = admin
				}
				r, err := p.Manage(testkit.As(t, who), chat.ManageChatRoomInput{RoomID: p.room.ID, Action: action})
				switch want[i] {
				case "":
					requireCode(t, err, "ILLEGAL_STATUS", from, action)
				case from:
					require.NoError(t, err)
					require.Equal(t, from, r.Status)
				default:
					require.NoError(t, err)
					require.Equal(t, want[i], r.Status)
					require.Equal(t, clk.Now(), *r.StatusSince)
					events++
				}
				require.Len(t, p.kinds(t, p.room.ID), events, "%s of a room that is %s", action, from)
				require.Equal(t, want[i] != "" && want[i] != from, chat.RoomMayBecome(from, want[i]))
			}
		}
		require.Equal(t, p.kinds(t, p.room.ID), p.kinds(t, chat.InboxOf(*p.patient.UserID)))
	})
}

func TestManage_Refusals(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		in := chat.ManageChatRoomInput{RoomID: p.room.ID, Action: "SUSPEND"}
		for name, v := range p.outsiders(t) {
			if v.Has(access.Admin) {
				continue
			}
			_, err := p.Manage(access.As(t.Context(), v), in)
			requireCode(t, err, fault.CodeNotFound, name)
			_, err = p.DeleteRoom(access.As(t.Context(), v), chat.DeleteChatRoomInput{RoomID: p.room.ID})
			requireCode(t, err, fault.CodeNotFound, name)
		}
		_, err := p.Manage(testkit.As(t, p.patient), in)
		requireCode(t, err, fault.CodeForbidden)
		for _, who := range []any{p.patient, p.doctor} {
			_, err := p.DeleteRoom(testkit.As(t, who), chat.DeleteChatRoomInput{RoomID: p.room.ID})
			requireCode(t, err, fault.CodeForbidden)
		}
		require.Len(t, p.kinds(t, p.room.ID), 1)
	})
}

// A room that cannot be written in can be read, and read marks still move.
func TestManage_ReadableWithoutWriting(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		p.send(t, p.doctor, "last words")
		for _, action := range []chat.ChatRoomAction{"SUSPEND", "DEACTIVATE", "ARCHIVE"} {
			_, err := p.Manage(testkit.As(t, p.doctor), chat.ManageChatRoomInput{RoomID: p.room.ID, Action: action})
			require.NoError(t, err)
			_, err = p.Send(testkit.As(t, p.patient), p.says("more"))
			requireCode(t, err, "ROOM_NOT_WRITABLE")
			require.Len(t, p.find(t, p.patient, chat.MessagesInput{}), 1)
		}
		require.NoError(t, p.mark(t, p.patient, 1))
		require.Zero(t, p.state(t, p.patient).Unread)
	})
}

// A room that was taken away is gone for everybody, its events and messages as well; the record keeps all.
func TestDeleteRoom(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		m := p.send(t, p.doctor, "hello")
		admin := testkit.User(t, db, access.Admin)
		id, err := p.DeleteRoom(testkit.As(t, admin), chat.DeleteChatRoomInput{RoomID: p.room.ID})
		require.NoError(t, err)
		require.Equal(t, p.room.ID, id)
		for _, who := range []any{p.patient, p.doctor, admin} {
			ctx := testkit.As(t, who)
			_, err := db.Client.ChatRoom.Get(ctx, p.room.ID)
			require.True(t, ent.IsNotFound(err))
			_, err = db.Client.ChatMessage.Get(ctx, m.ID)
			require.True(t, ent.IsNotFound(err))
			_, err = p.EventPage(ctx, p.room.ID, nil, nil)
			requireCode(t, err, fault.CodeNotFound)
			total, err := p.UnreadTotal(ctx)
			require.NoError(t, err)
			require.Zero(t, total)
		}
		_, err = p.Send(testkit.As(t, p.patient), p.says("still there?"))
		requireCode(t, err, fault.CodeNotFound)
		_, err = p.DeleteRoom(testkit.As(t, admin), chat.DeleteChatRoomInput{RoomID: p.room.ID})
		requireCode(t, err, fault.CodeNotFound)
		require.Len(t, p.requireDense(t, p.room.ID), 1)
		kinds := p.kinds(t, chat.InboxOf(*p.patient.UserID))
		require.Equal(t, chat.KindRoomDeleted, kinds[len(kinds)-1])
	})
}

// The archive takes rooms 30 days after they became INACTIVE, to the instant, and no others.
func TestArchiveDue(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		other, suspended := p.open(t, p.doctor, p.patient), p.open(t, p.doctor, p.patient)
		manage := func(r *ent.ChatRoom, action chat.ChatRoomAction) {
			_, err := p.Manage(testkit.As(t, p.doctor), chat.ManageChatRoomInput{RoomID: r.ID, Action: action})
			require.NoError(t, err)
		}
		manage(p.room, "DEACTIVATE")
		manage(suspended, "SUSPEND")
		clk.Advance(time.Hour)
		manage(other, "DEACTIVATE")
		clk.Advance(30*24*time.Hour - time.Hour - time.Microsecond)
		archive := func(want int) {
			n, err := p.ArchiveDue(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		archive(0)
		clk.Advance(time.Microsecond)
		archive(1)
		archive(0)
		for r, want := range map[*ent.ChatRoom]chatroom.Status{p.room: "ARCHIVED", other: "INACTIVE", suspended: "SUSPENDED"} {
			now, err := db.Client.ChatRoom.Get(testkit.System(t), r.ID)
			require.NoError(t, err)
			require.Equal(t, want, now.Status)
		}
	})
}
