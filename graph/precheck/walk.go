package precheck

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/fault"
)

// eachField calls do for every field of an operation; those of a fragment once, however often it is spread.
func eachField(op *ast.OperationDefinition, frags ast.FragmentDefinitionList, do func(*ast.Field) *fault.Error) *fault.Error {
	seen := make(map[string]bool, len(frags))
	var enter func(name string) *fault.Error
	enter = func(name string) *fault.Error {
		fragment := frags.ForName(name)
		if seen[name] || fragment == nil {
			return nil
		}
		seen[name] = true
		return walkFields(fragment.SelectionSet, enter, do)
	}
	return walkFields(op.SelectionSet, enter, do)
}

// walkFields calls do for every field written in set, and enter, unless it is nil, for every spread.
func walkFields(set ast.SelectionSet, enter func(string) *fault.Error, do func(*ast.Field) *fault.Error) *fault.Error {
	for _, selection := range set {
		var refusal *fault.Error
		switch s := selection.(type) {
		case *ast.Field:
			if refusal = do(s); refusal == nil {
				refusal = walkFields(s.SelectionSet, enter, do)
			}
		case *ast.InlineFragment:
			refusal = walkFields(s.SelectionSet, enter, do)
		case *ast.FragmentSpread:
			if enter != nil {
				refusal = enter(s.Name)
			}
		}
		if refusal != nil {
			return refusal
		}
	}
	return nil
}
