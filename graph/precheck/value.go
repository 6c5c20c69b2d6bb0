package precheck

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// value reads a literal where expected is asked for; nil when that is not known.
func (r *run) value(p *part, expected *ast.Type, v *ast.Value, depth int) *fault.Error {
	p.node(r)
	if v == nil {
		return nil
	}
	if depth > r.c.limits.ValueDepth {
		return tooDeep("values", r.c.limits.ValueDepth)
	}
	var def *ast.Definition
	if expected != nil {
		def = r.c.schema.Types[expected.Name()]
	}
	if def != nil && !fits(v, expected, def) {
		p.mistake(v.Raw)
	}
	for _, child := range v.Children {
		inner := expected
		if v.Kind == ast.ObjectValue {
			inner = r.member(p, def, child.Name)
		} else if expected != nil && expected.Elem != nil {
			inner = expected.Elem
		}
		if refusal := r.value(p, inner, child.Value, depth+1); refusal != nil {
			return refusal
		}
	}
	return nil
}

// member returns the type of an input object's field, nil when there is no such field.
func (r *run) member(p *part, object *ast.Definition, name string) *ast.Type {
	if object == nil || object.Kind != ast.InputObject {
		return nil
	}
	field := r.c.fields[object][name]
	if field == nil {
		p.mistake(name)
		return nil
	}
	return field.Type
}

// scalars are the literals that the built-in scalars take; other scalars judge for themselves.
var scalars = map[string][]ast.ValueKind{
	"Int":     {ast.IntValue},
	"Float":   {ast.IntValue, ast.FloatValue},
	"String":  {ast.StringValue, ast.BlockValue},
	"Boolean": {ast.BooleanValue},
	"ID":      {ast.IntValue, ast.StringValue, ast.BlockValue},
}

// fits tells whether validation will accept the literal itself, whatever is inside it.
func fits(v *ast.Value, expected *ast.Type, def *ast.Definition) bool {
	switch {
	case v.Kind == ast.Variable:
		return true
	case v.Kind == ast.NullValue:
		return !expected.NonNull
	case v.Kind == ast.ListValue:
		return expected.Elem != nil || def.Kind == ast.Scalar
	case def.Kind == ast.Enum:
		return v.Kind == ast.EnumValue && def.EnumValues.ForName(v.Raw) != nil
	case def.Kind == ast.InputObject:
		return v.Kind == ast.ObjectValue
	}
	kinds, builtIn := scalars[def.Name]
	return !builtIn || slices.Contains(kinds, v.Kind)
}
