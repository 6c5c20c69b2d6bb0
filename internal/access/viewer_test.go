package access_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
)

func TestViewerHas(t *testing.T) {
	t.Parallel()
	v := &access.Viewer{Roles: []access.Role{access.Doctor, access.Biller}}
	assert.True(t, v.Has(access.Biller))
	assert.True(t, v.Has(access.Admin, access.Doctor), "one of them suffices")
	assert.False(t, v.Has(access.Admin))
	assert.False(t, v.Has())
	var nobody *access.Viewer
	assert.False(t, nobody.Has(access.Roles...))
	assert.False(t, nobody.IsSystem())
	assert.Nil(t, nobody.Person())
}

func TestIsPractitioner(t *testing.T) {
	t.Parallel()
	treats := map[access.Role]bool{access.Doctor: true, access.Clinician: true, access.Supervisor: true}
	for _, role := range access.Roles {
		assert.Equal(t, treats[role], role.IsPractitioner(), role)
	}
}

func TestSystem(t *testing.T) {
	t.Parallel()
	user := &access.Viewer{UserID: uuid.New()}

	t.Run("ActsForTheUserWhoCausedIt", func(t *testing.T) {
		ctx := access.System(access.As(t.Context(), user), "first")
		again := access.System(ctx, "second")
		for reason, ctx := range map[string]context.Context{"first": ctx, "second": again} {
			v := access.From(ctx)
			assert.True(t, v.IsSystem())
			assert.Equal(t, reason, v.Reason())
			assert.Same(t, user, v.Person())
			assert.False(t, v.Has(access.Roles...), "it needs no role")
		}
	})
	t.Run("ActsForNobody", func(t *testing.T) {
		v := access.From(access.System(t.Context(), "job"))
		assert.True(t, v.IsSystem())
		assert.Nil(t, v.Person())
	})
	t.Run("NeedsAReason", func(t *testing.T) {
		v := access.From(access.System(access.As(t.Context(), user), ""))
		assert.False(t, v.IsSystem())
		assert.False(t, v.Has(access.Roles...))
	})
	t.Run("EndsWithItsContext", func(t *testing.T) {
		outer := access.As(t.Context(), user)
		_ = access.System(outer, "job")
		assert.Same(t, user, access.From(outer))
	})
}

func TestBecome(t *testing.T) {
	t.Parallel()
	before, after := &access.Viewer{UserID: uuid.New()}, &access.Viewer{UserID: uuid.New()}

	t.Run("HoldsForTheRestOfTheDocument", func(t *testing.T) {
		ctx := access.WithHolder(access.As(t.Context(), before))
		assert.Same(t, before, access.From(ctx))
		access.Become(access.System(ctx, "sign in"), after)
		assert.Same(t, after, access.From(ctx))
		assert.True(t, access.From(access.System(ctx, "job")).IsSystem(), "the system stays the system")
		assert.Same(t, after, access.From(access.System(ctx, "job")).Person())
	})
	t.Run("DoesNothingWithoutAHolder", func(t *testing.T) {
		ctx := access.As(t.Context(), before)
		access.Become(ctx, after)
		assert.Same(t, before, access.From(ctx))
	})
}

func TestFailure(t *testing.T) {
	t.Parallel()
	require.NoError(t, access.Failure(t.Context()))
	assert.Equal(t, context.Canceled, access.Failure(access.WithFailure(t.Context(), context.Canceled)))
	assert.Nil(t, access.From(t.Context()))
}
