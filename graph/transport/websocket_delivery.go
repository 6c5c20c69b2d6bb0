package transport

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

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
		s.send(o.next(event, payload))
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
	if isPassing(response) && sub.source.IsOrdered() { // the reader goes on behind its last cursor: no event is passed over
		o.end(response)
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
