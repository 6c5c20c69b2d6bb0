package matrix_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/testkit"
)

// room is who may read along in a room, and who says something there; nobody where it cannot be written in.
type room struct{ readers, speaker string }

// rooms is the oracle of subscriptions to rooms. A room of the world without an entry fails the test.
var rooms = map[string]room{
	"alice.done": {"alice dora", nobody},
	"alice.next": {"alice dora ada", "alice"}, // ada has opened it
	"bob.done":   {"bob drew", "drew"},
	"bob.missed": {"bob", "bob"}, // the practitioner has left
	"carol.next": {"dana", "dana"},
	"bob.gone":   {nobody, nobody},
}

const follow = `subscription ($room: ID!) { chatEvents(roomId: $room) { __typename ... on MessageAdded { message { id roomId body } } } }`

const watch = `subscription ($of: ID!, $from: DateTime!, $to: DateTime!) { slotsChanged(practitionerId: $of, from: $from, to: $to) { hasMore slots { id } } }`

// tryStreams opens every subscription as every viewer, says something in every room twice, and looks who hears what.
func (a *api) tryStreams() {
	heard := map[string][]*testkit.Feed{} // by room
	for _, viewer := range viewerNames {
		socket := a.clients[viewer].Socket(a.t)
		a.tryStream(viewer, "sessionEvents", "SessionOpened", viewer != anonymous && viewer != "norm", socket.Subscribe(`subscription { sessionEvents { __typename } }`, nil))
		for _, id := range a.of("Appointment") { // whoever reads the visit follows it
			feed := socket.Subscribe(`subscription ($id: ID!) { appointmentChanged(appointmentId: $id) { __typename } }`, map[string]any{"id": id.String()})
			a.tryStream(viewer, "appointmentChanged of "+a.names[id], "StreamOpened", a.read[id][viewer], feed)
		}
		a.tryStream(viewer, "chatInbox", "StreamOpened", viewers(talkers)[viewer], socket.Subscribe(`subscription { chatInbox { __typename } }`, nil))
		a.tryStream(viewer, "slotsChanged", "hasMore:false", viewers(directory)[viewer], socket.Subscribe(watch, map[string]any{
			"of": a.ids["Practitioner dora"].String(), "from": testkit.Start.Format(time.RFC3339), "to": testkit.Start.AddDate(0, 0, 31).Format(time.RFC3339),
		}))
		for _, id := range a.of("Ward") {
			a.tryStream(viewer, "bedBoard of "+a.names[id], "places:", viewers(house)[viewer],
				socket.Subscribe(`subscription ($id: ID!) { bedBoard(wardId: $id) { places { isFree } } }`, map[string]any{"id": id.String()}))
		}
		for _, id := range a.of("Wallet") {
			a.tryStream(viewer, "walletActivity of "+a.names[id], "StreamOpened", a.read[id][viewer], socket.Subscribe(
				`subscription ($id: ID!) { walletActivity(patientId: $id) { __typename } }`, map[string]any{"id": a.refs[id]["patient_id"].String()}))
		}
		for _, id := range a.of("ChatRoom") {
			name := strings.TrimPrefix(a.names[id], "ChatRoom ")
			if _, known := rooms[name]; !known {
				a.t.Errorf("no table says who follows the room %s", name)
				continue
			}
			reads := viewers(rooms[name].readers)[viewer]
			feed := socket.Subscribe(follow, map[string]any{"room": id.String()})
			a.tryStream(viewer, "chatEvents of "+name, "StreamOpened", reads, feed)
			a.tryStream(viewer, "typing of "+name, "isTyping:false", reads && viewers(talkers)[viewer],
				socket.Subscribe(`subscription ($room: ID!) { typing(roomId: $room) { isTyping } }`, map[string]any{"room": id.String()}))
			if reads {
				heard[name] = append(heard[name], feed)
			}
		}
	}
	for round := range 2 {
		for name, r := range rooms {
			if r.speaker != nobody {
				a.speak(name, r.speaker, fmt.Sprintf("%s says %d", name, round), heard[name])
			}
		}
	}
}

// tryStream compares how a subscription begins with the table: with its first event, or with a refusal that tells of nothing hidden.
func (a *api) tryStream(viewer, what, opening string, allowed bool, feed *testkit.Feed) {
	a.tried(wayStream, "ChatRoom")
	if allowed {
		if first := feed.Next(); !strings.Contains(fmt.Sprint(first.Data), opening) {
			a.violated(wayStream, viewer, "%s begins with %v", what, first.Data)
		}
		return
	}
	want := "NOT_FOUND"
	switch {
	case viewer == anonymous:
		want = "UNAUTHENTICATED"
	case what == "sessionEvents": // of who has no role, and so no session to read
		want = "SESSION_EXPIRED"
	case strings.HasPrefix(what, "appointmentChanged"):
		if !viewers(parties)[viewer] {
			want = "FORBIDDEN"
		}
	case strings.HasPrefix(what, "bedBoard"):
		want = "FORBIDDEN"
	case strings.HasPrefix(what, "walletActivity"): // of who does not see the wallet
	case what == "slotsChanged": // of who does not see the practitioner
	case !viewers(talkers)[viewer] && (viewer != "ada" || !strings.HasPrefix(what, "chatEvents")):
		want = "FORBIDDEN"
	}
	if code, before := feed.End(); code != want || len(before) > 0 {
		a.violated(wayStream, viewer, "%s ends with %s after %d events, want %s", what, code, len(before), want)
	}
}

// speak sends a message, which must be the next thing that every reader of the room hears.
func (a *api) speak(name, speaker, body string, readers []*testkit.Feed) {
	id := a.ids["ChatRoom "+name].String()
	a.clients[speaker].Do(a.t, `mutation ($room: ID!, $body: String!) { sendMessage(input: {roomId: $room, body: $body}) { message { id } userErrors { code } } }`,
		map[string]any{"room": id, "body": body}).NoErrors(a.t)
	for _, feed := range readers {
		a.tried(wayStream, "ChatMessage")
		event := feed.Next()
		if got := event.Text("chatEvents.message.body"); got != body || event.Text("chatEvents.message.roomId") != id {
			a.violated(wayStream, rooms[name].readers, "the readers of %s hear %q, want %q", name, got, body)
		}
	}
	if len(readers) != len(slices.Collect(strings.FieldsSeq(rooms[name].readers))) {
		a.violated(wayStream, speaker, "%d readers of %s hear %q", len(readers), name, body)
	}
}
