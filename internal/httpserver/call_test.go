package httpserver_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
)

func TestDetach_OutlivesTheRequest(t *testing.T) {
	t.Parallel()
	type clientKey struct{}
	var detached, again context.Context
	g := newRig(t, graphql(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		detached = httpserver.Detach(ctx, "socket-1")
		cancel()
		again = httpserver.Detach(detached, "socket-1-2")
	}), func(o *httpserver.Options) {
		o.RequestsPerMinute = 2
		o.SetClient = func(ctx context.Context, ip, agent string) context.Context {
			return context.WithValue(ctx, clientKey{}, httpserver.RequestID(ctx)+" "+ip+" "+agent)
		}
	})
	g.do("GET", "/graphql", "User-Agent", "test", "Authorization", "Bearer "+goodToken)
	require.NoError(t, detached.Err())
	require.Nil(t, access.From(detached), "nobody is signed in")
	require.Equal(t, "socket-1", httpserver.RequestID(detached))
	require.Equal(t, "socket-1 192.0.2.10 test", detached.Value(clientKey{}))
	require.Equal(t, "socket-1-2 192.0.2.10 test", again.Value(clientKey{}))
	require.False(t, httpserver.SetSessionCookie(detached, "x"), "there is no answer to set it in")
	require.NotNil(t, httpserver.Stopping(detached))
	require.NoError(t, httpserver.Admit(access.As(again, alice)))
	require.ErrorIs(t, httpserver.Admit(access.As(again, alice)), fault.ErrThrottled, "the request was counted too")
}
