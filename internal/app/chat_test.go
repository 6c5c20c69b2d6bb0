package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

const (
	inboxOperation = `subscription($after: Cursor) { chatInbox(after: $after) { __typename cursor previousCursor
		... on ChatInboxChanged { kind roomId unreadCount unreadTotal room { id lastMessage { body isDeleted } } } } }`
	chatOperation = `subscription($room: ID!, $after: Cursor) { chatEvents(roomId: $room, after: $after) { __typename cursor previousCursor
		... on MessageAdded { message { position body } } ... on MessageEdited { message { position body editedAt version } }
		... on MessageDeleted { message { position body isDeleted } } ... on MessagesRead { upTo } ... on RecordOpened { by byName reason } } }`
	editOperation   = `mutation($id: ID!, $body: String!) { editMessage(input: {id: $id, body: $body}) { message { body version } userErrors { code } } }`
	deleteOperation = `mutation($id: ID!) { deleteMessage(input: {id: $id}) { message { body isDeleted } userErrors { code } } }`
	sayOperation    = `mutation($room: ID!, $body: String!) { sendMessage(input: {roomId: $room, body: $body}) { message { id } userErrors { code } } }`
	openOperation   = `mutation($room: ID!) { breakGlass(input: {roomId: $room, reason: "A complaint of the family"}) { openings { roomId expiresAt } userErrors { code } } }`
)

// chain checks that a feed's events follow each other without a gap, and returns the cursor of the newest.
func chain(t *testing.T, feed *testkit.Feed, field string, n int, after string) (kinds []string, cursor string) {
	t.Helper()
	for cursor = after; n > 0; n-- {
		e := feed.Next()
		if cursor != "" {
			require.Equal(t, cursor, e.Text(field+".previousCursor"), "no event is missing, none comes twice")
		}
		cursor = e.Text(field + ".cursor")
		kind := e.Text(field + ".__typename")
		if field == "chatInbox" && kind != "StreamOpened" {
			kind = e.Text("chatInbox.kind")
		}
		kinds = append(kinds, kind)
	}
	return kinds, cursor
}

// Two instances serve one conversation: whatever is done at one arrives at both, in one order, none twice, in the room's stream and in the inboxes.
func TestChat_TwoInstancesServeOneConversation(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		patientAt := []*testkit.Client{at(t, c.a, c.patient), at(t, c.b, c.patient)}
		doctorAt := []*testkit.Client{at(t, c.a, c.doctor), at(t, c.b, c.doctor)}
		var rooms, inboxes []*testkit.Feed
		for i := range 2 {
			rooms = append(rooms, doctorAt[i].Socket(t).Subscribe(chatOperation, map[string]any{"room": c.room}))
			inboxes = append(inboxes, patientAt[i].Socket(t).Subscribe(inboxOperation, nil))
			require.Equal(t, "StreamOpened", rooms[i].Next().Text("chatEvents.__typename"))
			require.Equal(t, "StreamOpened", inboxes[i].Next().Text("chatInbox.__typename"))
		}
		const writers, each = 4, 3
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				by := []*testkit.Client{doctorAt[0], doctorAt[1], patientAt[0], patientAt[1]}[w]
				for n := range each {
					id := by.Do(t, sayOperation, map[string]any{"room": c.room, "body": fmt.Sprint(w, " says ", n)}).Text("sendMessage.message.id")
					by.Do(t, editOperation, map[string]any{"id": id, "body": fmt.Sprint(w, " says rather ", n)})
					by.Do(t, deleteOperation, map[string]any{"id": id})
				}
			})
		}
		all.Wait()
		patientAt[1].Do(t, readOperation, map[string]any{"room": c.room, "upTo": writers * each}).NoErrors(t)
		const events = writers*each*3 + 1
		count := func(kinds []string, kind string) int { return strings.Count(strings.Join(kinds, " ")+" ", kind+" ") }
		var orders [][]string
		for _, feed := range rooms {
			kinds, _ := chain(t, feed, "chatEvents", events, "")
			require.Equal(t, []int{writers * each, writers * each, writers * each, 1}, []int{
				count(kinds, "MessageAdded"), count(kinds, "MessageEdited"), count(kinds, "MessageDeleted"), count(kinds, "MessagesRead"),
			})
			orders = append(orders, kinds)
		}
		require.Equal(t, orders[0], orders[1], "one order at both")
		shown := doctorAt[1].Do(t, `query($room: ID!) { chatRoom(id: $room) { messages(first: 100, orderBy: [{field: POSITION, direction: ASC}]) {
			edges { node { position isDeleted } } } } }`, map[string]any{"room": c.room}).NoErrors(t)
		require.Equal(t, writers*each, shown.Len("chatRoom.messages.edges"))
		for n := range writers * each {
			require.Equal(t, n+1, shown.Int(fmt.Sprintf("chatRoom.messages.edges.%d.node.position", n)), "positions are dense, whichever instance took the message")
		}
		for _, feed := range inboxes {
			kinds, _ := chain(t, feed, "chatInbox", events, "")
			require.Equal(t, "MESSAGES_READ", kinds[events-1])
			require.Equal(t, writers*each, count(kinds, "MESSAGE_DELETED"))
		}
	})
}

// A device that was away goes on behind its last cursor, at another instance, and other devices of the user follow what is read.
func TestChatInbox_ResumesAfterAReconnect(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		socket := c.patient.Socket(t)
		feed := socket.Subscribe(inboxOperation, nil)
		_, cursor := chain(t, feed, "chatInbox", 1, "")
		c.send(t, c.doctor, "one")
		first := feed.Next()
		require.Equal(t, []any{"MESSAGE_ADDED", c.room, "one"}, []any{first.Text("chatInbox.kind"), first.Text("chatInbox.roomId"), first.Text("chatInbox.room.lastMessage.body")})
		require.Equal(t, []int{1, 1}, []int{first.Int("chatInbox.unreadCount"), first.Int("chatInbox.unreadTotal")})
		require.Equal(t, cursor, first.Text("chatInbox.previousCursor"))
		cursor = first.Text("chatInbox.cursor")
		socket.Drop()
		for _, body := range []string{"two", "three"} {
			c.send(t, c.doctor, body)
		}
		at(t, c.b, c.patient).Do(t, readOperation, map[string]any{"room": c.room, "upTo": 2}).NoErrors(t) // on another device
		again := at(t, c.b, c.patient).Socket(t).Subscribe(inboxOperation, map[string]any{"after": cursor})
		kinds, last := chain(t, again, "chatInbox", 3, cursor)
		require.Equal(t, []string{"MESSAGE_ADDED", "MESSAGE_ADDED", "MESSAGES_READ"}, kinds)
		c.send(t, c.patient, "mine")
		own := again.Next()
		require.Equal(t, last, own.Text("chatInbox.previousCursor"))
		require.Equal(t, 1, own.Int("chatInbox.unreadCount"), "own messages count as read")
		foreign := c.doctor.Socket(t).Subscribe(inboxOperation, map[string]any{"after": cursor})
		code, _ := foreign.End()
		require.Equal(t, "INVALID_INPUT", code, "the cursor of another user's inbox")
	})
}

// An administrator follows a conversation from the stated reason until the hour is over; the participants are told and go on.
func TestBreakGlass_OverTheSocket(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{Settings: map[string]string{"STAFF_SESSION_TIMEOUT": "7200"}})
		ada := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Admin).Email, testkit.Password)
		vars := map[string]any{"room": c.room}
		code, _ := ada.Socket(t).Subscribe(chatOperation, vars).End()
		require.Equal(t, "NOT_FOUND", code)
		doctor := c.doctor.Socket(t).Subscribe(chatOperation, vars)
		require.Equal(t, "StreamOpened", doctor.Next().Text("chatEvents.__typename"))
		require.Equal(t, 1, ada.Do(t, openOperation, vars).NoErrors(t).Len("breakGlass.openings"))
		told := doctor.Next()
		require.Equal(t, []string{"RecordOpened", "A complaint of the family", "Robin Ashdown"},
			[]string{told.Text("chatEvents.__typename"), told.Text("chatEvents.reason"), told.Text("chatEvents.byName")})
		follows := at(t, c.b, ada).Socket(t).Subscribe(chatOperation, vars)
		require.Equal(t, "StreamOpened", follows.Next().Text("chatEvents.__typename"))
		c.send(t, c.doctor, "read along")
		require.Equal(t, "read along", follows.Next().Text("chatEvents.message.body"))
		require.Equal(t, "FORBIDDEN", c.doctor.Do(t, openOperation, vars).Text("breakGlass.userErrors.0.code"))
		c.a.Clock.Advance(60 * time.Minute)
		code, _ = follows.End()
		require.Equal(t, "NOT_FOUND", code)
	})
}

// A file goes the whole way: announced, sent to the link, put into a message, read by its link, and by nobody else.
func TestChat_Attachment(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{Settings: map[string]string{"STORAGE_URL": "file://" + t.TempDir() + "/files"}})
		content := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 2<<20)...) // more than a GraphQL request may have
		const announce = `mutation($room: ID!, $size: Int!) { createUpload(input: {roomId: $room, purpose: CHAT_ATTACHMENT, fileName: "plan.pdf",
			contentType: "application/pdf", sizeBytes: $size}) { upload { id url expiresAt } userErrors { code field } } }`
		require.Equal(t, "UPLOAD_REJECTED", c.patient.Do(t, announce, map[string]any{"room": c.room, "size": 10<<20 + 1}).Text("createUpload.userErrors.0.code"))
		up := c.patient.Do(t, announce, map[string]any{"room": c.room, "size": len(content)}).NoErrors(t)
		call := func(method, url string, body []byte) (int, []byte, http.Header) {
			request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
			require.NoError(t, err)
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer func() { _ = answer.Body.Close() }()
			read, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			return answer.StatusCode, read, answer.Header
		}
		status, _, _ := call(http.MethodPut, up.Text("createUpload.upload.url"), content)
		require.Equal(t, http.StatusNoContent, status)
		sent := c.patient.Do(t, `mutation($room: ID!, $file: ID!) { sendMessage(input: {roomId: $room, body: "", attachmentIds: [$file]}) {
			message { id body attachments { fileName contentType sizeBytes url } } userErrors { code } } }`,
			map[string]any{"room": c.room, "file": up.Text("createUpload.upload.id")}).NoErrors(t)
		require.Equal(t, 1, sent.Len("sendMessage.message.attachments"))
		shown := at(t, c.b, c.doctor).Do(t, `query($room: ID!) { chatRoom(id: $room) { lastMessage { attachments { fileName url } } } }`, map[string]any{"room": c.room}).NoErrors(t)
		link := shown.Text("chatRoom.lastMessage.attachments.0.url")
		status, read, header := call(http.MethodGet, link, nil)
		require.Equal(t, http.StatusOK, status)
		require.True(t, bytes.Equal(content, read))
		require.Equal(t, "attachment; filename=plan.pdf", header.Get("Content-Disposition"))
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		status, _, _ = call(http.MethodGet, link[:len(link)-2], nil)
		require.Equal(t, http.StatusForbidden, status)
	})
}

// Whichever write of an edit fails, nothing of it stands: no version, no event of the room, none of an inbox; the next one goes on without a gap.
func TestChat_AFailedWriteOfAnEditLeavesNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		faults := &testkit.Faults{}
		c := converse(t, engine, instances.Options{Wrap: faults.Wrap})
		vars := map[string]any{"id": c.patient.Do(t, sendOperation, map[string]any{"room": c.room, "body": "text 1"}).Text("sendMessage.message.id"), "body": "text 2"}
		room := c.doctor.Socket(t).Subscribe(chatOperation, map[string]any{"room": c.room})
		inbox := c.doctor.Socket(t).Subscribe(inboxOperation, nil)
		_, last := chain(t, room, "chatEvents", 1, "")
		_, lastIn := chain(t, inbox, "chatInbox", 1, "")
		faults.Watch()
		c.patient.Do(t, editOperation, vars).NoErrors(t)
		writes := len(faults.Seen())
		require.GreaterOrEqual(t, writes, 4, "version, counters, events, commit: %v", faults.Seen())
		_, last = chain(t, room, "chatEvents", 1, last)
		_, lastIn = chain(t, inbox, "chatInbox", 1, lastIn)
		for n := 1; n <= writes; n++ {
			vars["body"] = fmt.Sprint("text ", n+2)
			faults.FailAt(n, errors.New("the disk is full"))
			c.patient.Do(t, editOperation, vars)
			faults.Watch()
			again := c.patient.Do(t, editOperation, vars).NoErrors(t)
			require.Equal(t, n+2, again.Int("editMessage.message.version"), "write %d: one version for each text", n)
			_, last = chain(t, room, "chatEvents", 1, last)
			_, lastIn = chain(t, inbox, "chatInbox", 1, lastIn)
		}
	})
}
