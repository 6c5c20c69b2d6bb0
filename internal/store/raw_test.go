package store_test

import (
	"context"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// Raw statements pass the policy by: nobody but the system may use them, and it says why.
func TestRawStatementsAreTheSystems(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		newCounter(t, db, "there")
		remove, list := db.Build().Delete("counters"), db.Build().Select("name").From(entsql.Table("counters"))
		for name, c := range map[string]struct {
			ctx    context.Context
			reason string
		}{
			"nobody":        {t.Context(), "test"},
			"administrator": {testkit.As(t, testkit.User(t, db, access.Admin)), "test"},
			"no reason":     {testkit.System(t), ""},
		} {
			require.ErrorIs(t, db.WithTx(c.ctx, func(ctx context.Context) error {
				_, err := db.Exec(ctx, c.reason, remove)
				return err
			}), fault.ErrForbidden, name)
			require.ErrorIs(t, db.Query(c.ctx, c.reason, list, func(*entsql.Rows) error { return nil }), fault.ErrForbidden, name)
		}
		assert.True(t, hasCounter(t, db, "there"))

		testkit.Write(t, db, func(ctx context.Context) error {
			n, err := db.Exec(ctx, "test", remove)
			assert.EqualValues(t, 1, n)
			return err
		})
		assert.Empty(t, texts(t, db, "SELECT name FROM counters"))
	})
}

func TestRawQueryEndsAtTheFirstError(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		newCounter(t, db, "a")
		newCounter(t, db, "b")
		rows := 0
		err := db.Query(testkit.System(t), "test", raw("SELECT name FROM counters"), func(*entsql.Rows) error { rows++; return errRefused })
		require.ErrorIs(t, err, errRefused)
		assert.Equal(t, 1, rows)
	})
}
