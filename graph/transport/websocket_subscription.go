package transport

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

const (
	fullBatch  = 32 // a feed that returns fewer events has returned all that there were
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
	maxTries   = 5 // of executing one event before its errors are delivered
)

// subscription is what an operation reads events from. All but feed, source and pace is the worker's.
type subscription struct {
	op     *graphql.OperationContext
	ctx    context.Context
	class  string // of readers who share the answer; empty = none
	source stream.Source
	feed   stream.Feed
	viewer *access.Viewer // for whom the source was checked

	pending  []*stream.Event
	hasEnded bool
	tries    int // that have failed, one after the other
	place    struct {
		stream   uuid.UUID
		position int64
	}
	hasPlace bool // place is that of the last delivered event
	pace     pace
}

// open dispatches the subscription to find its source, and opens that.
func (o *operation) open(op *graphql.OperationContext, viewer *access.Viewer) {
	s := o.socket
	sub := &subscription{op: op, ctx: s.t.options.Begin(o.ctx), class: classOf(op), viewer: viewer}
	taken := &opening{}
	if response := o.dispatch(context.WithValue(o.as(sub.ctx, viewer), stepKey{}, taken), sub); response != nil {
		o.refused(sub.ctx, response)
		return
	}
	if taken.source == nil {
		o.fail(sub.ctx, fault.ErrInternal.Because(errors.New("the subscription has no source")))
		return
	}
	sub.source = taken.source
	ctx, cancel := context.WithTimeout(o.as(sub.ctx, viewer), s.t.options.Timeout)
	defer cancel()
	feed, err := sub.source.Open(ctx, func() { s.wake(o) })
	if err != nil {
		o.fail(sub.ctx, err)
		return
	}
	sub.feed = feed
	s.t.options.Subscriptions(1)
	s.mu.Lock()
	isSilent := o.isSilent || s.isLeaving || s.isDead
	if !isSilent {
		o.subscription, o.outlives = sub, sub.source.IsOfSession()
	}
	s.mu.Unlock()
	if isSilent {
		s.release([]stream.Feed{feed})
		s.drop(o)
		return
	}
	s.wake(o)
}

// drop forgets an operation to which nothing was answered: the client has asked for that, or hears that the server goes.
func (s *socket) drop(o *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[o.id] == o {
		delete(s.operations, o.id)
	}
	o.cancel()
	s.start()
}

// dispatch opens or checks the subscription; nil = it may be read.
func (o *operation) dispatch(ctx context.Context, sub *subscription) *graphql.Response {
	responses, inner := o.socket.exec.DispatchOperation(ctx, copyOf(sub.op))
	if response := responses(inner); response != nil && len(response.Errors) > 0 {
		return response
	}
	return nil
}

// copyOf returns the operation's context for one more execution: the executor keeps in it what belongs to one.
func copyOf(op *graphql.OperationContext) *graphql.OperationContext {
	return &graphql.OperationContext{
		RawQuery: op.RawQuery, Variables: op.Variables, OperationName: op.OperationName, Doc: op.Doc, Extensions: op.Extensions,
		Headers: op.Headers, Operation: op.Operation, DisableIntrospection: op.DisableIntrospection, RecoverFunc: op.RecoverFunc,
		ResolverMiddleware: op.ResolverMiddleware, RootResolverMiddleware: op.RootResolverMiddleware, Stats: op.Stats,
	}
}

// wake has the worker read the subscription. It may be called from anywhere.
func (s *socket) wake(o *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.subscription == nil || o.isSilent || o.isDirty {
		return
	}
	o.isDirty = true
	o.subscription.pace.woken(s.t.wheel.time())
	s.dirty = append(s.dirty, o)
	s.start()
}

// step reads one batch of a subscription's events and delivers it. It is the worker's.
func (s *socket) step(o *operation) {
	defer func() {
		if reason := recover(); reason != nil {
			s.panicked(reason)
			o.end(o.present(o.ctx, fault.ErrInternal))
		}
	}()
	sub := o.subscription
	if len(sub.pending) == 0 && !sub.hasEnded && !o.fetch(sub) {
		return
	}
	if len(sub.pending) > 0 && !o.deliver(sub) {
		return
	}
	if sub.hasEnded {
		s.send(o.completed())
		s.stopped(o)
		return
	}
	s.wake(o)
}

// fetch reads the next batch; false when there is none.
func (o *operation) fetch(sub *subscription) bool {
	s := o.socket
	asked := s.t.wheel.time()
	ctx, cancel := context.WithTimeout(o.as(sub.ctx, sub.viewer), s.t.options.Timeout)
	defer cancel()
	events, err := sub.feed.Next(ctx)
	if errors.Is(err, io.EOF) {
		sub.hasEnded, err = true, nil
	}
	if err != nil {
		o.failed(err)
		return false
	}
	sub.pending, sub.tries = events, 0
	s.mu.Lock()
	sub.pace.read(asked, len(events))
	s.mu.Unlock()
	return len(events) > 0 || sub.hasEnded
}

// deliver executes and sends the pending events; false when something has kept it from sending all.
func (o *operation) deliver(sub *subscription) bool {
	s := o.socket
	viewer, ok := o.admit(sub)
	if !ok {
		return false
	}
	admitted := s.t.wheel.time()
	for len(sub.pending) > 0 {
		now := s.t.wheel.time()
		if sub.source.IsOrdered() && s.isSlow(sub, now) {
			o.end(o.tooSlow(sub))
			return false
		}
		if now-admitted > time.Second { // the client reads slowly: what was allowed then may not be so now
			if viewer, ok = o.admit(sub); !ok {
				return false
			}
			admitted = now
		}
		event := sub.pending[0]
		payload, ok := o.payload(sub, event, viewer)
		if !ok {
			return false
		}
		s.send(o.next(payload))
		sub.pending = sub.pending[1:]
		sub.tries = 0
		if event.Stream != uuid.Nil {
			sub.place.stream, sub.place.position, sub.hasPlace = event.Stream, event.Position, true
		}
		if !s.flush() || s.isMute(o) {
			return false
		}
	}
	sub.pending = nil
	return true
}

func (s *socket) isSlow(sub *subscription, now time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sub.pace.isSlow(now, s.t.options.SlowAfter)
}

func (s *socket) isMute(o *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.isSilent
}

// admit returns who reads, after the source was checked again if the rights have changed. Events about a session need no session.
func (o *operation) admit(sub *subscription) (*access.Viewer, bool) {
	s := o.socket
	if sub.source.IsOfSession() {
		return sub.viewer, true
	}
	viewer, err := s.viewer(sub.ctx)
	if err != nil {
		if isEnded(err) {
			s.sessionOver()
			return nil, false
		}
		o.failed(err)
		return nil, false
	}
	if viewer != sub.viewer {
		ctx := context.WithValue(o.as(sub.ctx, viewer), stepKey{}, &opening{source: sub.source})
		if response := o.dispatch(ctx, sub); response != nil {
			if isPassing(response) {
				o.pause()
			} else {
				o.end(response)
			}
			return nil, false
		}
		sub.viewer = viewer
	}
	return viewer, true
}

// payload returns what is sent of an event; false when it is to be tried again.
func (o *operation) payload(sub *subscription, event *stream.Event, viewer *access.Viewer) ([3][]byte, bool) {
	if sub.class != "" {
		text, err := event.Memo(sub.class, func() ([]byte, error) { return o.shared(sub, event) })
		if err == nil && len(text) > 0 {
			return [3][]byte{text}, true
		}
	}
	response := o.execution(o.as(sub.ctx, viewer), sub, event)
	if isPassing(response) && sub.tries < maxTries {
		o.pause()
		return [3][]byte{}, false
	}
	return encode(sub.ctx, o.socket.t.options.Options, response), true
}

// shared executes an event for all readers who ask for the same of it. What did not quite work is not shared.
func (o *operation) shared(sub *subscription, event *stream.Event) (text []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic // the reader's own execution will tell
		}
	}()
	ctx := context.WithValue(access.System(access.As(context.WithoutCancel(sub.ctx), nil), "event for all its readers"), sharedKey{}, true)
	response := o.execution(ctx, sub, event)
	if len(response.Errors) > 0 {
		return nil, response.Errors
	}
	parts := encode(sub.ctx, o.socket.t.options.Options, response)
	return slices.Concat(parts[0], parts[1], parts[2]), nil
}

// execution executes an event.
func (o *operation) execution(ctx context.Context, sub *subscription, event *stream.Event) *graphql.Response {
	responses, inner := o.socket.exec.DispatchOperation(context.WithValue(ctx, stepKey{}, event), copyOf(sub.op))
	response := responses(inner)
	if response == nil { // the time is over
		response = o.present(ctx, fault.ErrTimeout)
	}
	if len(response.Data) == 0 {
		response.Data = []byte("null")
	}
	return response
}

// isPassing tells whether a response failed because of what may be gone at the next try.
func isPassing(response *graphql.Response) bool {
	return slices.ContainsFunc(response.Errors, func(e *gqlerror.Error) bool {
		code, _ := codeOf(e)
		return code == fault.CodeUnavailable || code == fault.CodeTimeout
	})
}

func codeOf(e *gqlerror.Error) (fault.Code, bool) {
	switch code := e.Extensions["code"].(type) {
	case fault.Code:
		return code, true
	case string:
		return fault.Code(code), true
	}
	return "", false
}

// failed is what becomes of a subscription whose events could not be read: another try, or its end.
func (o *operation) failed(err error) {
	switch {
	case o.ctx.Err() != nil: // it was ended
	case isAway(err):
		o.pause()
	default:
		o.end(o.present(o.ctx, err))
	}
}

// pause has the worker try again, later each time. The reader is not to blame for it.
func (o *operation) pause() {
	s, sub := o.socket, o.subscription
	s.mu.Lock()
	sub.pace.caughtUp = false
	s.mu.Unlock()
	delay := min(firstPause<<min(sub.tries, 10), maxPause)
	sub.tries++
	time.AfterFunc(delay, func() { s.wake(o) })
}

// tooSlow is the end of a reader who stays behind: where to go on from is in the error.
func (o *operation) tooSlow(sub *subscription) *graphql.Response {
	response := o.present(o.ctx, fault.ErrSlowConsumer)
	if sub.hasPlace {
		cursor := o.socket.t.options.Cursor(&stream.Event{Stream: sub.place.stream, Position: sub.place.position})
		for _, e := range response.Errors {
			if e.Extensions == nil {
				e.Extensions = map[string]any{}
			}
			e.Extensions["cursor"] = cursor
		}
	}
	return response
}

// end ends the subscription with the errors of a response.
func (o *operation) end(response *graphql.Response) {
	o.socket.send(o.errored(o.ctx, response))
	o.socket.stopped(o)
}

// stopped silences a subscription whose last message was sent.
func (s *socket) stopped(o *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.isSilent = true
	if s.operations[o.id] == o {
		delete(s.operations, o.id)
	}
	o.cancel()
}
