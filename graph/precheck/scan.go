package precheck

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// part is one operation or fragment as it is written: nothing is expanded.
type part struct {
	nodes    int
	mistakes int
	spreads  map[string]bool
}

// scan reads every definition once, by the schema's types.
func (r *run) scan() *fault.Error {
	for _, op := range r.doc.Operations {
		p := r.newPart()
		for _, v := range op.VariableDefinitions {
			if refusal := r.variable(p, v); refusal != nil {
				return refusal
			}
		}
		if refusal := r.directives(p, op.Directives); refusal != nil {
			return refusal
		}
		if refusal := r.selections(p, r.root(op.Operation), op.SelectionSet); refusal != nil {
			return refusal
		}
	}
	for _, f := range r.doc.Fragments {
		p := r.newPart()
		if r.byName[f.Name] == nil {
			r.byName[f.Name] = p
		}
		if refusal := r.directives(p, f.Directives); refusal != nil {
			return refusal
		}
		if refusal := r.selections(p, r.typed(p, f.TypeCondition), f.SelectionSet); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (r *run) newPart() *part {
	p := &part{nodes: 1, spreads: map[string]bool{}}
	r.parts = append(r.parts, p)
	return p
}

func (r *run) root(kind ast.Operation) *ast.Definition {
	switch kind {
	case ast.Mutation:
		return r.c.schema.Mutation
	case ast.Subscription:
		return r.c.schema.Subscription
	default:
		return r.c.schema.Query
	}
}

// typed returns a type by name; one that does not exist is a mistake.
func (r *run) typed(p *part, name string) *ast.Definition {
	def := r.c.schema.Types[name]
	if def == nil {
		p.mistake(name)
	}
	return def
}

// mistake counts a name that validation will look for among similar ones, which takes longer for a long name.
func (p *part) mistake(name string) {
	p.mistakes = min(ceiling, p.mistakes+1+len(name)/32)
}

func (p *part) node(r *run) {
	p.nodes++
	r.steps++
}

func (r *run) selections(p *part, parent *ast.Definition, set ast.SelectionSet) *fault.Error {
	for _, selection := range set {
		p.node(r)
		var refusal *fault.Error
		switch s := selection.(type) {
		case *ast.Field:
			refusal = r.field(p, parent, s)
		case *ast.InlineFragment:
			within := parent
			if s.TypeCondition != "" {
				within = r.typed(p, s.TypeCondition)
			}
			if refusal = r.directives(p, s.Directives); refusal == nil {
				refusal = r.selections(p, within, s.SelectionSet)
			}
		case *ast.FragmentSpread:
			p.spreads[s.Name] = true
			refusal = r.directives(p, s.Directives)
		}
		if refusal != nil {
			return refusal
		}
	}
	return nil
}

func (r *run) field(p *part, parent *ast.Definition, field *ast.Field) *fault.Error {
	var (
		def  *ast.FieldDefinition
		next *ast.Definition
		args ast.ArgumentDefinitionList
	)
	if parent != nil && field.Name != "__typename" {
		if def = r.c.fields[parent][field.Name]; def == nil {
			p.mistake(field.Name)
		}
	}
	if def != nil {
		next, args = r.c.schema.Types[def.Type.Name()], def.Arguments
	}
	if refusal := r.arguments(p, def != nil, args, field.Arguments); refusal != nil {
		return refusal
	}
	if refusal := r.directives(p, field.Directives); refusal != nil {
		return refusal
	}
	return r.selections(p, next, field.SelectionSet)
}

func (r *run) directives(p *part, list ast.DirectiveList) *fault.Error {
	for _, d := range list {
		p.node(r)
		if d.Name == "defer" {
			return fault.ErrInvalid.Says("@defer is not supported.")
		}
		def := r.c.schema.Directives[d.Name]
		var args ast.ArgumentDefinitionList
		if def == nil {
			p.mistake(d.Name)
		} else {
			args = def.Arguments
		}
		if refusal := r.arguments(p, def != nil, args, d.Arguments); refusal != nil {
			return refusal
		}
	}
	return nil
}

// arguments reads arguments; defined tells whether defs is all that the owner takes.
func (r *run) arguments(p *part, defined bool, defs ast.ArgumentDefinitionList, args ast.ArgumentList) *fault.Error {
	for _, arg := range args {
		p.node(r)
		var expected *ast.Type
		if def := defs.ForName(arg.Name); def != nil {
			expected = def.Type
		} else if defined {
			p.mistake(arg.Name)
		}
		if refusal := r.value(p, expected, arg.Value, 1); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (r *run) variable(p *part, v *ast.VariableDefinition) *fault.Error {
	p.node(r)
	r.typed(p, v.Type.Name())
	if refusal := r.directives(p, v.Directives); refusal != nil {
		return refusal
	}
	if v.DefaultValue == nil {
		return nil
	}
	return r.value(p, v.Type, v.DefaultValue, 1)
}
