package precheck

import (
	"fmt"
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// dearest is where costs stop growing.
const dearest = int64(1) << 40

func plus(a, b int64) int64 { return min(dearest, a+b) }

func times(a, b int64) int64 {
	if a != 0 && b > dearest/a {
		return dearest
	}
	return a * b
}

// Cost returns the static cost of a validated operation with vars known, and QUERY_TOO_COMPLEX when it is beyond the
// limit. A field costs 1 and what is selected below it; edges and nodes of a connection cost the page size times
// what is below them, a list of objects the default page size times that, nodes(ids:) the number of ids times that.
func (c *Checker) Cost(op *ast.OperationDefinition, frags ast.FragmentDefinitionList, vars map[string]any) (int64, *fault.Error) {
	w := &coster{c: c, frags: frags, vars: vars, memo: make(map[string]price, len(frags))}
	total := w.set(op.SelectionSet).rest
	if total > c.limits.Cost {
		return total, fault.ErrTooComplex.Says(fmt.Sprintf("The query costs %d; the limit is %d. Ask for smaller pages.", total, c.limits.Cost))
	}
	return total, nil
}

// price is what a selection set costs: perItem once for each element of the page, when the set is that of a
// connection, and rest once.
type price struct {
	perItem, rest int64
}

type coster struct {
	c     *Checker
	frags ast.FragmentDefinitionList
	vars  map[string]any
	memo  map[string]price
	steps int
}

func (w *coster) set(set ast.SelectionSet) price {
	var sum price
	for _, selection := range set {
		w.steps++
		var one price
		switch s := selection.(type) {
		case *ast.Field:
			one = w.field(s)
		case *ast.InlineFragment:
			one = w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			one = w.fragment(s.Name)
		}
		sum.perItem = plus(sum.perItem, one.perItem)
		sum.rest = plus(sum.rest, one.rest)
	}
	return sum
}

func (w *coster) fragment(name string) price {
	if known, ok := w.memo[name]; ok {
		return known
	}
	fragment := w.frags.ForName(name)
	if fragment == nil {
		return price{}
	}
	w.memo[name] = price{rest: dearest} // a fragment inside itself; validation has refused it
	cost := w.set(fragment.SelectionSet)
	w.memo[name] = cost
	return cost
}

func (w *coster) field(field *ast.Field) price {
	if field.Name == "__schema" || field.Name == "__type" {
		return price{rest: 1}
	}
	below := w.set(field.SelectionSet)
	if (field.Name == "edges" || field.Name == "nodes") && w.c.isConnection(field.ObjectDefinition) {
		return price{perItem: max(1, below.rest)}
	}
	s, paged := w.c.shape(field)
	size := int64(1)
	switch {
	case s == connection:
		return price{rest: plus(1, plus(times(w.size(field), below.perItem), below.rest))}
	case s == list && field.Arguments.ForName("ids") != nil:
		size = w.ids(field.Arguments.ForName("ids").Value)
	case s == list && paged:
		size = w.size(field)
	case s == list:
		size = w.c.length(field)
	}
	return price{rest: plus(1, times(size, below.rest))}
}

// length returns how many elements a list without pages may have: what its @length says, or else the default page size.
func (c *Checker) length(field *ast.Field) int64 {
	if says := field.Definition.Directives.ForName("length"); says != nil {
		if most, given, _ := readInt(says.Arguments.ForName("most"), nil); given {
			return most
		}
	}
	return int64(c.limits.DefaultPage)
}

// size returns a page size from 1 up, whatever was asked for: Pages refuses the others.
func (w *coster) size(field *ast.Field) int64 {
	return min(dearest, max(1, readPage(field, w.vars).size(w.c.limits.DefaultPage)))
}

// ids counts the elements of a list argument; one value alone stands for a list of one.
func (w *coster) ids(v *ast.Value) int64 {
	switch v.Kind {
	case ast.NullValue:
		return 0
	case ast.ListValue:
		return int64(len(v.Children))
	case ast.Variable:
		value := reflect.ValueOf(w.vars[v.Raw])
		switch value.Kind() {
		case reflect.Invalid:
			return 0
		case reflect.Slice, reflect.Array:
			return int64(value.Len())
		default:
			return 1
		}
	default:
		return 1
	}
}
