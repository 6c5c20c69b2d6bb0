package transport

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/internal/stream"
)

// Subscribe is the body of a subscription's resolver: open makes the source of its events, show turns one of them into what the field
// answers. A subscription is dispatched once to open it, and then once for each event; which of both it is, ctx tells. The channel is what
// gqlgen wants: it is closed, and holds the event when there is one. Errors: those of open and of the source's Check when it opens, those of
// show for an event.
func Subscribe[T any](ctx context.Context, open func() (stream.Source, error), show func(context.Context, *stream.Event) (T, error)) (<-chan T, error) {
	out := make(chan T, 1)
	defer close(out)
	switch step := ctx.Value(stepKey{}).(type) {
	case *stream.Event:
		value, err := show(ctx, step)
		if err != nil {
			return nil, err
		}
		out <- value
		return out, nil
	case *opening:
		return out, step.take(ctx, open)
	default:
		return nil, errors.New("subscriptions are opened by a transport of events")
	}
}

type (
	stepKey   struct{}
	sharedKey struct{}
)

// opening collects the source of a subscription. One that has it already is checked anew.
type opening struct{ source stream.Source }

func (o *opening) take(ctx context.Context, open func() (stream.Source, error)) error {
	if o.source == nil {
		source, err := open()
		if err != nil {
			return err
		}
		o.source = source
	}
	return o.source.Check(ctx)
}

// IsDelivery tells whether the operation of ctx is a subscription that is executed for one event.
func IsDelivery(ctx context.Context) bool {
	_, ok := ctx.Value(stepKey{}).(*stream.Event)
	return ok
}

// IsShared tells whether the operation of ctx is executed once for all readers of an event, each of whom may read it: the system acts.
func IsShared(ctx context.Context) bool { return ctx.Value(sharedKey{}) != nil }
