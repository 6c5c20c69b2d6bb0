package precheck

import (
	"context"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/caregraph/caregraph/internal/fault"
)

func newExecutor() *executor.Executor {
	exec := executor.New(&graphql.ExecutableSchemaMock{SchemaFunc: func() *ast.Schema { return clinic }})
	c := New(clinic, Limits{})
	exec.Use(Extension{Checker: c})
	exec.SetQueryCache(NewQueryCache(10, c))
	return exec
}

func operation(exec *executor.Executor, query string, vars map[string]any) (*graphql.OperationContext, gqlerror.List) {
	ctx := graphql.StartOperationTrace(context.Background())
	return exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: vars})
}

func TestRefusalsLeaveTheExecutorWithTheirCodes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", maxKeptText)
	cases := map[string]struct {
		query string
		vars  map[string]any
		code  string
	}{
		"document": {"{" + strings.Repeat(" me { id }", 21) + "}", nil, "QUERY_TOO_COMPLEX"},
		"pages":    {"query($n: Int) { visits(first: $n) { totalCount } }", map[string]any{"n": 101}, "INVALID_INPUT"},
		"cost":     {"{ visits(first: 100) { nodes { visits(first: 100) { nodes { id title } } } } }", nil, "QUERY_TOO_COMPLEX"},
		"long":     {"{ visits(first: 101) { totalCount } }" + long, nil, "INVALID_INPUT"},
		"syntax":   {"{", nil, "GRAPHQL_PARSE_FAILED"},
		"unknown":  {"{ nothing }", nil, "GRAPHQL_VALIDATION_FAILED"},
	}
	exec := newExecutor()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from the caches
				_, errs := operation(exec, tc.query, tc.vars)
				require.Len(t, errs, 1)
				require.Equal(t, tc.code, errs[0].Extensions["code"])
			}
		})
	}
}

func TestRefusalIsTheCauseOfTheError(t *testing.T) {
	t.Parallel()
	_, errs := operation(newExecutor(), "{ visits(first: 101) { totalCount } }", nil)
	require.ErrorIs(t, errs[0], fault.ErrInvalid)
	require.Equal(t, []string{"visits", "first"}, errs[0].Extensions["field"])
}

// Rule 4: the cached document is shared, the variables are the request's own.
func TestDefaultPagesThroughTheExecutor(t *testing.T) {
	t.Parallel()
	exec := newExecutor()
	for _, tc := range []struct {
		query string
		given map[string]any
		want  int64
	}{
		{"{ visits { totalCount } }", nil, 20},
		{"{ visits { totalCount } }" + strings.Repeat(" ", maxKeptText), nil, 20},
		{"query($n: Int) { visits(first: $n) { totalCount } }", map[string]any{"n": 3}, 3},
		{"query($n: Int) { visits(first: $n) { totalCount } }", map[string]any{"n": nil}, 20},
		{"query($n: Int) { visits(first: $n) { totalCount } }", map[string]any{"n": 4}, 4},
		{"query($n: Int) { visits(first: $n) { totalCount } }", nil, 20},
		{"query($n: Int = 9) { visits(first: $n) { totalCount } }", nil, 9},
	} {
		op, errs := operation(exec, tc.query, tc.given)
		require.Empty(t, errs)
		got, err := graphql.UnmarshalInt(arguments(op.Doc, op.Variables)["first"])
		require.NoError(t, err)
		require.EqualValues(t, tc.want, got)
	}
	one, _ := operation(exec, "{ visits { totalCount } }", nil)
	two, _ := operation(exec, "{ visits { totalCount } }", nil)
	require.Same(t, one.Doc, two.Doc)
	require.Len(t, one.Operation.SelectionSet[0].(*ast.Field).Arguments, 1)
}

func TestLongDocumentsAreNotKept(t *testing.T) {
	t.Parallel()
	exec := newExecutor()
	query := "{ visits { totalCount } }" + strings.Repeat(" ", maxKeptText)
	one, _ := operation(exec, query, nil)
	two, _ := operation(exec, query, nil)
	require.NotSame(t, one.Doc, two.Doc)
}

func TestExtensionRefusesAnotherSchema(t *testing.T) {
	t.Parallel()
	other := &graphql.ExecutableSchemaMock{SchemaFunc: func() *ast.Schema { return &ast.Schema{} }}
	require.Error(t, Extension{Checker: New(clinic, Limits{})}.Validate(other))
	require.Error(t, Extension{}.Validate(other))
}

func TestRulesWithoutSuggestionsSuggestNothing(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"{ visit { totalCount } }", "{ visits(fist: 1) { totalCount } }", "{ me { ...f } } fragment f on Patent { id }",
		"{ me { text(a: {kind: KIND_OF_RECORD}) } }", "{ me { text(a: {nam: \"\"}) } }", "{ me }",
	} {
		errs := validator.ValidateWithRules(clinic, mustParse(t, query), RulesWithoutSuggestions())
		require.NotEmpty(t, errs, query)
		require.NotContains(t, errs.Error(), "Did you mean")
	}
}
