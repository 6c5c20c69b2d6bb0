package graph

import (
	"context"
	"errors"
	"log/slog"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/generated"
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/limit"
	"github.com/caregraph/caregraph/internal/stream"
)

// payloads maps the name of each mutation's payload to its Go type, so that an outcome met before the resolver (a missing role) has a payload too.
var payloads = func() map[string]reflect.Type {
	m := map[string]reflect.Type{}
	resolvers := reflect.TypeFor[generated.MutationResolver]()
	for i := range resolvers.NumMethod() {
		payload := resolvers.Method(i).Type.Out(0).Elem()
		m[payload.Name()] = payload
	}
	return m
}()

// outcomes is the field middleware of mutations: domain errors become the payload's userErrors, faults pass.
func outcomes(ctx context.Context, next graphql.Resolver) (any, error) {
	result, err := next(ctx)
	if err == nil {
		return result, nil
	}
	field := graphql.GetFieldContext(ctx)
	list, known := fault.All(err)
	if field.Object != "Mutation" || !known {
		return result, err
	}
	var told []model.UserError
	for _, e := range list {
		if isFault(e) {
			return nil, e
		}
		told = append(told, userError(e))
	}
	payload, ok := payloads[field.Field.Definition.Type.Name()]
	if !ok {
		return nil, err
	}
	value := reflect.ValueOf(result)
	if !value.IsValid() || value.IsNil() {
		value = reflect.New(payload)
	}
	value.Elem().FieldByName("UserErrors").Set(reflect.ValueOf(told))
	return value.Interface(), nil
}

// isFault tells whether the error is about the request as such and not an outcome of a mutation.
func isFault(e *fault.Error) bool {
	switch e.Kind {
	case fault.Unauthenticated, fault.Unavailable, fault.Internal, fault.Timeout, fault.TooLarge:
		return true
	default:
		return false
	}
}

// userError gives an outcome the type that holds what a client can act on.
func userError(e *fault.Error) model.UserError {
	switch d := e.Detail.(type) {
	case booking.Alternatives:
		return &model.SlotTaken{Code: e.Code, Message: e.Message, Field: e.Field, Alternatives: d.Slots}
	case booking.ExistingOrder:
		return &model.OrderExists{Code: e.Code, Message: e.Message, Field: e.Field, Order: d.Order}
	case limit.Exceeded:
		return &model.Throttled{Code: e.Code, Message: e.Message, Field: e.Field, RetryAfter: seconds(e), Limit: d.Limit}
	default:
		return &model.BasicError{Code: e.Code, Message: e.Message, Field: e.Field}
	}
}

// seconds rounds up: a client that waits as long finds the limit open.
func seconds(e *fault.Error) int {
	return max(int((e.RetryAfter+1e9-1)/1e9), 1)
}

// present is the error presenter: every error leaves with a code and the request's id, and without anything else that was not meant for clients.
func (s *server) present(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	extensions := map[string]any{"requestId": s.options.RequestID(ctx)}
	list, known := fault.All(err)
	switch {
	case known:
		e := list[0]
		shown.Message = e.Message
		extensions["code"] = e.Code
		if e.Field != nil {
			extensions["field"] = e.Field
		}
		if d, ok := e.Detail.(stream.Refetch); ok {
			extensions["refetch"] = d.Query
		}
		if e.RetryAfter > 0 {
			extensions["retryAfter"] = seconds(e)
		}
		if cause := errors.Unwrap(e); cause != nil && isFault(e) {
			s.options.Log.WarnContext(ctx, "fault", slog.String("code", string(e.Code)), slog.String("requestId", s.options.RequestID(ctx)), slog.Any("cause", cause))
		}
	case shown.Extensions["code"] == persistedQueryNotFound: // part of the protocol: the client sends the text next
		extensions["code"] = persistedQueryNotFound
	case isRequestError(shown):
		extensions["code"] = fault.CodeInvalidInput
	default:
		s.options.Log.ErrorContext(ctx, "unknown error", slog.String("requestId", s.options.RequestID(ctx)), slog.String("path", shown.Path.String()), slog.Any("cause", err))
		shown.Message = fault.ErrInternal.Message
		extensions["code"] = fault.CodeInternal
	}
	shown.Err, shown.Rule, shown.Extensions = nil, "", extensions
	return shown
}

const persistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND"

// isRequestError tells whether gqlgen or the parser refused the request: their texts are about the document and safe to show.
func isRequestError(e *gqlerror.Error) bool {
	if e.Rule != "" || e.Err == nil && e.Path == nil { // nothing was executed yet, and nothing stands behind it
		return true
	}
	code, _ := e.Extensions["code"].(string)
	return code == "GRAPHQL_PARSE_FAILED" || code == "GRAPHQL_VALIDATION_FAILED"
}
