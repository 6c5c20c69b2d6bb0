package httpserver

import (
	"context"
	"net/netip"

	"github.com/caregraph/caregraph/internal/access"
)

// call is what the server knows of one request. The middlewares fill it in; the observer reads it when the request is done.
type call struct {
	server *Server
	id     string
	client netip.Addr // invalid when it is not known, as on a unix socket
	agent  string     // what the client calls itself
	secure bool       // the client's connection is TLS, here or at a trusted proxy
	route  string     // what was asked for, of a closed set; empty when there is no such route
	viewer *access.Viewer
	w      *recorder // nil until the request has come that far
}

type callKey struct{}

// callOf returns the call that ctx belongs to; a zero one when there is none.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// clientIP returns the client's address as text, empty when it is not known.
func (c *call) clientIP() string {
	if !c.client.IsValid() {
		return ""
	}
	return c.client.String()
}

// RequestID returns the id of the request that ctx belongs to, empty when there is none.
func RequestID(ctx context.Context) string { return callOf(ctx).id }

// Stopping returns a channel that is closed when the server begins to stop: streams then end, so that their clients come back
// elsewhere. It is nil, and so never ready, when ctx belongs to no request.
func Stopping(ctx context.Context) <-chan struct{} {
	if s := callOf(ctx).server; s != nil {
		return s.stopping
	}
	return nil
}

// Detach returns a ctx with what the request of ctx tells about its client, for work that outlives the request: an operation on a websocket,
// named by an id of its own. It has no deadline, nobody is signed in, and it keeps nothing of the request's buffers.
func Detach(ctx context.Context, requestID string) context.Context {
	c := callOf(ctx)
	detached := context.WithValue(context.Background(), callKey{}, &call{
		server: c.server, id: requestID, client: c.client, agent: c.agent, secure: c.secure, route: c.route,
	})
	if c.server != nil && c.server.options.SetClient != nil {
		detached = c.server.options.SetClient(detached, c.clientIP(), c.agent)
	}
	return detached
}
