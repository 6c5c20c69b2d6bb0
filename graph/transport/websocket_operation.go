package transport

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

// operation is one that a client has started on a socket, until its last message has been sent.
type operation struct {
	socket *socket
	id     string
	ctx    context.Context // of its client and with its own request id; who asks is found out anew each time
	cancel context.CancelFunc

	// Under the socket's mu.
	isSilent       bool // nothing is sent for it any more
	isDirty        bool // in the socket's list of those with something to read
	outlives       bool // the session: what it has to say is sent even then
	isSubscription bool // counts among those that a socket may have
	subscription   *subscription

	lastEventID string // of an event stream that goes on
}

func newOperation(s *socket, id, requestID string) *operation {
	ctx := s.t.options.Detach(s.client, requestID)
	ctx, cancel := context.WithCancel(graphql.StartOperationTrace(ctx))
	return &operation{socket: s, id: id, ctx: ctx, cancel: cancel}
}

// as returns the ctx of one execution, in which v asks.
func (o *operation) as(ctx context.Context, v *access.Viewer) context.Context {
	return access.WithHolder(access.As(ctx, v))
}

// run executes the operation, or opens it when it is a subscription.
func (o *operation) run(b body) {
	s := o.socket
	defer s.exit()
	defer o.rescue()
	if err := s.t.options.Admit(access.As(o.ctx, s.who)); err != nil {
		o.fail(o.ctx, err)
		return
	}
	viewer, ok := o.asks()
	if !ok {
		return
	}
	ctx := o.as(o.ctx, viewer)
	params, no := b.params(nil)
	if no != nil {
		o.fail(ctx, no.cause)
		return
	}
	params.ReadTime = graphql.TraceTiming{Start: graphql.GetStartTime(ctx), End: graphql.Now()}
	op, errs := s.exec.CreateOperationContext(ctx, params)
	switch {
	case len(errs) > 0:
		o.fails(graphql.WithOperationContext(ctx, op), errs)
	case op.Operation.Operation == ast.Subscription:
		o.open(op, viewer)
	default:
		o.execute(ctx, op)
	}
}

// rescue ends an operation that panicked. It is deferred.
func (o *operation) rescue() {
	if reason := recover(); reason != nil {
		o.socket.panicked(reason)
		o.fail(o.ctx, fault.ErrInternal)
	}
}

// asks returns who asks now; false when the operation has ended because that cannot be told.
func (o *operation) asks() (*access.Viewer, bool) {
	viewer, err := o.socket.viewer(o.ctx)
	if err != nil {
		if isEnded(err) {
			o.socket.sessionOver()
		}
		o.fail(o.ctx, err)
		return nil, false
	}
	return viewer, true
}

// viewer returns who asks now; nil when nobody is signed in.
func (s *socket) viewer(ctx context.Context) (*access.Viewer, error) {
	if s.session == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.t.options.Timeout)
	defer cancel()
	return s.session.Viewer(ctx)
}

// execute answers a query or a mutation.
func (o *operation) execute(ctx context.Context, op *graphql.OperationContext) {
	s := o.socket
	if op.Operation.Operation == ast.Mutation {
		s.mu.Lock()
		o.outlives = true
		s.mu.Unlock()
	}
	responses, inner := s.exec.DispatchOperation(ctx, op)
	response := responses(inner)
	switch {
	case response == nil: // the time is over
		o.fail(ctx, fault.ErrTimeout)
	case len(response.Data) == 0: // it was not executed
		o.refused(ctx, response)
	default:
		s.enqueue(o.next(nil, encode(ctx, s.t.options.Options, response)), o.completed()) //nolint:contextcheck // the worker has contexts of its own
	}
	o.cancel()
}

// refuse answers an operation that has no place on the socket.
func (o *operation) refuse(cause error) {
	defer o.socket.exit()
	response := o.present(o.ctx, cause)
	o.socket.enqueue(frame{parts: o.error(o.ctx, response)})
	o.cancel()
}

// fail ends the operation with an error.
func (o *operation) fail(ctx context.Context, cause error) {
	o.refused(ctx, o.present(ctx, cause))
}

func (o *operation) fails(ctx context.Context, errs gqlerror.List) {
	o.refused(ctx, o.socket.exec.DispatchError(ctx, errs[:min(len(errs), maxErrors)]))
}

// refused ends the operation with the errors of a response.
func (o *operation) refused(ctx context.Context, response *graphql.Response) {
	o.socket.enqueue(o.errored(ctx, response)) //nolint:contextcheck // the worker has contexts of its own
	o.cancel()
}

func (o *operation) errored(ctx context.Context, response *graphql.Response) frame {
	return frame{operation: o, isLast: true, parts: o.error(ctx, response)}
}

// present makes a response of an error that was met outside of the executor.
func (o *operation) present(ctx context.Context, cause error) *graphql.Response {
	return present(ctx, o.socket.exec, cause)
}

func present(ctx context.Context, exec graphql.GraphExecutor, cause error) *graphql.Response {
	shown := &gqlerror.Error{Err: cause, Message: cause.Error()}
	var known *fault.Error
	if errors.As(cause, &known) {
		shown = errorOf(known)
	}
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{})
	return exec.DispatchError(ctx, gqlerror.List{shown})
}

// head is the beginning of a message of the operation.
func (o *operation) head(kind string) []byte {
	id, err := json.Marshal(o.id)
	if err != nil { // cannot be: it is text
		panic(err)
	}
	head := make([]byte, 0, len(id)+len(kind)+32)
	head = append(append(head, `{"id":`...), id...)
	return append(append(append(head, `,"type":"`...), kind...), '"')
}

func (o *operation) error(ctx context.Context, response *graphql.Response) [][]byte {
	return o.socket.wire.failed(o, encodeErrors(ctx, o.socket.t.options.Options, response))
}

func (o *operation) next(event *stream.Event, payload [3][]byte) frame {
	return frame{operation: o, parts: o.socket.wire.next(o, event, payload)}
}

func (o *operation) completed() frame {
	return frame{operation: o, isLast: true, parts: o.socket.wire.completed(o)}
}
