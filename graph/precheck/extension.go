package precheck

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/internal/fault"
)

// Extension runs the checks inside gqlgen, for every transport: Document before validation, Pages and Cost once the
// variables are known. It is used after the extensions that put the text in place (persisted queries).
type Extension struct {
	Checker *Checker
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
} = Extension{}

// ExtensionName implements graphql.HandlerExtension.
func (Extension) ExtensionName() string { return "Precheck" }

// Validate implements graphql.HandlerExtension. It refuses a checker of another schema: page sizes and costs would
// be read from the wrong types.
func (e Extension) Validate(schema graphql.ExecutableSchema) error {
	if e.Checker == nil {
		return errors.New("precheck: no checker")
	}
	if e.Checker.schema != schema.Schema() {
		return errors.New("precheck: the checker is of another schema")
	}
	return nil
}

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (e Extension) MutateOperationParameters(_ context.Context, request *graphql.RawParams) *gqlerror.Error {
	return answer(e.Checker.Document(request.Query))
}

// MutateOperationContext implements graphql.OperationContextMutator.
func (e Extension) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if op.Variables == nil {
		op.Variables = map[string]any{}
	}
	if refusal := e.Checker.Pages(op.Operation, op.Doc.Fragments, op.Variables); refusal != nil {
		return answer(refusal)
	}
	_, refusal := e.Checker.Cost(op.Operation, op.Doc.Fragments, op.Variables)
	return answer(refusal)
}

// answer turns a refusal into the error that gqlgen hands to the error presenter. The refusal is its cause.
func answer(refusal *fault.Error) *gqlerror.Error {
	if refusal == nil {
		return nil
	}
	extensions := map[string]any{"code": string(refusal.Code)}
	if len(refusal.Field) > 0 {
		extensions["field"] = refusal.Field
	}
	return &gqlerror.Error{Err: refusal, Message: refusal.Message, Extensions: extensions}
}

// RulesWithoutSuggestions are the default validation rules without any "did you mean": gqlgen's own switch leaves the
// suggestions for arguments, types and values on. For Server.SetValidationRulesFn, with SetDisableSuggestion(true).
func RulesWithoutSuggestions() *rules.Rules {
	set := rules.NewDefaultRules()
	for _, swap := range []struct{ drop, take core.Rule }{
		{rules.FieldsOnCorrectTypeRule, rules.FieldsOnCorrectTypeRuleWithoutSuggestions},
		{rules.KnownArgumentNamesRule, rules.KnownArgumentNamesRuleWithoutSuggestions},
		{rules.KnownTypeNamesRule, rules.KnownTypeNamesRuleWithoutSuggestions},
		{rules.ScalarLeafsRule, rules.ScalarLeafsRuleWithoutSuggestions},
		{rules.ValuesOfCorrectTypeRule, rules.ValuesOfCorrectTypeRuleWithoutSuggestions},
	} {
		set.RemoveRule(swap.drop.Name)
		set.AddRule(swap.take.Name, swap.take.RuleFunc)
	}
	return set
}
