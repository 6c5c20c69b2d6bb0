package precheck

import (
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/caregraph/caregraph/internal/fault"
)

const (
	verdicts    = 1_000    // remembered verdicts
	maxKeptText = 16 << 10 // longer documents are judged each time, and never cached
)

// Checker judges documents against the limits. It is safe for concurrent use.
type Checker struct {
	schema *ast.Schema
	limits Limits
	fields map[*ast.Definition]map[string]*ast.FieldDefinition
	known  *lru.Cache[string, *fault.Error]
}

// New returns a checker for the executor's schema.
func New(schema *ast.Schema, limits Limits) *Checker {
	known, err := lru.New[string, *fault.Error](verdicts)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	c := &Checker{
		schema: schema, limits: limits.filled(), known: known,
		fields: make(map[*ast.Definition]map[string]*ast.FieldDefinition, len(schema.Types)),
	}
	for _, def := range schema.Types {
		byName := make(map[string]*ast.FieldDefinition, len(def.Fields))
		for _, field := range def.Fields {
			byName[field.Name] = field
		}
		c.fields[def] = byName
	}
	return c
}

// Document judges a text before it is validated. It answers QUERY_TOO_COMPLEX for a document beyond the limits,
// INVALID_INPUT for fragments that spread themselves and for @defer, and nil for all others, among them those that
// do not parse: what is wrong with them is for the executor to say.
func (c *Checker) Document(query string) *fault.Error {
	if len(query) > maxKeptText {
		refusal, _ := c.judge(query)
		return refusal
	}
	if refusal, ok := c.known.Get(query); ok {
		return refusal
	}
	refusal, _ := c.judge(query)
	c.known.Add(query, refusal)
	return refusal
}

// judge returns the verdict and the number of steps that it took.
func (c *Checker) judge(query string) (*fault.Error, int) {
	if len(query) > c.limits.Bytes {
		return tooMany("bytes", c.limits.Bytes), 0
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, c.limits.Tokens)
	if err != nil {
		// The refusal for too many tokens is the only one of the parser that points nowhere.
		var syntax *gqlerror.Error
		if errors.As(err, &syntax) && len(syntax.Locations) == 0 {
			return tooMany("tokens", c.limits.Tokens), 0
		}
		return nil, 0
	}
	r := newRun(c, doc)
	for _, check := range []func() *fault.Error{r.sizes, r.scan, r.tallies, r.reaches, r.merges} {
		if refusal := check(); refusal != nil {
			return refusal, r.steps
		}
	}
	return nil, r.steps
}

// run is the judgement of one document.
type run struct {
	c         *Checker
	doc       *ast.QueryDocument
	fragments map[string]*ast.FragmentDefinition
	parts     []*part          // operations, then fragments
	byName    map[string]*part // the parts of fragments
	memo      map[string]*tally
	steps     int
	compared  int
}

func newRun(c *Checker, doc *ast.QueryDocument) *run {
	r := &run{
		c: c, doc: doc,
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		byName:    make(map[string]*part, len(doc.Fragments)),
		memo:      make(map[string]*tally, len(doc.Fragments)),
	}
	for _, f := range doc.Fragments {
		if _, twice := r.fragments[f.Name]; !twice {
			r.fragments[f.Name] = f
		}
	}
	return r
}

// sizes bounds what the document lists at its top.
func (r *run) sizes() *fault.Error {
	limits := r.c.limits
	if len(r.doc.Fragments) > limits.Fragments {
		return tooMany("fragments", limits.Fragments)
	}
	if len(r.doc.Operations) > limits.Operations {
		return tooMany("operations", limits.Operations)
	}
	for _, op := range r.doc.Operations {
		if len(op.VariableDefinitions) > limits.Variables {
			return tooMany("variables", limits.Variables)
		}
	}
	return nil
}

func tooMany(what string, limit int) *fault.Error {
	return fault.ErrTooComplex.Says(fmt.Sprintf("The query has more than %d %s.", limit, what))
}

func tooDeep(what string, limit int) *fault.Error {
	return fault.ErrTooComplex.Says(fmt.Sprintf("The query nests %s deeper than %d levels.", what, limit))
}
