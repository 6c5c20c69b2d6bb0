package app_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/httpserver"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

// hear opens the room's events as an event stream.
func (c *conversation) hear(t *testing.T, client *testkit.Client, lastEventID string, change ...func(*http.Request)) *testkit.EventStream {
	t.Helper()
	return client.Listen(t, chatSubscription, `{"room":"`+c.room+`"}`, lastEventID, change...)
}

// TestEventStream_EveryEventOnceAndInOrder: a reader goes on by Last-Event-ID at the other instance, again and again, while messages are sent.
func TestEventStream_EveryEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		clients := []*testkit.Client{c.patient, at(t, c.b, c.patient)}
		s := c.hear(t, clients[0], "")
		require.Equal(t, "text/event-stream; charset=utf-8", s.Answer.Header.Get("Content-Type"))
		require.Empty(t, s.Answer.Header.Get("Content-Encoding"))
		opened, _ := s.Result()
		require.Equal(t, "StreamOpened", opened.Text("chatEvents.__typename"))
		const rounds, perRound = 6, 5
		for round := range rounds {
			for i := range perRound {
				c.send(t, c.doctor, strconv.Itoa(round*perRound+i))
			}
			for i := range perRound {
				event, last := s.Result()
				require.Equal(t, strconv.Itoa(round*perRound+i), event.Text("chatEvents.message.body"))
				require.Equal(t, event.Text("chatEvents.cursor"), last, "the event id is the cursor")
				if i == perRound/2 { // with events on the way that were not read
					require.NoError(t, s.Answer.Body.Close())
					s = c.hear(t, clients[(round+1)%2], last)
				}
			}
		}
	})
}

// TestEventStream_WhoMayListen: a browser sends its cookie and its origin, other clients a token; nobody else hears anything.
func TestEventStream_WhoMayListen(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		const page = "https://clinic.example"
		c := converse(t, engine, instances.Options{Settings: map[string]string{"CORS_ORIGINS": page}})
		anonymous := c.patient.WithToken("")
		asBrowser := func(origin, site string) func(*http.Request) {
			return func(r *http.Request) {
				r.AddCookie(&http.Cookie{Name: httpserver.SessionCookie, Value: c.patient.Token})
				if origin != "" {
					r.Header.Set("Origin", origin)
				}
				r.Header.Set("Sec-Fetch-Site", site)
			}
		}
		for name, change := range map[string]func(*http.Request){"trusted origin": asBrowser(page, "cross-site"), "same origin": asBrowser("", "same-origin")} {
			opened, _ := c.hear(t, anonymous, "", change).Result()
			require.Equal(t, "StreamOpened", opened.Text("chatEvents.__typename"), name)
		}
		for name, change := range map[string]func(*http.Request){
			"wrong origin": asBrowser("https://evil.example", "cross-site"), "another site without an origin": asBrowser("", "cross-site"),
		} {
			require.Equal(t, http.StatusForbidden, c.hear(t, anonymous, "", change).Answer.StatusCode, name)
		}
		refused := func(code string, s *testkit.EventStream) {
			t.Helper()
			answer, id := s.Result()
			require.Empty(t, id)
			require.Len(t, answer.Errors, 1)
			require.Equal(t, code, answer.Errors[0].Code())
			s.IsComplete()
		}
		refused("UNAUTHENTICATED", c.hear(t, anonymous, ""))
		refused("UNAUTHENTICATED", c.hear(t, c.patient.WithToken("nonsense"), ""))
		refused("NOT_FOUND", c.hear(t, c.a.Client(t).SignIn(t, testkit.Patient(t, c.a.DB).Email, testkit.Password), ""))
		refused("INVALID_INPUT", c.hear(t, c.patient, "nonsense"))
		require.Equal(t, http.StatusMethodNotAllowed, c.patient.Listen(t, `mutation { logout { isSignedOut } }`, "", "").Answer.StatusCode)
	})
}

// TestEventStream_AfterARevocationNothingIsDelivered: a session that is ended at one instance hears its end at the other, and nothing else.
func TestEventStream_AfterARevocationNothingIsDelivered(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		admin := c.a.Client(t).SignIn(t, testkit.User(t, c.a.DB, access.Admin).Email, testkit.Password)
		for _, how := range []string{"revokeSession", "logout", "deactivateUser"} {
			victim := c.a.Client(t).SignIn(t, c.patientRow.Email, testkit.Password)
			s := c.hear(t, at(t, c.b, victim), "")
			s.Result()
			c.end(t, how, victim, c.patient, admin, testkit.Password)
			c.send(t, c.doctor, "secret")
			answer, _ := s.Result()
			require.Nil(t, answer.Data, how)
			require.Equal(t, "SESSION_EXPIRED", answer.Errors[0].Code(), how)
			s.IsComplete()
		}
	})
}

// TestEventStream_HoldingItDoesNotExtendTheSession: after 20 minutes without an operation the session of a listener ends.
func TestEventStream_HoldingItDoesNotExtendTheSession(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		s := c.hear(t, at(t, c.b, c.patient), "")
		s.Result()
		for range 2 {
			c.a.Clock.Advance(10 * time.Minute)
		}
		answer, _ := s.Result()
		require.Equal(t, "SESSION_EXPIRED", answer.Errors[0].Code())
		s.IsComplete()
	})
}

// TestEventStream_AStopEndsItWithoutComplete: so that the client opens it again, elsewhere.
func TestEventStream_AStopEndsItWithoutComplete(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		s := c.hear(t, at(t, c.b, c.patient), "")
		s.Result()
		c.b.Stop()
		s.IsOver()
	})
}
