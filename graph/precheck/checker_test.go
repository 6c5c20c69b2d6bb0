package precheck

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/caregraph/caregraph/internal/fault"
)

func tokens(t *testing.T, query string) int {
	t.Helper()
	l := lexer.New(&ast.Source{Input: query})
	for n := 0; ; n++ {
		token, err := l.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return n
		}
	}
}

// Rule 1: the steps follow the tokens, with what expands bounded by the limits and not by the document.
func TestStepsAreLinearInTheDocument(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	for name, query := range hostile() {
		t.Run(name, func(t *testing.T) {
			_, steps := c.judge(query)
			require.LessOrEqual(t, steps, 3*tokens(t, query)+2*c.limits.Selections)
		})
	}
}

// Rule 1: twice the fragments take twice the steps, though the expansion is squared.
func TestDoublingFragmentsTakeLinearSteps(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{Selections: ceiling + 1, Merges: ceiling, Visits: ceiling})
	steps := func(n int) int {
		r := newRun(c, mustParse(t, fanOut(n)))
		require.Nil(t, r.scan())
		require.Nil(t, r.tallies())
		return r.steps
	}
	require.LessOrEqual(t, steps(48), 2*steps(24)+10)
}

// Rule 1: comparing runs on a budget, whatever the other limits let pass.
func TestMergingStopsWhenItsBudgetIsSpent(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{ me { ...f0 } }")
	for i := range 20 {
		fmt.Fprintf(&b, " fragment f%d on Patient { self { ...f%d } a: self { ...f%d } }", i, i+1, i+1)
	}
	r := newRun(New(clinic, Limits{}), mustParse(t, b.String()))
	require.ErrorIs(t, r.merges(), fault.ErrTooComplex)
	require.Less(t, r.steps, 3*r.c.limits.Merges)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	rep := strings.Repeat
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	cases := []struct {
		name, says   string
		inside, over string
	}{
		{"tokens", "5000 tokens", "{ me { id " + rep("@a ", 20) + "} }", "{ me { text(b: [" + rep("1 ", 5_000) + "]) } }"},
		{"depth", "12 levels", "{ me " + rep("{ self ", 10) + "{ id }" + rep("}", 11), "{ me " + rep("{ self ", 11) + "{ id }" + rep("}", 12)},
		{"depth through fragments", "12 levels",
			"{ me " + rep("{ self ", 8) + "{ ...f }" + rep("}", 9) + " fragment f on Patient { self { self { id } } }",
			"{ me " + rep("{ self ", 9) + "{ ...f }" + rep("}", 10) + " fragment f on Patient { self { self { id } } }"},
		{"depth in a fragment that is not spread first", "12 levels", "{ me { id } }", "{ a: me { id } ... { me { ...f } } } fragment f on Patient { " + rep("self { ", 11) + "id" + rep(" }", 12)},
		{"aliases", "30 aliases", "{ me {" + many(30, " a%d: id") + "} }", "{ me {" + many(31, " a%d: id") + "} }"},
		{"aliases, each spread counted", "30 aliases",
			"{ me { ...f self { ...f } } } fragment f on Patient {" + many(15, " a%d: id") + "}",
			"{ me { ...f self { ...f } } } fragment f on Patient {" + many(16, " a%d: id") + "}"},
		{"root fields", "20 root fields", "{" + rep(" me { id }", 20) + "}", "{" + rep(" me { id }", 21) + "}"},
		{"root fields through fragments", "20 root fields",
			"{ ...f ...f } fragment f on Query {" + rep(" me { id }", 10) + "}",
			"{ ...f ... { ...f } __typename } fragment f on Query {" + rep(" me { id }", 10) + "}"},
		{"fragments", "50 fragments", "{ me { id } }" + many(50, " fragment f%d on Patient { id }"), "{ me { id } }" + many(51, " fragment f%d on Patient { id }")},
		{"operations", "20 operations", many(20, " query q%d { me { id } }"), many(21, " query q%d { me { id } }")},
		{"variables", "100 variables", "query(" + many(100, "$v%d: Int ") + ") { me { id } }", "query(" + many(101, "$v%d: Int ") + ") { me { id } }"},
		{"values", "10 levels", "{ me { text(a: " + rep("{not: ", 9) + "{}" + rep("}", 9) + ") } }", "{ me { text(a: " + rep("{not: ", 10) + "{}" + rep("}", 10) + ") } }"},
		{"selections", "2000 selections", fanOut(9), fanOut(10)},
		{"visits", "20000 nodes", unused("id", 1), unused("id", 25)},
		{"merges", "fields to merge", "{ me {" + rep(" id", 140) + "} }", "{ me {" + rep(" id", 142) + "} }"},
		{"spreads to merge", "fields to merge", "{ me {" + rep(" ...f", 140) + "} } fragment f on Patient { id }", "{ me {" + rep(" ...f", 142) + "} } fragment f on Patient { id }"},
		{"spreads to merge in two places", "fields to merge",
			"{ me { self {" + rep(" ...f", 95) + "} c: self {" + rep(" ...f", 95) + "} } } fragment f on Patient { id }",
			"{ me { self {" + rep(" ...f", 110) + "} c: self {" + rep(" ...f", 110) + "} } } fragment f on Patient { id }"},
		{"merges inside inline fragments", "fields to merge", "{ me { ... {" + rep(" id", 99) + "} } }", "{ me { ... {" + rep(" id", 101) + "} } }"},
		{"mistakes", "unknown names", "{" + rep(" meee", 20) + "}", "{ me {" + rep(" nxme", 26) + rep(" ... { nxme }", 25) + "} }"},
		{"mistakes in values", "unknown names", "{ me { text(a: {" + rep("kind: KIN ", 50) + "}) } }", "{ me { text(a: {" + rep("kind: KIN ", 51) + "}) } }"},
		{"bytes", "131072 bytes", "{ me { id } }" + rep(",", 100_000), "{ me { id } }" + rep(",", 132_000)},
	}
	c := New(clinic, Limits{Tokens: 5_000})
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			refusal := c.Document(tc.over)
			require.NotNil(t, refusal)
			require.ErrorIs(t, refusal, fault.ErrTooComplex)
			require.Contains(t, refusal.Message, tc.says)
			require.Nil(t, c.Document(tc.inside))
		})
	}
}

// unused is a document of n fragments in a chain, which no operation spreads.
func unused(field string, n int) string {
	var b strings.Builder
	b.WriteString("{ me { id } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment f%d on Patient { %s ...f%d }", i, strings.Repeat(field+" ", 70), i+1)
	}
	return b.String() + fmt.Sprintf(" fragment f%d on Patient { id }", n)
}

// fanOut selects about 2 to the power of n+1 fields.
func fanOut(n int) string {
	var b strings.Builder
	b.WriteString("{ me { ...f0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment f%d on Patient { ...f%d ...f%d }", i, i+1, i+1)
	}
	return b.String() + fmt.Sprintf(" fragment f%d on Patient { id }", n)
}

func TestDocumentLeavesToTheExecutorWhatDoesNotParse(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	for _, query := range []string{"", "{", "{ me", "query query", "{ me(x: ", "\x00", "{ me { id } } garbage", `{ me(x: "`} {
		require.Nil(t, c.Document(query), query)
	}
}

func TestFragmentsThatSpreadThemselvesAndDeferAreInvalid(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	for _, query := range []string{
		"{ me { ...f } } fragment f on Patient { ...f }",
		"{ me { ...f } } fragment f on Patient { self { ...g } } fragment g on Patient { self { ...f } }",
		"{ me { id } } fragment f on Patient { self { ...f } }",
		"{ me { ... @defer { id } } }",
	} {
		require.ErrorIs(t, c.Document(query), fault.ErrInvalid, query)
	}
}

// Rule 5.
func TestStandardIntrospectionPasses(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	require.Nil(t, c.Document(introspection.Query))
	require.Equal(t, "valid", serve(c, introspection.Query))
	deep := "{ __type(name: \"Query\") " + strings.Repeat("{ ofType ", 19) + "{ name }" + strings.Repeat("}", 20)
	require.ErrorIs(t, c.Document(deep), fault.ErrTooComplex)
	require.Nil(t, c.Document(strings.Replace(deep, "{ ofType { ofType", "{ ofType", 1)[:len(deep)-len("{ ofType ")-1]))
}

func TestVerdictsAreKeptForShortTextsAlone(t *testing.T) {
	t.Parallel()
	c := New(clinic, Limits{})
	short, long := "{ me { id } }", "{ me { id } }"+strings.Repeat(" ", maxKeptText)
	require.Nil(t, c.Document(short))
	require.Nil(t, c.Document(long))
	require.True(t, c.known.Contains(short))
	require.False(t, c.known.Contains(long))
	for i := range 2 * verdicts {
		require.Nil(t, c.Document(fmt.Sprint("{ me { id } } #", i)))
	}
	require.Equal(t, verdicts, c.known.Len())
	bad := "{" + strings.Repeat("me{id}", 21) + "}"
	first := c.Document(bad)
	require.Same(t, first, c.Document(bad))
}
