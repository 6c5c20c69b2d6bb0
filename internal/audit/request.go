package audit

import "context"

// Request is what the transport knows of the request behind an operation.
type Request struct {
	ID string
	// Operation names what is asked. The name that a client gives its document may say anything: root fields are better.
	Operation string
	IP        string
	UserAgent string
}

type (
	requestKey struct{}
	causeKey   struct{}
)

// WithRequest returns a ctx whose events tell of the request.
func WithRequest(ctx context.Context, q Request) context.Context {
	return context.WithValue(ctx, requestKey{}, q)
}

// RequestOf returns the request of ctx; the zero one when there is none.
func RequestOf(ctx context.Context) Request {
	q, _ := ctx.Value(requestKey{}).(Request)
	return q
}

// WithOperation returns a ctx whose request asks for the operation, once that is known.
func WithOperation(ctx context.Context, name string) context.Context {
	q := RequestOf(ctx)
	q.Operation = name
	return WithRequest(ctx, q)
}

// Cause returns a ctx whose events are caused by what no request tells: "job:NAME", "webhook:NAME", "command:NAME".
func Cause(ctx context.Context, cause string) context.Context {
	return context.WithValue(ctx, causeKey{}, cause)
}

// CauseOf returns what Cause named; "" when nothing was.
func CauseOf(ctx context.Context) string {
	cause, _ := ctx.Value(causeKey{}).(string)
	return cause
}
