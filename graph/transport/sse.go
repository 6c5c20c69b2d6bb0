package transport

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
)

const typeEvents = "text/event-stream"

// EventStream serves operations as Server-Sent Events, as the mode "distinct connections" of the protocol graphql-sse: subscriptions, and the one answer of
// a query or a mutation. A stream counts and lives as a websocket with one subscription does. It is made by Websocket.EventStream and added before
// the transports of plain requests.
type EventStream struct{ sockets *Websocket }

// EventStream returns the transport of event streams that share limits and machinery with the sockets.
func (t *Websocket) EventStream() EventStream { return EventStream{t} }

var _ graphql.Transport = EventStream{}

// Supports implements graphql.Transport.
func (EventStream) Supports(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodPost) && !isWebsocket(r) && wantsEvents(r.Header.Values("Accept"))
}

// wantsEvents tells whether a client names event streams, and neither of the media types of plain answers as much.
func wantsEvents(accept []string) bool {
	var events, plain wish
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch media {
		case typeEvents:
			events.state(q, 3)
		case typeJSON, typeResponse:
			plain.state(q, 3)
		}
	}
	return events.q > plain.q
}

// Do implements graphql.Transport. It returns when the stream has ended.
func (t EventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	x := &exchange{w: w, r: r, exec: exec, options: t.sockets.options.Options, media: typeJSON, onlyQueries: r.Method == http.MethodGet}
	params, no := x.eventParams()
	if no != nil {
		x.refuse(no)
		return
	}
	op, errs := x.prepare(params)
	switch {
	case len(errs) > 0:
		t.tell(x, x.failed(op, errs))
	case op.Operation.Operation == ast.Subscription:
		t.subscribe(x, op)
	default:
		if no := x.kind(op.Operation.Operation); no != nil {
			x.refuse(no)
			return
		}
		t.tell(x, x.execute(op))
	}
}

// eventParams reads the request. The origin of one with a cookie has been checked: a browser's EventSource can set no header that would prove it.
func (x *exchange) eventParams() (*graphql.RawParams, *refusal) {
	if x.r.Method == http.MethodPost {
		return x.postParams()
	}
	return x.urlParams()
}

// tell sends the one response of an operation that is no subscription, or that was refused.
func (t EventStream) tell(x *exchange, response *graphql.Response) {
	out := newEvents(nil, x.w)
	out.begin()
	parts := encode(x.r.Context(), x.options, response)
	by := clock.System{}.Now().Add(t.sockets.options.WriteTimeout)
	_ = out.write(append(out.next(nil, nil, parts), out.completed(nil)...), true, by) // else the client is gone
}

// subscribe opens a subscription and holds the request as long as it lasts.
func (t EventStream) subscribe(x *exchange, op *graphql.OperationContext) {
	options := &t.sockets.options
	s, isRefused := t.sockets.admit(x.exec)
	if s == nil || isRefused {
		x.unavailable(fault.ErrUnavailable)
		return
	}
	out := newEvents(s, x.w)
	s.isStream, s.gone = true, make(chan struct{})
	s.prepare(out, x.r)
	if err := s.follow(); err != nil {
		s.exit()
		if isAway(err) {
			x.unavailable(fault.ErrUnavailable)
			return
		}
		t.tell(x, present(x.r.Context(), x.exec, err))
		return
	}
	out.begin()
	_ = out.ping(s.in(options.WriteTimeout)) // the client hears that it stands
	if options.Watch != nil {
		options.Watch(x.r.Context())
	}
	t.hold(x, s, out, op)
}

// hold runs the stream until its end.
func (t EventStream) hold(x *exchange, s *socket, out *events, op *graphql.OperationContext) {
	o := newOperation(s, "", s.id)
	o.lastEventID = x.r.Header.Get("Last-Event-ID")
	out.operation = o
	s.mu.Lock()
	s.isAcked = true
	s.operations[o.id] = o
	s.goroutines++
	s.mu.Unlock()
	if s.session != nil {
		s.session.OnEnd(s.sessionOver)
	}
	t.sockets.wheel.add(s)
	go o.stream(op)
	select {
	case <-x.r.Context().Done():
	case <-out.done:
	}
	s.finish()
	s.exit()
	<-s.gone // nobody writes any more
	out.leave()
}

// unavailable has the client come back later.
func (x *exchange) unavailable(cause *fault.Error) {
	x.w.Header().Set("Retry-After", "1")
	x.refuse(&refusal{status: http.StatusServiceUnavailable, cause: cause})
}

// follow opens the session of who makes the request.
func (s *socket) follow() error {
	if s.cookie == nil {
		return s.cookieFailure
	}
	ctx, cancel := context.WithTimeout(access.As(s.client, s.cookie), s.t.options.InitTimeout)
	defer cancel()
	session, err := s.t.options.OpenSession(ctx, s.cookie)
	switch {
	case err == nil:
		s.session, s.who = session, s.cookie
		return nil
	case isKnown(err):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.ErrTimeout
	}
	s.t.options.Log.Error("an event stream could not be opened", "requestId", s.id, "cause", err)
	return fault.ErrInternal
}

// stream opens the subscription of an event stream.
func (o *operation) stream(op *graphql.OperationContext) {
	defer o.socket.exit()
	defer o.rescue()
	if viewer, ok := o.asks(); ok {
		o.open(op, viewer)
	}
}
