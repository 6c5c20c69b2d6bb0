package precheck

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/internal/clock"
)

// hostile are documents made to burn time in a parser, in a pre-check or in validation.
func hostile() map[string]string {
	rep := strings.Repeat
	doubling := func(n int, leaf string) string {
		var b strings.Builder
		b.WriteString("{ me { ...f0 } }")
		for i := range n {
			fmt.Fprintf(&b, " fragment f%d on Patient { ...f%d ...f%d }", i, i+1, i+1)
		}
		fmt.Fprintf(&b, " fragment f%d on Patient { %s }", n, leaf)
		return b.String()
	}
	web := func(n int, field string) string { // every fragment spreads all later ones
		var b strings.Builder
		b.WriteString("{ me { ...f0 } }")
		for i := range n {
			fmt.Fprintf(&b, " fragment f%d on Patient { name", i)
			for j := i + 1; j < n; j++ {
				fmt.Fprintf(&b, " ...f%d", j)
			}
			fmt.Fprintf(&b, " %s }", field)
		}
		return b.String()
	}
	chain := func(n int, body string) string { // every fragment spreads the next
		var b strings.Builder
		b.WriteString("{ me { ...f0 } }")
		for i := range n {
			fmt.Fprintf(&b, " fragment f%d on Patient { %s ...f%d }", i, body, i+1)
		}
		fmt.Fprintf(&b, " fragment f%d on Patient { id }", n)
		return b.String()
	}
	aliases := func(n int, of string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d: %s", i, of)
		}
		return b.String()
	}
	operations := func(n int, body string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "query q%d { %s } ", i, body)
		}
		return b.String()
	}
	return map[string]string{
		"24 fragments that double":                 doubling(24, "id"),
		"49 fragments that double":                 doubling(49, "id"),
		"40 fragments that double, deeper":         strings.ReplaceAll(doubling(40, "id"), "{ ...f", "{ self { ...f1 } ...f"),
		"50 fragments, each spreading all later":   web(50, ""),
		"50 fragments with subselections, a web":   web(50, "self { id name }"),
		"fragments with wide bodies in a chain":    chain(49, rep("name ", 90)),
		"fragments with unknown names in a chain":  chain(49, rep("nxme ", 90)),
		"fragments of subselections in a chain":    chain(49, rep("self{id} ", 20)),
		"a fragment that spreads itself":           "{ me { ...f } } fragment f on Patient { self { ...f } ...f }",
		"a circle of fragments":                    doubling(40, "self { ...f0 ...f1 }"),
		"depth 13":                                 "{ me " + rep("{ self ", 12) + "{ id }" + rep("}", 13),
		"depth 900":                                "{ me " + rep("{ self ", 900) + "{ id }" + rep("}", 901),
		"depth 100,000":                            rep("{ me ", 100_000),
		"2,000 aliases":                            "{ me {" + aliases(1_600, "id") + "} }",
		"400 aliased roots":                        "{" + aliases(400, "me { id }") + "}",
		"one field 1,600 times":                    "{ me { " + rep("name ", 1_600) + "} }",
		"one field with subselections 1,200 times": "{ me { " + rep("self { id } ", 1_200) + "} }",
		"one field twice at ten levels":            "{ me { " + rep("self { ", 9) + rep("id ", 40) + rep("} ", 9) + rep("self { ", 9) + rep("id ", 40) + rep("} ", 9) + "} }",
		"30 times 30 of one field":                 "{ me { " + rep("self { "+rep("self { id } ", 30)+"} ", 30) + "} }",
		"nested inline fragments":                  "{ me { " + rep("... { ", 900) + rep("name ", 900) + rep("} ", 900) + "} }",
		"wide inline fragments":                    "{ me { " + rep("... on Patient { id } ", 600) + "} }",
		"inline fragments on the wide interface":   "{ node(id: 1) { " + rep("... on Node { id } ", 700) + "} }",
		"one fragment spread 1,600 times":          "{ me { " + rep("...f ", 1_600) + "} } fragment f on Patient { id }",
		"unknown fields":                           "{ " + rep("recordOfSomKind ", 1_600) + "}",
		"unknown fields in two levels":             "{ me { " + rep("nxme ", 1_600) + "} }",
		"one very long unknown field":              "{ recordOfSomeKind" + rep("x", 100_000) + " }",
		"long unknown types":                       "{ me { id } }" + rep(" fragment f on RecordOfSome"+rep("Kind", 400)+" { id }", 50),
		"unknown arguments":                        "{ me { text(" + rep("x: 1 ", 1_200) + ") } }",
		"arguments that differ in the last":        "{ me { text(" + rep("n: 1 ", 800) + ") text(" + rep("n: 1 ", 799) + "n: 2) } }",
		"4,900 numbers in a list":                  "{ me { text(b: [" + rep("1 ", 4_900) + "]) } }",
		"lists in lists":                           "{ me { text(b: " + rep("[", 900) + rep("]", 900) + ") } }",
		"objects in objects":                       "{ me { text(a: " + rep("{not: ", 900) + "{}" + rep("}", 900) + ") } }",
		"an object with 1,600 members":             "{ me { text(a: {" + rep("name: \"\" ", 1_600) + "}) } }",
		"unknown enum values":                      "{ me { text(a: {" + rep("kind: KIND_OF_RECOR ", 1_600) + "}) } }",
		"a long text for an enum":                  "{ me { text(a: {kind: \"" + rep("KIND_OF", 10_000) + "\"}) } }",
		"1,600 directives on one field":            "{ me { id " + rep("@a ", 2_400) + "} }",
		"5,000 tokens of directives":               "{ me { id " + rep("@skip(if: true) ", 820) + "} }",
		"1,200 variables":                          "query(" + rep("$v: Int ", 1_200) + ") { me { id } }",
		"variables used often":                     "query($v: Int) { me { " + rep("text(n: $v) ", 600) + "} }",
		"1,600 operations":                         operations(700, "me { id }"),
		"20 operations that spread one web":        operations(19, "me { ...f0 }") + strings.Replace(web(49, "self { id }"), "{ me", "query z { me", 1),
		"introspection that circles":               "{ __schema { types { " + rep("fields { type { ", 20) + "name" + rep(" } }", 20) + " } } }",
		"comments":                                 rep("#\n", 4_000) + "{ me { id } }",
		"100 KiB of commas":                        "{ me { id " + rep(",", 100_000) + "} }",
		"a block string of 100 KiB":                "{ me { text(a: {name: \"\"\"" + rep("  x\n", 25_000) + "\"\"\"}) } }",
		"1 MiB":                                    "{ me { id " + rep(" ", 1<<20) + "} }",
		"conflicting arguments":                    "{ me {" + conflicts(140) + "} }",
		"objects of arguments that are compared":   "{ me { " + rep("text(a: {"+rep("name: \"\" ", 20)+"}) ", 75) + "} }",
		"just inside: 50 misspelt types":           "{ me { id } }" + typos(24),
		"just inside: duplicates of a directive":   "{ me { ...f0 } }" + strings.TrimPrefix(chain(7, "id "+rep("@skip(if: true) ", 90)), "{ me { ...f0 } }"),
		"just inside: fields to merge":             "{ me { " + rep("self { "+rep("id ", 9)+"} ", 15) + "} }",
		"just inside: compared objects":            "{ me { " + rep("text(a: {name: \"\" age: 1 not: {name: \"\" age: 2}}) ", 135) + "} }",
		"just inside: spreads":                     "{ me { " + rep("...f ", 140) + "} } fragment f on Patient { id }",
		"just inside: operations and a chain":      operations(19, "me { ...f0 }") + strings.Replace(chain(9, rep("id ", 10)), "{ me", "query z { me", 1),
	}
}

func typos(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " fragment f%d on RecordOfSomKindThatIsNo%d { id }", i, i)
	}
	return b.String()
}

func conflicts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " text(n: %d)", i)
	}
	return b.String()
}

// Rule 2: whatever Document lets pass is validated quickly too. gqlgen parses once more and validates.
func TestHostileDocumentsAreRefusedOrValidatedWithin50Milliseconds(t *testing.T) {
	c := New(clinic, Limits{})
	for name, query := range hostile() {
		t.Run(name, func(t *testing.T) {
			best, outcome := time.Hour, ""
			for range 5 {
				start := clock.System{}.Now()
				outcome = serve(c, query)
				best = min(best, clock.System{}.Now().Sub(start))
				if best < 10*time.Millisecond {
					break
				}
			}
			t.Logf("%8.2f ms  %7d bytes  %s", float64(best.Microseconds())/1000, len(query), outcome)
			require.Less(t, best, bound)
		})
	}
}

// serve does what the executor does with a document that nobody has seen before.
func serve(c *Checker, query string) string {
	if refusal, _ := c.judge(query); refusal != nil {
		return refusal.Error()
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, 0)
	if err != nil {
		return "does not parse"
	}
	errs := validator.ValidateWithRules(c.schema, doc, rules.NewDefaultRules())
	if len(errs) > 0 {
		return fmt.Sprintf("%d validation errors", len(errs))
	}
	c.DefaultPages(doc)
	for _, op := range doc.Operations {
		if refusal := c.Pages(op, doc.Fragments, map[string]any{}); refusal != nil {
			return refusal.Error()
		}
		if _, refusal := c.Cost(op, doc.Fragments, nil); refusal != nil {
			return refusal.Error()
		}
	}
	return "valid"
}
