package transport

import (
	"crypto/sha256"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const sameForAll = "sameForAll"

// classOf names the readers who are sent the same of an event as this one: those with the same document and the same variables below its root
// field, when every selected field is the same for all. It is empty when one of them is not.
func classOf(op *graphql.OperationContext) string {
	c := classifier{used: map[string]any{}, seen: map[string]bool{}, variables: op.Variables}
	if !c.isSame(op.Operation.SelectionSet, true) {
		return ""
	}
	used, err := json.Marshal(c.used) // sorted by name
	if err != nil {
		return ""
	}
	hash := sha256.New()
	for _, part := range []string{op.OperationName, string(used), op.RawQuery} {
		hash.Write(append([]byte(part), 0))
	}
	return string(hash.Sum(nil))
}

type classifier struct {
	variables map[string]any
	used      map[string]any
	seen      map[string]bool // fragments
}

// isSame tells whether all fields of the set are the same for all, and notes the variables that they depend on. Arguments of the root field
// choose the events and not what is shown of them.
func (c *classifier) isSame(set ast.SelectionSet, isRoot bool) bool {
	for _, selection := range set {
		same := true
		switch s := selection.(type) {
		case *ast.Field:
			c.directives(s.Directives)
			if !isRoot {
				c.arguments(s.Arguments)
			}
			same = isShared(s) && c.isSame(s.SelectionSet, false)
		case *ast.InlineFragment:
			c.directives(s.Directives)
			same = c.isSame(s.SelectionSet, isRoot)
		case *ast.FragmentSpread:
			c.directives(s.Directives)
			if !c.seen[s.Name] {
				c.seen[s.Name] = true
				same = c.isSame(s.Definition.SelectionSet, isRoot)
			}
		}
		if !same {
			return false
		}
	}
	return true
}

func isShared(field *ast.Field) bool {
	return field.Name == "__typename" || field.Definition != nil && field.Definition.Directives.ForName(sameForAll) != nil
}

func (c *classifier) directives(list ast.DirectiveList) {
	for _, d := range list {
		c.arguments(d.Arguments)
	}
}

func (c *classifier) arguments(list ast.ArgumentList) {
	for _, a := range list {
		c.value(a.Value)
	}
}

func (c *classifier) value(v *ast.Value) {
	if v == nil {
		return
	}
	if v.Kind == ast.Variable {
		c.used[v.Raw] = c.variables[v.Raw]
	}
	for _, child := range v.Children {
		c.value(child.Value)
	}
}
