package graph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/ids"
)

const maxNodes = 100

// tableOf finds the table of an id by its type tag; a foreign id leads nowhere.
var tableOf = ent.WithNodeType(func(_ context.Context, id uuid.UUID) (string, error) {
	return ent.Tables[ids.Entity(id)], nil
})

func (r *Resolver) node(ctx context.Context, id uuid.UUID) (ent.Noder, error) {
	list, err := r.nodes(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// nodes looks ids up with one query per table. ent reports each missing one as an error beside the data; here it is null and no more, so its
// reports go to a response of their own, which is thrown away, unless the lookup as such failed.
func (r *Resolver) nodes(ctx context.Context, list []uuid.UUID) ([]ent.Noder, error) {
	if len(list) > maxNodes {
		return nil, fault.InvalidAt("At most 100 ids at once.", "ids")
	}
	var failure error
	aside := graphql.WithResponseContext(ctx, func(_ context.Context, err error) *gqlerror.Error {
		if !isMissing(err) {
			failure = err
		}
		return gqlerror.Wrap(err)
	}, graphql.DefaultRecover)
	found, err := r.client().Noders(aside, list, tableOf)
	if err != nil && failure == nil && !isMissing(err) {
		failure = err
	}
	if len(found) != len(list) {
		found = make([]ent.Noder, len(list))
	}
	return found, failure
}

// isMissing tells whether the lookup found no row; entgql has an error of its own for that.
func isMissing(err error) bool {
	var e *gqlerror.Error
	return ent.IsNotFound(err) || errors.As(err, &e) && e.Extensions["code"] == "NOT_FOUND"
}

// textOf is what was given, or nothing.
func textOf(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}

// orDefault is the order that was asked for, or else the usual one.
func orDefault[T any](asked, usual []*T) []*T {
	if len(asked) == 0 {
		return usual
	}
	return asked
}

func rolesOf(u *ent.User) []access.Role {
	roles := make([]access.Role, len(u.Roles))
	for i, role := range u.Roles {
		roles[i] = access.Role(role)
	}
	return roles
}

func (r *Resolver) login(ctx context.Context, input identity.LoginInput) (*model.LoginPayload, error) {
	result, err := r.Identity.Login(ctx, input)
	if err != nil {
		return nil, err
	}
	if input.UseCookie != nil && *input.UseCookie {
		r.Cookies.Set(ctx, result.Token)
	}
	return &model.LoginPayload{AccessToken: &result.Token, Session: result.Session, Viewer: result.Viewer}, nil
}

func (r *Resolver) checkIdentifier(kind identifier.Kind, value string) *model.IdentifierCheck {
	result := identifier.Validate(kind, value, r.IdentifierMode)
	check := &model.IdentifierCheck{IsValid: result.IsValid, Normalized: result.Normalized}
	if !result.IsValid {
		check.Reason = &result.Reason
	}
	return check
}
