package transport

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

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

var errOneStream = fault.ErrInvalid.Says("A subscription has exactly one field.")

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
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 || strings.HasPrefix(fields[0].Name, "__") { // @skip may have taken it away
		o.fail(o.ctx, errOneStream)
		return
	}
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
	if o.lastEventID != "" {
		if err := s.t.options.Resume(sub.source, o.lastEventID); err != nil {
			o.fail(sub.ctx, err)
			return
		}
	}
	if !o.mayOpen() {
		o.fail(sub.ctx, fault.ErrTooManyOpen)
		return
	}
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

// mayOpen counts the operation as a subscription, unless the socket has as many as it may.
func (o *operation) mayOpen() bool {
	s := o.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	for _, other := range s.operations {
		if other.isSubscription {
			open++
		}
	}
	o.isSubscription = open < s.t.options.MaxOperations
	return o.isSubscription
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
	position, head := int64(0), int64(0)
	if log, ok := sub.feed.(interface{ Head() int64 }); ok && len(events) > 0 {
		position, head = events[len(events)-1].Position, log.Head()
	}
	s.mu.Lock()
	sub.pace.read(asked, len(events), position, head, s.t.options.SlowAfter)
	s.mu.Unlock()
	return len(events) > 0 || sub.hasEnded
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
