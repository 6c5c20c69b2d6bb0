package httpserver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

var (
	pete    = &access.Viewer{UserID: uuid.MustParse("01900000-0000-7000-8000-000000000003"), SessionID: uuid.MustParse("01900000-0000-7000-8000-000000000004"), Roles: []access.Role{access.Patient}}
	errOver = fault.New(fault.Unauthenticated, "SESSION_EXPIRED", "over")
)

// watched is a server that knows pete and counts floods of more than 300 requests.
func watched(t *testing.T, answer error, with ...func(*httpserver.Options)) (*rig, *[]*access.Viewer) {
	t.Helper()
	ended := &[]*access.Viewer{}
	return newRig(t, append(with, func(o *httpserver.Options) {
		o.Flood = 300
		o.Authenticate = func(_ context.Context, token string) (*access.Viewer, error) {
			if token == "pete" {
				return pete, nil
			}
			return authenticate(t.Context(), token)
		}
		o.OnFlood = func(_ context.Context, v *access.Viewer) error {
			*ended = append(*ended, v)
			return answer
		}
	})...), ended
}

// 300 requests of a patient's session in 60 seconds, the refused ones included, are too many only for the throttle; one more ends the session.
func TestFlood(t *testing.T) {
	t.Parallel()
	g, ended := watched(t, errOver)
	ask := func() int { return g.do("POST", "/graphql", "Authorization", "Bearer pete").StatusCode }
	statuses := map[int]int{}
	for range 300 {
		statuses[ask()]++
	}
	require.Equal(t, map[int]int{200: 100, 429: 200}, statuses)
	require.Empty(t, *ended)
	require.Equal(t, http.StatusUnauthorized, ask())
	require.Equal(t, []*access.Viewer{pete}, *ended)
}

// The window slides: 300 in any 60 seconds, however they are spread.
func TestFlood_Slides(t *testing.T) {
	t.Parallel()
	g, ended := watched(t, errOver, perMinute(100_000))
	for range 10 * 300 { // five a second are 300 in 60 seconds
		g.do("POST", "/graphql", "Authorization", "Bearer pete")
		g.clock.Advance(200 * time.Millisecond)
	}
	require.Empty(t, *ended)
	g.clock.Advance(-time.Microsecond) // the oldest is still in the window
	require.Equal(t, http.StatusUnauthorized, g.do("POST", "/graphql", "Authorization", "Bearer pete").StatusCode)
}

// Operations on sockets count in the same window.
func TestFlood_CountsOperationsOfSockets(t *testing.T) {
	t.Parallel()
	g, ended := watched(t, errOver, graphql(func(w http.ResponseWriter, r *http.Request) {
		ctx := access.As(r.Context(), pete)
		for n := range 300 {
			err := httpserver.Admit(ctx)
			require.Equal(t, n >= 100, errors.Is(err, fault.ErrThrottled), "operation %d", n)
		}
		require.ErrorIs(t, httpserver.Admit(ctx), errOver)
		_, _ = io.WriteString(w, "done")
	}))
	require.Equal(t, "done", bodyOf(t, g.do("GET", "/graphql", "Upgrade", "websocket")))
	require.Len(t, *ended, 1)
}

// Staff and strangers are throttled, and no more.
func TestFlood_WatchesPatientsAlone(t *testing.T) {
	t.Parallel()
	g, ended := watched(t, errOver)
	for range 2000 {
		g.do("POST", "/graphql", "Authorization", "Bearer "+goodToken)
		g.do("POST", "/graphql")
	}
	require.Empty(t, *ended)
}

// While the session cannot be ended its requests are answered so, and the text of the cause stays in the log.
func TestFlood_ThatCannotBeEnded(t *testing.T) {
	t.Parallel()
	g, _ := watched(t, errors.New("disk on fire"))
	for range 300 {
		g.do("POST", "/graphql", "Authorization", "Bearer pete")
	}
	answer := g.do("POST", "/graphql", "Authorization", "Bearer pete")
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.NotContains(t, bodyOf(t, answer), "fire")
	g.lineOf(t, "disk on fire")
}
