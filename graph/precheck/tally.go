package precheck

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// ceiling is where counters stop: far beyond every limit, far below what overflows when two are added.
const ceiling = 1 << 30

// tally is what a selection set amounts to when every spread is written out.
type tally struct {
	depth         int // nested fields
	introspection int // nested fields from __schema or __type down
	aliases       int
	selections    int
	roots         int // fields of the set itself
	done          bool
}

// join adds a neighbour in the same selection set.
func (t *tally) join(other tally) {
	t.depth = max(t.depth, other.depth)
	t.introspection = max(t.introspection, other.introspection)
	t.aliases = min(ceiling, t.aliases+other.aliases)
	t.selections = min(ceiling, t.selections+other.selections)
	t.roots = min(ceiling, t.roots+other.roots)
}

// tallies bounds depth, aliases, root fields and selections of every operation.
func (r *run) tallies() *fault.Error {
	for _, op := range r.doc.Operations {
		t, refusal := r.tally(op.SelectionSet)
		if refusal == nil {
			refusal = t.within(r.c.limits)
		}
		if refusal != nil {
			return refusal
		}
	}
	for _, f := range r.doc.Fragments { // those that no operation spreads: validation walks them all the same
		if _, refusal := r.fragmentTally(f.Name); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (t *tally) within(limits Limits) *fault.Error {
	switch {
	case t.depth > limits.Depth:
		return tooDeep("fields", limits.Depth)
	case t.introspection > limits.Introspection:
		return tooDeep("introspection fields", limits.Introspection)
	case t.aliases > limits.Aliases:
		return tooMany("aliases", limits.Aliases)
	case t.roots > limits.RootFields:
		return tooMany("root fields", limits.RootFields)
	case t.selections > limits.Selections:
		return tooMany("selections", limits.Selections)
	}
	return nil
}

func (r *run) tally(set ast.SelectionSet) (tally, *fault.Error) {
	var sum tally
	for _, selection := range set {
		r.steps++
		var (
			one     tally
			refusal *fault.Error
		)
		switch s := selection.(type) {
		case *ast.Field:
			one, refusal = r.tally(s.SelectionSet)
			one = one.below(s)
		case *ast.InlineFragment:
			one, refusal = r.tally(s.SelectionSet)
		case *ast.FragmentSpread:
			one, refusal = r.fragmentTally(s.Name)
		}
		if refusal != nil {
			return sum, refusal
		}
		one.selections++
		sum.join(one)
	}
	return sum, nil
}

// below turns the tally of a field's selection set into that of the field, without the field as a selection.
func (t tally) below(field *ast.Field) tally {
	t.roots = 1
	if field.Alias != field.Name {
		t.aliases++
	}
	if field.Name == "__schema" || field.Name == "__type" {
		t.introspection = 1 + max(t.depth, t.introspection)
		t.depth = 0
	} else {
		t.depth++
	}
	return t
}

// fragmentTally counts a fragment once per document. A name that is not defined counts nothing: validation says so.
func (r *run) fragmentTally(name string) (tally, *fault.Error) {
	if known := r.memo[name]; known != nil {
		if !known.done {
			return tally{}, fault.ErrInvalid.Says(fmt.Sprintf("Fragment %q spreads itself.", name))
		}
		return *known, nil
	}
	fragment := r.fragments[name]
	if fragment == nil {
		return tally{}, nil
	}
	r.memo[name] = &tally{}
	t, refusal := r.tally(fragment.SelectionSet)
	t.done = true
	r.memo[name] = &t
	return t, refusal
}
