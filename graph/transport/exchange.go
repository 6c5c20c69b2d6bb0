package transport

import (
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/fault"
)

// exchange is one request and its answer.
type exchange struct {
	w           http.ResponseWriter
	r           *http.Request
	exec        graphql.GraphExecutor
	options     Options
	onlyQueries bool
	media       string // of the answer
}

// negotiate settles the media type of the answer. It answers 406 and returns false when the client takes none.
func (x *exchange) negotiate() bool {
	x.media = negotiate(x.r.Header.Values("Accept"))
	if x.media != "" {
		return true
	}
	x.media = typeJSON
	x.refuse(&refusal{
		status: http.StatusNotAcceptable,
		cause:  fault.ErrInvalid.Says("Accept " + typeResponse + " or " + typeJSON + "."),
	})
	return false
}

// run executes a well-formed request.
func (x *exchange) run(params *graphql.RawParams) {
	op, errs := x.prepare(params)
	if len(errs) > 0 {
		x.answer(x.failed(op, errs))
		return
	}
	if no := x.kind(op.Operation.Operation); no != nil {
		x.refuse(no)
		return
	}
	x.answer(x.execute(op))
}

// prepare makes the operation of a well-formed request.
func (x *exchange) prepare(params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	ctx := x.r.Context()
	params.ReadTime = graphql.TraceTiming{Start: graphql.GetStartTime(ctx), End: graphql.Now()}
	op, errs := x.exec.CreateOperationContext(ctx, params)
	return op, errs[:min(len(errs), maxErrors)]
}

// failed is the response to an operation that cannot be executed.
func (x *exchange) failed(op *graphql.OperationContext, errs gqlerror.List) *graphql.Response {
	return x.exec.DispatchError(graphql.WithOperationContext(x.r.Context(), op), errs)
}

// execute executes a query or a mutation.
func (x *exchange) execute(op *graphql.OperationContext) *graphql.Response {
	responses, ctx := x.exec.DispatchOperation(x.r.Context(), op)
	response := responses(ctx)
	if response == nil { // the request ended while it was executed
		response = &graphql.Response{Errors: gqlerror.List{errorOf(fault.ErrTimeout)}}
	}
	return response
}

// kind refuses operations that this method does not run.
func (x *exchange) kind(operation ast.Operation) *refusal {
	switch {
	case operation == ast.Subscription:
		return badRequest("Subscribe over a websocket, or with Accept: text/event-stream.")
	case operation != ast.Query && x.onlyQueries:
		return &refusal{
			status: http.StatusMethodNotAllowed, allow: http.MethodPost,
			cause: fault.ErrInvalid.Says("Send mutations by POST."),
		}
	}
	return nil
}

// refuse answers a request that is not well-formed. It does not pass the executor: nothing was asked of it.
func (x *exchange) refuse(no *refusal) {
	if no.allow != "" {
		x.w.Header().Set("Allow", no.allow)
	}
	x.write(no.status, &graphql.Response{Errors: gqlerror.List{errorOf(no.cause)}})
}

func (x *exchange) answer(response *graphql.Response) {
	status := http.StatusOK
	if failed := requestError(response); failed != nil {
		status = x.status(failed)
	}
	x.write(status, response)
}

// requestError returns the first error of a response that was not executed, nil for one that was: its fields failed
// one by one, and name their paths. Errors of variables have a path too, so without data the first one counts.
func requestError(response *graphql.Response) *gqlerror.Error {
	executed := len(response.Data) > 0
	if len(response.Errors) == 0 || executed && string(response.Data) != "null" {
		return nil
	}
	for _, err := range response.Errors {
		if !executed || len(err.Path) == 0 {
			return err
		}
	}
	return nil
}

// status returns the HTTP status of a request that failed as a whole.
func (x *exchange) status(failed *gqlerror.Error) int {
	code, _ := failed.Extensions["code"].(string)
	switch {
	case fault.Code(code) == fault.CodeThrottled:
		x.w.Header().Set("Retry-After", strconv.FormatInt(retryAfter(failed), 10))
		return http.StatusTooManyRequests
	case x.media == typeJSON:
		return http.StatusOK
	}
	switch fault.Code(code) {
	case fault.CodeUnavailable:
		return http.StatusServiceUnavailable
	case fault.CodeInternal:
		return http.StatusInternalServerError
	case fault.CodeTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusBadRequest
}

// retryAfter returns extensions.retryAfter in whole seconds, at least one.
func retryAfter(err *gqlerror.Error) int64 {
	switch seconds := err.Extensions["retryAfter"].(type) {
	case int:
		return max(1, int64(seconds))
	case int32:
		return max(1, int64(seconds))
	case int64:
		return max(1, seconds)
	case float64:
		return max(1, int64(seconds))
	}
	return 1
}

func errorOf(cause *fault.Error) *gqlerror.Error {
	return &gqlerror.Error{Err: cause, Message: cause.Message, Extensions: map[string]any{"code": string(cause.Code)}}
}
