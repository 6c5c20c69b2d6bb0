package precheck

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// merges bounds the pairwise comparisons of validation. Fields that end up under one response name are compared each
// with each, and so are their selection sets, the spreads in them, and once more for every inline fragment around.
// Cycles of fragments are refused before, and the budget ends a document that expands to more.
func (r *run) merges() *fault.Error {
	for _, op := range r.doc.Operations {
		if !r.merge([]ast.SelectionSet{op.SelectionSet}, true) {
			return tooMany("fields to merge", r.c.limits.Merges)
		}
	}
	for _, f := range r.doc.Fragments {
		if !r.merge([]ast.SelectionSet{f.SelectionSet}, false) {
			return tooMany("fields to merge", r.c.limits.Merges)
		}
	}
	return nil
}

// together is what one merged selection set consists of.
type together struct {
	names   []string
	byName  map[string][]ast.SelectionSet
	entered map[string]bool
	spreads int
	inline  int // deepest nesting of inline fragments
}

// merge compares the sets, which share one response path, and what is below them; all tells whether also fields that
// stand alone are followed. It returns false when the budget is spent.
func (r *run) merge(sets []ast.SelectionSet, all bool) bool {
	t := &together{byName: map[string][]ast.SelectionSet{}, entered: map[string]bool{}}
	for _, set := range sets {
		if !r.collect(t, set, 0) {
			return false
		}
	}
	r.compared += t.spreads * t.spreads
	for _, name := range t.names {
		same := t.byName[name]
		r.compared += len(same) * len(same) * (1 + t.inline)
		if !all && len(same) == 1 {
			continue
		}
		below := make([]ast.SelectionSet, 0, len(same))
		for _, set := range same {
			if len(set) > 0 {
				below = append(below, set)
			}
		}
		if len(below) > 0 && !r.merge(below, all) {
			return false
		}
	}
	return r.compared <= r.c.limits.Merges
}

func (r *run) collect(t *together, set ast.SelectionSet, inline int) bool {
	t.inline = max(t.inline, inline)
	for _, selection := range set {
		r.steps++
		switch s := selection.(type) {
		case *ast.Field:
			if t.byName[s.Alias] == nil {
				t.names = append(t.names, s.Alias)
			}
			t.byName[s.Alias] = append(t.byName[s.Alias], s.SelectionSet)
		case *ast.InlineFragment:
			if !r.collect(t, s.SelectionSet, inline+1) {
				return false
			}
		case *ast.FragmentSpread:
			t.spreads++
			if t.spreads*t.spreads > r.c.limits.Merges {
				return false
			}
			fragment := r.fragments[s.Name]
			if fragment == nil || t.entered[s.Name] {
				continue
			}
			t.entered[s.Name] = true
			if !r.collect(t, fragment.SelectionSet, inline) {
				return false
			}
		}
	}
	return true
}
