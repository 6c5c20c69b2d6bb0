package graph

import (
	"context"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/graph/scalar"
	"github.com/caregraph/caregraph/graph/transport"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// Sockets returns the websockets of the API, for Options.Sockets. It fills in what the resolver's services do; the rest is the caller's.
func Sockets(resolver *Resolver, options transport.WebsocketOptions) *transport.Websocket {
	options.Authenticate = resolver.Identity.Authenticate
	options.Begin = resolver.Audit.Begin // one READ for each patient of a subscription, not of each of its events
	options.Cursor, options.Resume = cursorText, resume
	options.Now, options.Log = resolver.DB.Now, resolver.Log
	return transport.NewWebsocket(options)
}

// cursorText shows where an event stands, as the scalar Cursor does.
func cursorText(event *stream.Event) string {
	var b strings.Builder
	stream.CursorOf(event.Stream, event.Position).MarshalGQL(&b)
	if text, err := strconv.Unquote(b.String()); err == nil {
		return text
	}
	return ""
}

// resume has a source go on behind the event that a client names as its last.
func resume(source stream.Source, id string) error {
	s, ok := source.(interface{ Resume(cursor ent.Cursor) error })
	if !ok {
		return nil // its events have no ids
	}
	cursor, err := scalar.UnmarshalCursor(id)
	if err != nil {
		return fault.ErrInvalid.Says("Last-Event-ID is not the id of an event of this stream.")
	}
	return s.Resume(cursor)
}

type authDirective = func(ctx context.Context, obj any, next graphql.Resolver, public *bool, roles []access.Role) (any, error)

// exceptShared lets pass what the system executes once for all readers of an event: each of them was asked when the subscription opened, and is
// again whenever their rights change.
func exceptShared(auth authDirective) authDirective {
	return func(ctx context.Context, obj any, next graphql.Resolver, public *bool, roles []access.Role) (any, error) {
		if transport.IsShared(ctx) {
			return next(ctx)
		}
		return auth(ctx, obj, next, public, roles)
	}
}
