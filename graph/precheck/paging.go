package precheck

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// implied prefixes the variable behind the first argument of a field that was given only last: $v. No document can
// name it. It stays absent while $v has a value, and takes the default page size when $v is null.
const implied = "first without last "

// shape is how a field multiplies what is below it.
type shape uint8

const (
	single shape = iota
	list
	connection
)

// shape returns how field multiplies, and whether a page size applies to it.
func (c *Checker) shape(field *ast.Field) (s shape, paged bool) {
	def := field.Definition
	if def == nil {
		return single, false
	}
	name := def.Type.Name()
	named := c.schema.Types[name]
	if named == nil || !named.IsCompositeType() {
		return single, false
	}
	if def.Type.Elem != nil {
		s = list
	} else if c.isConnection(named) {
		s = connection
	}
	return s, s != single && def.Arguments.ForName("first") != nil
}

func (c *Checker) isConnection(def *ast.Definition) bool {
	return def != nil && strings.HasSuffix(def.Name, "Connection") && c.fields[def]["edges"] != nil
}

// page is a page size as a field was given it.
type page struct {
	first, last         int64
	hasFirst, hasLast   bool
	firstName, lastName string // the variables behind them, empty for literals
}

func readPage(field *ast.Field, vars map[string]any) page {
	var p page
	p.first, p.hasFirst, p.firstName = readInt(field.Arguments.ForName("first"), vars)
	p.last, p.hasLast, p.lastName = readInt(field.Arguments.ForName("last"), vars)
	return p
}

// size returns the number of elements asked for.
func (p page) size(fallback int) int64 {
	switch {
	case p.hasFirst:
		return p.first
	case p.hasLast:
		return p.last
	}
	return int64(fallback)
}

// readInt returns an argument's number, whether there is one (null is none), and the variable it comes from. What is
// no number is 0, which no page size may be.
func readInt(arg *ast.Argument, vars map[string]any) (n int64, given bool, variable string) {
	if arg == nil {
		return 0, false, ""
	}
	switch arg.Value.Kind {
	case ast.NullValue:
		return 0, false, ""
	case ast.Variable:
		value := vars[arg.Value.Raw]
		if value == nil {
			return 0, false, arg.Value.Raw
		}
		return number(value), true, arg.Value.Raw
	default:
		n, err := strconv.ParseInt(arg.Value.Raw, 10, 64)
		if err != nil {
			n = 0
		}
		return n, true, ""
	}
}

func number(value any) int64 {
	if n, ok := value.(json.Number); ok {
		i, err := n.Int64()
		if err != nil {
			return 0
		}
		return i
	}
	v := reflect.ValueOf(value)
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanFloat() && v.Float() == float64(int64(v.Float())):
		return int64(v.Float())
	}
	return 0
}

// Pages checks the page sizes of a validated operation, with vars known, and gives vars the default for every page
// size whose variable is null or absent. It answers INVALID_INPUT, with the field, for a page size out of range and
// for first beside last.
func (c *Checker) Pages(op *ast.OperationDefinition, frags ast.FragmentDefinitionList, vars map[string]any) *fault.Error {
	defaults := map[string]bool{}
	refusal := eachField(op, frags, func(field *ast.Field) *fault.Error {
		if _, paged := c.shape(field); !paged {
			return nil
		}
		p := readPage(field, vars)
		if !p.hasFirst && !p.hasLast && p.firstName != "" {
			defaults[p.firstName] = true
		}
		return c.inRange(field, p)
	})
	if refusal != nil {
		return refusal
	}
	for name := range defaults {
		vars[name] = int64(c.limits.DefaultPage)
	}
	return nil
}

func (c *Checker) inRange(field *ast.Field, p page) *fault.Error {
	switch {
	case p.hasFirst && p.hasLast:
		return fault.InvalidAt(fmt.Sprintf("%s takes first or last, not both.", field.Name), field.Alias, "first")
	case p.hasFirst && (p.first < 1 || p.first > int64(c.limits.MaxPage)):
		return fault.InvalidAt(fmt.Sprintf("first of %s is from 1 to %d.", field.Name, c.limits.MaxPage), field.Alias, "first")
	case p.hasLast && (p.last < 1 || p.last > int64(c.limits.MaxPage)):
		return fault.InvalidAt(fmt.Sprintf("last of %s is from 1 to %d.", field.Name, c.limits.MaxPage), field.Alias, "last")
	}
	return nil
}

// DefaultPages writes the default page size into a validated document: first: 20 where a paged field has neither
// first nor last. It changes the document, so it is for one that nobody else sees yet.
func (c *Checker) DefaultPages(doc *ast.QueryDocument) {
	apply := func(field *ast.Field) *fault.Error {
		c.defaultPage(field)
		return nil
	}
	for _, op := range doc.Operations {
		_ = walkFields(op.SelectionSet, nil, apply)
	}
	for _, f := range doc.Fragments {
		_ = walkFields(f.SelectionSet, nil, apply)
	}
}

func (c *Checker) defaultPage(field *ast.Field) {
	s, paged := c.shape(field)
	if !paged || s == single {
		return
	}
	p := readPage(field, nil)
	if p.hasFirst || p.hasLast || p.firstName != "" {
		return
	}
	expected := field.Definition.Arguments.ForName("first").Type
	value := &ast.Value{
		Kind: ast.IntValue, Raw: strconv.Itoa(c.limits.DefaultPage), Position: field.Position,
		ExpectedType: expected, Definition: c.schema.Types[expected.Name()],
	}
	if p.lastName != "" { // decided for each request, by the value of the variable
		value.Kind, value.Raw = ast.Variable, implied+p.lastName
	}
	if null := field.Arguments.ForName("first"); null != nil {
		null.Value = value
		return
	}
	field.Arguments = append(field.Arguments, &ast.Argument{Name: "first", Value: value, Position: field.Position})
}
