package graph

import (
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identity"
)

// auth is the directive @auth of root fields.
func (s *server) auth(ctx context.Context, _ any, next graphql.Resolver, public *bool, roles []access.Role) (any, error) {
	v, failure := access.From(ctx), access.Failure(ctx)
	name := graphql.GetFieldContext(ctx).Field.Name
	if v != nil && v.NeedsTotp && !allowedWithoutTotp[name] {
		return nil, errNeedsTotp
	}
	if public != nil && *public {
		if v == nil && (errors.Is(failure, fault.ErrUnavailable) || errors.Is(failure, fault.ErrTimeout)) {
			return nil, failure // who asks could not be found out: nobody is not the answer
		}
		return next(ctx)
	}
	if v == nil {
		if failure != nil {
			return nil, failure
		}
		return nil, fault.ErrUnauthenticated
	}
	if roles != nil && !v.Has(roles...) {
		s.resolver.Audit.Denied(ctx, name)
		return nil, fault.ErrForbidden
	}
	return next(ctx)
}

// allowedWithoutTotp are the root fields for staff who have to set up a second factor.
var allowedWithoutTotp = map[string]bool{
	"viewer": true, "sessionStatus": true, "login": true, "registerPatient": true, "verifyEmail": true, "requestPasswordReset": true, "resetPassword": true,
	"enableTotp": true, "confirmTotp": true, "changePassword": true, "logout": true, "extendSession": true, "pingActivity": true, "sessionEvents": true,
	"mySessions": true, "revokeSession": true, "revokeOtherSessions": true,
}

var errNeedsTotp = identity.ErrTotpRequired.Says("Set up a second factor first, by enableTotp and confirmTotp.")

// permissions lists, by role, the root fields that users with it may call.
type permissions map[access.Role][]string

func permissionsOf(schema *ast.Schema) permissions {
	table := permissions{}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		if root == nil {
			continue
		}
		for _, field := range root.Fields {
			directive := field.Directives.ForName("auth")
			if directive == nil {
				continue
			}
			for _, role := range access.Roles {
				if allows(directive, role) {
					table[role] = append(table[role], field.Name)
				}
			}
		}
	}
	return table
}

func allows(directive *ast.Directive, role access.Role) bool {
	roles := directive.Arguments.ForName("roles")
	return roles == nil || slices.ContainsFunc(roles.Value.Children, func(c *ast.ChildValue) bool { return c.Value.Raw == string(role) })
}

// of returns the fields of all roles of the viewer, sorted.
func (p permissions) of(v *access.Viewer) []string {
	names := []string{}
	for _, role := range v.Roles {
		names = append(names, p[role]...)
	}
	if v.NeedsTotp {
		names = slices.DeleteFunc(names, func(name string) bool { return !allowedWithoutTotp[name] })
	}
	sort.Strings(names)
	return slices.Compact(names)
}
