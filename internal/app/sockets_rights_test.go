package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

const unauthorized = 4401

// enders are the ways in which a patient's session ends at once; each acts at another instance than the one that has the socket.
var enders = []string{"revokeSession", "logout", "deactivateUser", "changePassword", "revokeOtherSessions"}

// end ends the session of victim in the named way. It returns the password that holds from then on.
func (c *conversation) end(t *testing.T, how string, victim, second, admin *testkit.Client, password string) string {
	t.Helper()
	switch how {
	case "revokeSession":
		id := victim.Do(t, `{ sessionStatus { session { id } } }`, nil).NoErrors(t).Text("sessionStatus.session.id")
		second.Do(t, `mutation($id: ID!) { revokeSession(input: {id: $id}) { session { id } userErrors { code } } }`, map[string]any{"id": id}).NoErrors(t)
	case "logout":
		victim.Do(t, `mutation { logout { userErrors { code } } }`, nil).NoErrors(t)
	case "deactivateUser":
		admin.Do(t, `mutation($id: ID!) { deactivateUser(input: {id: $id}) { user { id } userErrors { code } } }`, map[string]any{"id": c.patientRow.UserID}).NoErrors(t)
	case "revokeOtherSessions":
		second.Do(t, `mutation { revokeOtherSessions { endedSessions userErrors { code } } }`, nil).NoErrors(t)
	case "changePassword":
		fresh := password + "!"
		second.Do(t, `mutation($old: String!, $new: String!) { changePassword(input: {currentPassword: $old, newPassword: $new}) { endedSessions userErrors { code } } }`,
			map[string]any{"old": password, "new": fresh}).NoErrors(t)
		return fresh
	}
	return password
}

// revocationRounds try each way to end a session twice, in long tests ten times.
func revocationRounds() int {
	if testkit.IsLong() {
		return 10 * len(enders)
	}
	return 2 * len(enders)
}

// TestSockets_AfterARevocationNothingIsDelivered: the session of a socket at one instance is ended at another, and the other side sends at once. The socket is closed
// with 4401 within a second, in most rounds at least, and of what was sent after the end nothing has arrived, in any of the rounds.
func TestSockets_AfterARevocationNothingIsDelivered(t *testing.T) {
	inTurn(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		admin := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Admin).Email, testkit.Password)
		password := testkit.Password
		var took []time.Duration
		for round := range revocationRounds() {
			how := enders[round%len(enders)]
			victim := c.a.Client(t).SignIn(t, c.patientRow.Email, password)
			second := c.a.Client(t).SignIn(t, c.patientRow.Email, password)
			socket := at(t, c.b, victim).Socket(t)
			feed := c.follow(socket, nil)
			events := socket.Subscribe(`subscription { sessionEvents { __typename ... on SessionEnded { reason } } }`, nil)
			require.Equal(t, "SessionOpened", events.Next().Text("sessionEvents.__typename"))
			c.send(t, c.doctor, "before")

			password = c.end(t, how, victim, second, admin, password)
			var code int
			took = append(took, wall(func() {
				for n := range 3 {
					c.send(t, []*testkit.Client{c.doctor, at(t, c.a, c.doctor)}[(round+n)%2], fmt.Sprint("after ", how))
				}
				code = socket.Closed()
			}))
			require.Equal(t, unauthorized, code, how)
			for _, e := range feed.Rest() {
				require.False(t, strings.HasPrefix(e.Text("chatEvents.message.body"), "after"), "round %d, %s: %v", round, how, e.Data)
			}
			told := events.Rest()
			require.Len(t, told, 1, how)
			require.Equal(t, "SessionEnded", told[0].Text("sessionEvents.__typename"))
			if how == "deactivateUser" {
				admin.Do(t, `mutation($id: ID!) { reactivateUser(input: {id: $id}) { user { id } userErrors { code } } }`, map[string]any{"id": c.patientRow.UserID}).NoErrors(t)
			}
		}
		require.Less(t, percentile(took, 50), time.Second, "a busy machine spoils one round, not most: %v", took)
	})
}

// TestSockets_QuietSocketsCloseToo: without any traffic, within a second.
func TestSockets_QuietSocketsCloseToo(t *testing.T) {
	inTurn(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		admin := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Admin).Email, testkit.Password)
		var sockets []*testkit.Socket
		for range 5 {
			token := c.a.Client(t).SignIn(t, c.patientRow.Email, testkit.Password).Token
			sockets = append(sockets, testkit.DialSocket(t, c.a.URL, token), testkit.DialSocket(t, c.b.URL, token))
		}
		bystander := c.doctor.Socket(t)
		c.end(t, "deactivateUser", nil, nil, admin, "")
		require.Less(t, wall(func() {
			for _, s := range sockets {
				require.Equal(t, unauthorized, s.Closed())
			}
		}), time.Second)
		require.Equal(t, c.doctorEmail, bystander.Do(`{ viewer { email } }`, nil).Text("viewer.email"), "others stay")
	})
}

const sessionSubscription = `subscription { sessionEvents { __typename occurredAt ... on SessionOpened { expiresAt status { secondsRemaining showWarning } }
  ... on SessionExpiring { expiresAt secondsRemaining } ... on SessionExtended { expiresAt } ... on SessionEnded { reason } } }`

// TestSockets_TheLifeOfASession: warning, extension at another instance, another warning, end and 4401, each within a second of the clock.
func TestSockets_TheLifeOfASession(t *testing.T) {
	inTurn(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		clk := c.a.Clock
		patient := c.a.Client(t).SignIn(t, c.patientRow.Email, testkit.Password)
		socket := at(t, c.b, patient).Socket(t)
		feed := socket.Subscribe(sessionSubscription, nil)
		next := func(kind string) (e *answer.Answer) {
			t.Helper()
			took := wall(func() { e = feed.Next() })
			require.Equal(t, kind, e.Text("sessionEvents.__typename"), e.Data)
			require.LessOrEqual(t, took, time.Second, kind)
			return e
		}
		opened := next("SessionOpened")
		require.Equal(t, 1200, opened.Int("sessionEvents.status.secondsRemaining"))
		require.Equal(t, false, opened.Get("sessionEvents.status.showWarning"))
		expires := clk.Now().Add(20 * time.Minute)
		require.Equal(t, expires.Format(time.RFC3339), opened.Text("sessionEvents.expiresAt"))

		clk.Advance(15 * time.Minute)
		warned := next("SessionExpiring")
		require.Equal(t, 300, warned.Int("sessionEvents.secondsRemaining"))
		require.Equal(t, expires.Format(time.RFC3339), warned.Text("sessionEvents.expiresAt"))

		clk.Advance(time.Minute)
		require.Equal(t, 240, patient.Do(t, `{ sessionStatus { secondsRemaining } }`, nil).NoErrors(t).Int("sessionStatus.secondsRemaining"), "neither the socket nor this extends")
		patient.Do(t, `mutation { extendSession { status { secondsRemaining } userErrors { code } } }`, nil).NoErrors(t)
		expires = clk.Now().Add(20 * time.Minute)
		require.Equal(t, expires.Format(time.RFC3339), next("SessionExtended").Text("sessionEvents.expiresAt"))

		clk.Advance(15 * time.Minute)
		require.Equal(t, 300, next("SessionExpiring").Int("sessionEvents.secondsRemaining"), "once for each crossing")
		clk.Advance(5 * time.Minute)
		require.Equal(t, "IDLE", next("SessionEnded").Text("sessionEvents.reason"))
		require.Equal(t, unauthorized, socket.Closed())
	})
}

// TestSockets_AnExtensionBeforeTheWarningComesInTime: whoever works on at one instance is not warned at another.
func TestSockets_AnExtensionBeforeTheWarningComesInTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		clk := c.a.Clock
		feed := at(t, c.b, c.patient).Socket(t).Subscribe(sessionSubscription, nil)
		require.Equal(t, "SessionOpened", feed.Next().Text("sessionEvents.__typename"))
		for range 4 {
			clk.Advance(10 * time.Minute)
			c.send(t, c.patient, "still here")
			e := feed.Next()
			require.Equal(t, "SessionExtended", e.Text("sessionEvents.__typename"))
			require.Equal(t, clk.Now().Add(20*time.Minute).Format(time.RFC3339), e.Text("sessionEvents.expiresAt"))
			require.Empty(t, c.doctor.Do(t, `{ viewer { id } }`, nil).Code(), "the doctor works on too")
		}
	})
}
