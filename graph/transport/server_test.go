package transport

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Name: "test.graphql", Input: `
type Query { echo(text: String): String data: String fail: String! nothing: String throttled: String unavailable: String strange: String }
type Mutation { touch: String }
type Subscription { ticks: String }
`})

// execute answers every operation by the names of its root fields.
func execute(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query", "Mutation"})
	members := make([]string, 0, len(fields))
	response := &graphql.Response{}
	for _, field := range fields {
		value := "null"
		switch field.Name {
		case "__typename":
			value = `"Query"`
		case "echo":
			text, _ := json.Marshal(field.ArgumentMap(op.Variables)["text"])
			value = string(text)
		case "data":
			value = `{ "raw" :1}`
		case "fail":
			response.Data = json.RawMessage("null")
			response.Errors = gqlerror.List{{Message: "No.", Path: ast.Path{ast.PathName("fail")}}}
			return graphql.OneShot(response)
		case "throttled":
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{shared}})
		case "unavailable":
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Message: "Later.", Extensions: map[string]any{"code": "UNAVAILABLE"}}}})
		case "strange":
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Message: "?", Extensions: map[string]any{"code": "CONFLICT", "odd": func() {}}}}})
		}
		members = append(members, `"`+field.Alias+`":`+value)
	}
	response.Data = json.RawMessage("{" + strings.Join(members, ",") + "}")
	return graphql.OneShot(response)
}

// shared is an error whose extensions several requests see.
var shared = &gqlerror.Error{Message: "Slower.", Extensions: map[string]any{"code": "THROTTLED", "retryAfter": 7}}

func newServer(t *testing.T) *httptest.Server {
	t.Helper()
	es := &graphql.ExecutableSchemaMock{SchemaFunc: func() *ast.Schema { return schema }, ExecFunc: execute}
	srv := handler.New(es)
	options := Options{RequestID: func(context.Context) string { return "r-1" }, MaxBody: 4096}
	srv.AddTransport(POST{options})
	srv.AddTransport(GET{options})
	srv.AddTransport(Other{options})
	server := httptest.NewServer(srv)
	t.Cleanup(server.Close)
	return server
}

// answer is what a test looks at.
type answer struct {
	status int
	header http.Header
	text   string
	body   struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions map[string]any
		}
		Extensions map[string]any
	}
}

// code returns the code of the only error.
func (a answer) code(t *testing.T) string {
	t.Helper()
	require.Len(t, a.body.Errors, 1, a.text)
	require.NotEmpty(t, a.body.Errors[0].Message)
	require.Equal(t, "r-1", a.body.Errors[0].Extensions["requestId"])
	code, _ := a.body.Errors[0].Extensions["code"].(string)
	return code
}

// send makes a request; headers are pairs, and an empty value removes one.
func send(t *testing.T, server *httptest.Server, method, target, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if method != http.MethodHead {
		require.NoError(t, json.Unmarshal(text, &a.body), a.text)
	}
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	return a
}

func post(t *testing.T, server *httptest.Server, body string, headers ...string) answer {
	t.Helper()
	return send(t, server, http.MethodPost, "/", body, headers...)
}
