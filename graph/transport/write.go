package transport

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/fault"
)

// write sends a response.
func (x *exchange) write(status int, response *graphql.Response) {
	parts := encode(x.r.Context(), x.options, response)
	header := x.w.Header()
	header.Set("Content-Type", x.media+"; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	x.w.WriteHeader(status)
	for _, part := range parts {
		if _, err := x.w.Write(part); err != nil {
			return // the client is gone
		}
	}
}

// encode returns a response in pieces: errors first, then data as it is, then extensions. A response without data was not executed and has no
// such member.
func encode(ctx context.Context, options Options, response *graphql.Response) [3][]byte {
	head, tail := []byte("{"), []byte("}")
	if len(response.Errors) > 0 {
		head = append(append(head, `"errors":`...), encodeErrors(ctx, options, response)...)
		if len(response.Data) > 0 {
			head = append(head, ',')
		}
	}
	if len(response.Data) > 0 {
		head = append(head, `"data":`...)
	}
	if len(response.Extensions) > 0 {
		tail = []byte(`"extensions":`)
		if len(head) > 1 {
			tail = []byte(`,"extensions":`)
		}
		tail = append(append(tail, marshalExtensions(response.Extensions)...), '}')
	}
	return [3][]byte{head, response.Data, tail}
}

// encodeErrors marshals the errors, each with a code and the request's id. The maps of the errors may be shared: they are
// copied.
func encodeErrors(ctx context.Context, options Options, response *graphql.Response) []byte {
	fallback := fault.CodeInternal
	if len(response.Data) == 0 {
		fallback = fault.CodeInvalidInput // of those who refuse a request without a code: gqlgen's extensions
	}
	list := make(gqlerror.List, len(response.Errors))
	for i, err := range response.Errors {
		one := *err
		one.Extensions = maps.Clone(err.Extensions)
		if one.Extensions == nil {
			one.Extensions = make(map[string]any, 2)
		}
		if _, ok := one.Extensions["code"]; !ok {
			one.Extensions["code"] = string(fallback)
		}
		if _, ok := one.Extensions["requestId"]; !ok && options.RequestID != nil {
			one.Extensions["requestId"] = options.RequestID(ctx)
		}
		list[i] = &one
	}
	text, err := json.Marshal(list)
	if err != nil { // an extension that JSON cannot hold
		for _, one := range list {
			one.Extensions = map[string]any{"code": one.Extensions["code"], "requestId": one.Extensions["requestId"]}
		}
		if text, err = json.Marshal(list); err != nil {
			return []byte(`[{"message":"` + fault.ErrInternal.Message + `","extensions":{"code":"` + string(fault.CodeInternal) + `"}}]`)
		}
	}
	return text
}

// marshalExtensions returns the extensions of a response, none when JSON cannot hold them.
func marshalExtensions(extensions map[string]any) []byte {
	text, err := json.Marshal(extensions)
	if err != nil {
		return []byte("{}")
	}
	return text
}
