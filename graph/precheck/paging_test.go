package precheck

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/internal/fault"
)

func mustParse(t *testing.T, query string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	require.NoError(t, err)
	return doc
}

// valid returns a validated document.
func valid(t *testing.T, query string) *ast.QueryDocument {
	t.Helper()
	doc := mustParse(t, query)
	require.Empty(t, validator.ValidateWithRules(clinic, doc, rules.NewDefaultRules()))
	return doc
}

// arguments returns what a resolver is given for the first field of the first operation.
func arguments(doc *ast.QueryDocument, vars map[string]any) map[string]any {
	return doc.Operations[0].SelectionSet[0].(*ast.Field).ArgumentMap(vars)
}

// Rule 4.
func TestEveryConnectionHasAPageSize(t *testing.T) {
	t.Parallel()
	const ask = "{ totalCount } }"
	cases := []struct {
		name, query string
		vars        map[string]any
		want        map[string]any
	}{
		{"neither", "{ visits " + ask, nil, map[string]any{"first": int64(20)}},
		{"first", "{ visits(first: 7) " + ask, nil, map[string]any{"first": int64(7)}},
		{"last", "{ visits(last: 7) " + ask, nil, map[string]any{"last": int64(7)}},
		{"first is null", "{ visits(first: null) " + ask, nil, map[string]any{"first": int64(20)}},
		{"first is null beside last", "{ visits(first: null, last: 3) " + ask, nil, map[string]any{"first": nil, "last": int64(3)}},
		{"last is null", "{ visits(last: null) " + ask, nil, map[string]any{"first": int64(20), "last": nil}},
		{"variable", "query($n: Int) { visits(first: $n) " + ask, map[string]any{"n": int64(5)}, map[string]any{"first": int64(5)}},
		{"variable is null", "query($n: Int) { visits(first: $n) " + ask, map[string]any{"n": nil}, map[string]any{"first": int64(20)}},
		{"variable is absent", "query($n: Int) { visits(first: $n) " + ask, nil, map[string]any{"first": int64(20)}},
		{"variable of last", "query($n: Int) { visits(last: $n) " + ask, map[string]any{"n": int64(5)}, map[string]any{"last": int64(5)}},
		{"variable of last is null", "query($n: Int) { visits(last: $n) " + ask, map[string]any{"n": nil}, map[string]any{"first": int64(20), "last": nil}},
		{"variable of last is absent", "query($n: Int) { visits(last: $n) " + ask, nil, map[string]any{"first": int64(20)}},
		{"first is absent beside last", "query($f: Int, $l: Int) { visits(first: $f, last: $l) " + ask, map[string]any{"l": int64(4)}, map[string]any{"last": int64(4)}},
		{"both variables are null", "query($f: Int, $l: Int) { visits(first: $f, last: $l) " + ask, map[string]any{"f": nil, "l": nil}, map[string]any{"first": int64(20), "last": nil}},
		{"a list with first", "{ eventLog { at } }", nil, map[string]any{"first": int64(20)}},
		{"a list without first", "{ patients { id } }", nil, map[string]any{}},
	}
	c := New(clinic, Limits{})
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			doc := valid(t, tc.query)
			c.DefaultPages(doc)
			c.DefaultPages(doc) // adds nothing more
			vars := map[string]any{}
			for name, value := range tc.vars {
				vars[name] = value
			}
			require.Nil(t, c.Pages(doc.Operations[0], doc.Fragments, vars))
			require.Equal(t, tc.want, arguments(doc, vars))
		})
	}
}

// Rule 4: also inside fragments, which are walked once.
func TestDefaultPagesReachFragments(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	doc := valid(t, "{ me { ...f ... on Patient { visits { totalCount } } } } fragment f on Patient { self { visits { totalCount } } }")
	c.DefaultPages(doc)
	inFragment := doc.Fragments[0].SelectionSet[0].(*ast.Field).SelectionSet[0].(*ast.Field)
	require.Equal(t, "20", inFragment.Arguments.ForName("first").Value.Raw)
	inline := doc.Operations[0].SelectionSet[0].(*ast.Field).SelectionSet[1].(*ast.InlineFragment).SelectionSet[0].(*ast.Field)
	require.Equal(t, map[string]any{"first": int64(20)}, inline.ArgumentMap(nil))
}

// Rule 4.
func TestPageSizesOutOfRangeAreInvalid(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	for _, args := range []string{
		"first: 0", "first: -1", "first: 101", "last: 0", "last: 101", "first: 1, last: 1", "first: $n", "last: $n", "first: $big, last: $one", "first: 2147483647",
	} {
		query := "query($n: Int = 101, $one: Int = 1, $big: Int = 2) { me { id ...f } } fragment f on Patient { mine: visits(" + args + ") { totalCount } text(n: $n) u: text(n: $one) v: text(n: $big) }"
		doc := valid(t, query)
		vars := map[string]any{"n": json.Number("101"), "one": 1, "big": float64(2)}
		refusal := c.Pages(doc.Operations[0], doc.Fragments, vars)
		require.ErrorIs(t, refusal, fault.ErrInvalid, args)
		require.Contains(t, refusal.Message, "visits")
		require.Equal(t, "mine", refusal.Field[0])
	}
	for _, args := range []string{"first: 1", "last: 1", "first: 100", "last: 100", "first: 1, last: null"} {
		doc := valid(t, "{ visits("+args+") { totalCount } }")
		require.Nil(t, c.Pages(doc.Operations[0], doc.Fragments, map[string]any{}), args)
	}
}

// Rule 3.
func TestCost(t *testing.T) {
	t.Parallel()
	cases := []struct {
		query string
		vars  map[string]any
		want  int64
	}{
		{"{ me { id name } }", nil, 3},
		{"{ me { id @skip(if: true) name @include(if: false) } }", nil, 3},
		{"{ visits { edges { node { id } } } }", nil, 1 + 20*2},
		{"{ visits(first: 3) { edges { cursor node { id } } pageInfo { endCursor } totalCount } }", nil, 1 + 3*3 + 2 + 1},
		{"{ visits(last: 5) { nodes { id title } } }", nil, 1 + 5*2},
		{"{ visits(first: 3) { totalCount } }", nil, 2},
		{"query($n: Int) { visits(first: $n) { edges { cursor } } }", map[string]any{"n": int64(9)}, 1 + 9},
		{"query($n: Int) { visits(first: $n) { edges { cursor } } }", nil, 1 + 20},
		{"{ visits(first: 3) { edges { node { visits(first: 4) { totalCount edges { cursor } } } } } }", nil, 1 + 3*(1+1+1+4)},
		{"{ patients { id contacts { id } } }", nil, 1 + 20*(1+1+20)},
		{"{ me { tags } }", nil, 2},
		{"{ eventLog(first: 50) { at } }", nil, 51},
		{"{ eventLog { at } }", nil, 21},
		{`{ nodes(ids: ["a", "b", "c"]) { id } }`, nil, 1 + 3},
		{`{ nodes(ids: "a") { id } }`, nil, 1 + 1},
		{"query($ids: [ID!]!) { nodes(ids: $ids) { id } }", map[string]any{"ids": []any{"a", "b"}}, 1 + 2},
		{"{ __schema { types { fields { name } } } }", nil, 1},
		{"{ visits(first: 10) { ...c } } fragment c on VisitConnection { ...e totalCount } fragment e on VisitConnection { edges { ...n } } fragment n on VisitEdge { node { id } cursor }", nil, 1 + 10*3 + 1},
		{"{ a: visits(first: 10) { ...c } b: visits(first: 1) { ...c } } fragment c on VisitConnection { edges { cursor } }", nil, 11 + 2},
	}
	c := New(clinic, Limits{})
	for _, tc := range cases {
		doc := valid(t, tc.query)
		cost, refusal := c.Cost(doc.Operations[0], doc.Fragments, tc.vars)
		require.Nil(t, refusal)
		require.Equal(t, tc.want, cost, tc.query)
	}
}

// Rule 3: nested pages multiply, and the sum saturates.
func TestCostBeyondTheLimitIsTooComplex(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	open, shut := "visits(first: 100) { edges { node { ", " } } }"
	for depth, dear := range map[int]bool{1: false, 2: true, 12: true, 60: true} {
		doc := valid(t, "{ "+strings.Repeat(open, depth)+"id"+strings.Repeat(shut, depth)+" }")
		cost, refusal := c.Cost(doc.Operations[0], doc.Fragments, nil)
		require.Equal(t, dear, refusal != nil, depth)
		require.Positive(t, cost)
		require.LessOrEqual(t, cost, dearest)
	}
}

// Rule 3: Cost alone does not refuse page sizes, and they do not overflow it.
func TestCostSaturates(t *testing.T) {
	t.Parallel()
	open, shut := "visits(first: 2147483647) { edges { node { ", " } } }"
	doc := valid(t, "{ "+strings.Repeat(open, 4)+"id"+strings.Repeat(shut, 4)+" }")
	cost, refusal := New(clinic, Limits{}).Cost(doc.Operations[0], doc.Fragments, nil)
	require.ErrorIs(t, refusal, fault.ErrTooComplex)
	require.Equal(t, dearest, cost)
}

// Rule 3: a fragment is costed once, however often it is spread.
func TestCostIsMemoisedPerFragment(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{Cost: dearest})
	steps := func(n int) int {
		var b strings.Builder
		b.WriteString("{ visits { ...f0 } }")
		for i := range n {
			fmt.Fprintf(&b, " fragment f%d on VisitConnection { ...f%d ...f%d edges { node { v%d: visits(first: %d) { ...f%d } } } }", i, i+1, i+1, i, i+1, i+1)
		}
		fmt.Fprintf(&b, " fragment f%d on VisitConnection { totalCount }", n)
		doc := valid(t, b.String())
		w := &coster{c: c, frags: doc.Fragments, memo: map[string]price{}}
		w.set(doc.Operations[0].SelectionSet)
		return w.steps
	}
	require.LessOrEqual(t, steps(8), 2*steps(4)+10)
	require.Less(t, steps(16), 200)
}
