package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

const chatSubscription = `subscription($room: ID!, $after: Cursor) { chatEvents(roomId: $room, after: $after) { __typename cursor previousCursor occurredAt
  ... on MessageAdded { message { id position body senderRole clientMessageId } } ... on MessagesRead { by upTo } ... on RoomStatusChanged { status } } }`

const sendOperation = `mutation($room: ID!, $body: String!, $id: String) { sendMessage(input: {roomId: $room, body: $body, clientMessageId: $id}) {
  message { id position body } userErrors { code message } } }`

const readOperation = `mutation($room: ID!, $upTo: Int!) { markRoomRead(input: {roomId: $room, upTo: $upTo}) { room { readUpTo unreadCount } userErrors { code } } }`

// conversation is a room whose patient is signed in at one instance and whose doctor at another; on SQLite both are the same.
type conversation struct {
	a, b            *instances.Instance
	room            string
	patientRow      *ent.Patient
	doctorRow       *ent.Practitioner
	doctorEmail     string
	patient, doctor *testkit.Client // of a and of b
}

func converse(t *testing.T, engine string, opts instances.Options) *conversation {
	t.Helper()
	all := instances.Start(t, engine, 2, opts)
	c := &conversation{a: all[0], b: all[1]}
	db := c.a.DB
	c.patientRow, c.doctorRow = testkit.Patient(t, db), testkit.Practitioner(t, db)
	account, err := db.Client.User.Get(testkit.System(t), c.doctorRow.UserID)
	require.NoError(t, err)
	c.doctorEmail = account.Email
	c.room = openRoom(t, c.a, c.doctorRow, c.patientRow)
	c.patient = c.a.Client(t).SignIn(t, c.patientRow.Email, testkit.Password)
	c.doctor = c.b.Client(t).SignIn(t, c.doctorEmail, testkit.Password)
	return c
}

// openRoom books a visit and opens its room.
func openRoom(t *testing.T, i *instances.Instance, doctor *ent.Practitioner, patient *ent.Patient) (id string) {
	t.Helper()
	visits, err := i.DB.Client.Appointment.Query().Count(testkit.System(t))
	require.NoError(t, err)
	visit := testkit.Appointment(t, i.DB, testkit.Slot(t, i.DB, doctor, i.Clock.Now().Add(time.Duration(visits+1)*time.Hour)), patient)
	require.NoError(t, i.Chat.Open(testkit.System(t), visit))
	room, err := i.DB.Client.ChatRoom.Query().Where(chatroom.AppointmentID(visit.ID)).OnlyID(testkit.System(t))
	require.NoError(t, err)
	return room.String()
}

// at returns the client at another instance.
func at(t *testing.T, i *instances.Instance, c *testkit.Client) *testkit.Client {
	return i.Client(t).WithToken(c.Token)
}

// send stores a message and returns its position.
func (c *conversation) send(t *testing.T, from *testkit.Client, body string) int {
	t.Helper()
	return from.Do(t, sendOperation, map[string]any{"room": c.room, "body": body}).NoErrors(t).Int("sendMessage.message.position")
}

// follow subscribes; without after it returns once the stream stands.
func (c *conversation) follow(s *testkit.Socket, after any) *testkit.Feed {
	f := s.Subscribe(chatSubscription, map[string]any{"room": c.room, "after": after})
	if after == nil {
		if kind := f.Next().Text("chatEvents.__typename"); kind != "StreamOpened" {
			panic("the first event is a " + kind)
		}
	}
	return f
}

func both(t *testing.T, fn func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, engine)
		})
	}
}

// inTurn is for tests that measure times: they run before the parallel ones, one engine after the other.
func inTurn(t *testing.T, fn func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) { fn(t, engine) })
	}
}

// TestSockets_APaidVisitIsAConversation: the payment opens the room, patient and doctor see each other's messages, wherever each is connected and however each sends.
func TestSockets_APaidVisitIsAConversation(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		all := instances.Start(t, engine, 2, instances.Options{})
		a, b := all[0], all[1]
		alice, doctor := testkit.Patient(t, a.DB), testkit.Practitioner(t, a.DB)
		account, err := a.DB.Client.User.Get(testkit.System(t), doctor.UserID)
		require.NoError(t, err)
		wanted := testkit.Slot(t, a.DB, doctor, a.Clock.Now().Add(24*time.Hour))
		patient := a.Client(t).SignIn(t, alice.Email, testkit.Password)
		booked := patient.Do(t, bookOperation, map[string]any{"slot": wanted.ID}).NoErrors(t)
		require.Zero(t, patient.Do(t, `{ chatRooms { totalCount } }`, nil).NoErrors(t).Int("chatRooms.totalCount"), "not paid yet")
		pay(t, patient.Do(t, orderOperation, map[string]any{"id": booked.Text("bookAppointment.appointment.id")}).NoErrors(t).Text("createOrder.checkoutUrl"))
		rooms := patient.Do(t, `{ chatRooms { edges { node { id status viewerCanSend } } } }`, nil).NoErrors(t)
		require.Equal(t, 1, rooms.Len("chatRooms.edges"))
		require.Equal(t, true, rooms.Get("chatRooms.edges.0.node.viewerCanSend"))
		c := &conversation{a: a, b: b, room: rooms.Text("chatRooms.edges.0.node.id"), patient: patient, doctor: b.Client(t).SignIn(t, account.Email, testkit.Password)}

		mine, theirs := c.patient.Socket(t), c.doctor.Socket(t)
		for _, field := range []string{"sessionId", "expiresAt", "serverTime"} {
			require.NotEmpty(t, mine.Ack.Text(field), field)
		}
		feeds := []*testkit.Feed{c.follow(mine, nil), c.follow(theirs, nil)}
		send := map[string]func(body string) *answer.Answer{
			"PATIENT": func(body string) *answer.Answer {
				return mine.Do(sendOperation, map[string]any{"room": c.room, "body": body})
			},
			"PRACTITIONER": func(body string) *answer.Answer {
				return &c.doctor.Do(t, sendOperation, map[string]any{"room": c.room, "body": body}).Answer
			},
		}
		last := []string{"", ""}
		for n := range 10 {
			role := []string{"PATIENT", "PRACTITIONER"}[n%2]
			body := fmt.Sprintf("<b>%d</b> \u2603 \"quoted\"", n)
			sent := send[role](body)
			require.Empty(t, sent.Code())
			for i, f := range feeds {
				e := f.Next()
				require.Equal(t, "MessageAdded", e.Text("chatEvents.__typename"))
				require.Equal(t, body, e.Text("chatEvents.message.body"))
				require.Equal(t, role, e.Text("chatEvents.message.senderRole"))
				require.Equal(t, sent.Text("sendMessage.message.id"), e.Text("chatEvents.message.id"))
				require.Equal(t, n+1, e.Int("chatEvents.message.position"))
				if last[i] != "" {
					require.Equal(t, last[i], e.Text("chatEvents.previousCursor"))
				}
				last[i] = e.Text("chatEvents.cursor")
			}
		}
		require.Equal(t, last[0], last[1])
		require.Equal(t, 5, c.doctor.Do(t, `{ unreadTotal }`, nil).NoErrors(t).Int("unreadTotal"))
		require.Empty(t, theirs.Do(readOperation, map[string]any{"room": c.room, "upTo": 10}).Code())
		for _, f := range feeds {
			e := f.Next()
			require.Equal(t, "MessagesRead", e.Text("chatEvents.__typename"))
			require.Equal(t, account.ID.String(), e.Text("chatEvents.by"))
			require.Equal(t, 10, e.Int("chatEvents.upTo"))
		}
		require.Zero(t, c.doctor.Do(t, `{ unreadTotal }`, nil).NoErrors(t).Int("unreadTotal"))
	})
}

// TestSockets_ResumeAfterEveryCursor gives exactly what follows, on each instance.
func TestSockets_ResumeAfterEveryCursor(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		socket := c.patient.Socket(t)
		feed := c.follow(socket, nil)
		const n = 24
		for i := range n {
			if i%6 == 5 {
				c.patient.Do(t, readOperation, map[string]any{"room": c.room, "upTo": i - i/6}).NoErrors(t)
				continue
			}
			c.send(t, []*testkit.Client{c.patient, c.doctor}[i%2], fmt.Sprint("message ", i))
		}
		var all []*answer.Answer
		for range n {
			all = append(all, feed.Next())
		}
		reader := []*testkit.Socket{socket, c.doctor.Socket(t)}
		for i := range all {
			resumed := c.follow(reader[i%2], all[i].Text("chatEvents.cursor"))
			for _, want := range all[i+1:] {
				require.Equal(t, want.Data, resumed.Next().Data, "after event %d", i)
			}
			if i < n-1 {
				require.NoError(t, resumed.Stop())
				continue
			}
			c.send(t, c.patient, "one more")
			require.Equal(t, "one more", resumed.Next().Text("chatEvents.message.body"), "the end of the log, then what is new")
		}
		page := c.patient.Do(t, `query($room: ID!, $after: Cursor) { chatEvents(roomId: $room, after: $after, first: 100) { edges { cursor node { __typename } } } }`,
			map[string]any{"room": c.room, "after": all[3].Text("chatEvents.cursor")}).NoErrors(t)
		require.Equal(t, n-4+1, page.Len("chatEvents.edges"))
		for i, want := range all[4:] {
			require.Equal(t, want.Text("chatEvents.cursor"), page.Text(fmt.Sprintf("chatEvents.edges.%d.cursor", i)))
		}
	})
}

// TestSockets_CursorsOfElsewhere are refused.
func TestSockets_CursorsOfElsewhere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		other := *c
		other.room = openRoom(t, c.a, c.doctorRow, c.patientRow)
		socket := c.patient.Socket(t)
		opened := socket.Subscribe(chatSubscription, map[string]any{"room": other.room}).Next().Text("chatEvents.cursor")
		for _, cursor := range []string{opened, "", "nonsense", "gaFpzH////8"} {
			if cursor == "" {
				continue
			}
			code, events := c.follow(socket, cursor).End()
			require.Equal(t, "INVALID_INPUT", code, cursor)
			require.Empty(t, events)
		}
	})
}

// TestSockets_RoomsOfOthersAreNotThere.
func TestSockets_RoomsOfOthersAreNotThere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		bruno := testkit.Patient(t, c.a.DB)
		stranger := c.a.Client(t).SignIn(t, bruno.Email, testkit.Password).Socket(t)
		colleague, err := c.a.DB.Client.User.Get(testkit.System(t), testkit.Practitioner(t, c.a.DB).UserID)
		require.NoError(t, err)
		doctor := c.b.Client(t).SignIn(t, colleague.Email, testkit.Password).Socket(t)
		admin := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Admin).Email, testkit.Password).Socket(t)
		for _, room := range []string{c.room, bruno.ID.String(), "00000000-0000-0000-0000-000000000000"} {
			for who, s := range map[string]*testkit.Socket{"patient": stranger, "doctor": doctor} {
				code, events := s.Subscribe(chatSubscription, map[string]any{"room": room}).End()
				require.Equal(t, "NOT_FOUND", code, "%s %s", who, room)
				require.Empty(t, events)
				require.Equal(t, "NOT_FOUND", s.Do(sendOperation, map[string]any{"room": room, "body": "hello"}).Code())
			}
			code, _ := admin.Subscribe(chatSubscription, map[string]any{"room": room}).End()
			require.Contains(t, []string{"NOT_FOUND", "FORBIDDEN"}, code, "nobody but the two reads along")
		}
		anonymous := testkit.DialSocket(t, c.a.URL, "")
		code, _ := anonymous.Subscribe(chatSubscription, map[string]any{"room": c.room}).End()
		require.Equal(t, "UNAUTHENTICATED", code)
	})
}
