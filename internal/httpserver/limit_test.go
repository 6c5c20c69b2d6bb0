package httpserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

// perMinute is a server that allows n requests per minute and user.
func perMinute(n int) func(*httpserver.Options) {
	return func(o *httpserver.Options) { o.RequestsPerMinute = n }
}

// count asks until it is refused and returns how often it was answered.
func (g *rig) count(t *testing.T, ask func() *http.Response) int {
	t.Helper()
	for n := range 10_000 {
		switch status := ask().StatusCode; status {
		case http.StatusOK:
		case http.StatusTooManyRequests:
			return n
		default:
			t.Fatalf("status %d", status)
		}
	}
	t.Fatal("never refused")
	return 0
}

func TestLimit_PerUser(t *testing.T) {
	t.Parallel()
	g := newRig(t, perMinute(100))
	ask := func() *http.Response { return g.do("POST", "/graphql", "Authorization", "Bearer "+goodToken) }
	require.Equal(t, 100, g.count(t, ask))

	refused := ask()
	require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
	require.Equal(t, "61", refused.Header.Get("Retry-After"))
	require.Equal(t, "application/json; charset=utf-8", refused.Header.Get("Content-Type"))
	var body struct {
		Errors []struct {
			Message    string
			Extensions struct {
				Code       string
				RetryAfter int
				RequestID  string
			}
		}
		Data *json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(bodyOf(t, refused)), &body))
	require.Equal(t, "THROTTLED", body.Errors[0].Extensions.Code)
	require.Equal(t, 61, body.Errors[0].Extensions.RetryAfter)
	require.Equal(t, refused.Header.Get("X-Request-Id"), body.Errors[0].Extensions.RequestID)
	require.NotEmpty(t, body.Errors[0].Message)
	require.Nil(t, body.Data)

	modern := g.do("POST", "/graphql", "Authorization", "Bearer "+goodToken, "Accept", "application/graphql-response+json")
	require.Equal(t, "application/graphql-response+json; charset=utf-8", modern.Header.Get("Content-Type"))

	require.Equal(t, 200, g.do("POST", "/graphql").StatusCode, "others at the same address are not held up")
	require.Equal(t, 200, g.do("GET", "/readyz").StatusCode)

	g.clock.Advance(60 * time.Second)
	require.Equal(t, http.StatusTooManyRequests, ask().StatusCode)
	require.Equal(t, "1", ask().Header.Get("Retry-After"))
	g.clock.Advance(time.Second)
	require.Equal(t, 100, g.count(t, ask), "refused requests did not count")
}

func TestLimit_PerNetworkWithoutSignIn(t *testing.T) {
	t.Parallel()
	g := newRig(t, perMinute(3))
	from := func(remote string, header ...string) func() *http.Response {
		return func() *http.Response {
			r := request("POST", "/graphql", header...)
			r.RemoteAddr = remote
			return g.serve(r)
		}
	}
	require.Equal(t, 30, g.count(t, from("192.0.2.1:1")), "ten times as many as a user")
	require.Equal(t, 0, g.count(t, from("192.0.2.1:2", "Authorization", "Bearer bad")), "a bad token is nobody")
	require.Equal(t, 0, g.count(t, from("192.0.2.1:3", "X-Forwarded-For", "203.0.113.1")), "a spoofed address does not help")
	require.Equal(t, 3, g.count(t, from("192.0.2.1:4", "Authorization", "Bearer "+goodToken)), "users have their own")
	require.Equal(t, 30, g.count(t, from("192.0.2.2:1")), "the neighbour")
	require.Equal(t, 30, g.count(t, from(proxyAddr, "X-Forwarded-For", "203.0.113.1")), "the client behind a proxy")
	require.Equal(t, 30, g.count(t, from("[2001:db8::1]:1")))
	require.Equal(t, 0, g.count(t, from("[2001:db8::ffff:1]:1")), "the same IPv6 network")
	require.Equal(t, 30, g.count(t, from("[2001:db8:0:1::1]:1")), "another IPv6 network")
	require.Equal(t, 30, g.count(t, from("@")))
}

// However requests are spread, no 60 seconds see more than the limit.
func TestLimit_Slides(t *testing.T) {
	t.Parallel()
	g := newRig(t, perMinute(10))
	var admitted []time.Time
	for range 3000 {
		now := g.clock.Advance(137 * time.Millisecond)
		if g.do("POST", "/graphql", "Authorization", "Bearer "+goodToken).StatusCode == 200 {
			admitted = append(admitted, now)
		}
	}
	for i := 10; i < len(admitted); i++ {
		require.Greater(t, admitted[i].Sub(admitted[i-10]), time.Minute)
	}
	require.Greater(t, len(admitted), 60, "and nearly as many as the limit get through")
}

func TestLimit_RetryAfterIsTrue(t *testing.T) {
	t.Parallel()
	g := newRig(t, perMinute(2))
	ask := func() *http.Response { return g.do("POST", "/graphql", "Authorization", "Bearer "+goodToken) }
	require.Equal(t, 200, ask().StatusCode)
	g.clock.Advance(30500 * time.Millisecond)
	require.Equal(t, 200, ask().StatusCode)
	for range 3 {
		refused := ask()
		require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
		wait, err := strconv.Atoi(refused.Header.Get("Retry-After"))
		require.NoError(t, err)
		g.clock.Advance(time.Duration(wait)*time.Second - time.Second)
		require.Equal(t, http.StatusTooManyRequests, ask().StatusCode, "not earlier")
		g.clock.Advance(time.Second)
		require.Equal(t, 200, ask().StatusCode)
	}
	g.clock.Advance(-time.Hour)
	require.Equal(t, http.StatusTooManyRequests, ask().StatusCode, "a clock that goes back forgets nothing")
}

func TestLimit_CountsOperationsOfSockets(t *testing.T) {
	t.Parallel()
	g := newRig(t, perMinute(3), graphql(func(w http.ResponseWriter, r *http.Request) {
		ctx := access.As(r.Context(), alice) // as connection_init does
		for range 3 {
			require.NoError(t, httpserver.Admit(ctx))
		}
		err := httpserver.Admit(access.System(ctx, "test"))
		require.ErrorIs(t, err, fault.ErrThrottled)
		require.Equal(t, 61*time.Second, err.(*fault.Error).RetryAfter) //nolint:errorlint // the exact one
		_, _ = io.WriteString(w, "done")
	}))
	require.Equal(t, "done", bodyOf(t, g.do("GET", "/graphql", "Upgrade", "websocket")))
	require.Equal(t, http.StatusTooManyRequests, g.do("POST", "/graphql", "Authorization", "Bearer "+goodToken).StatusCode)
}
