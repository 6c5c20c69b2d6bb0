package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestStamp(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		ctx := testkit.System(t)

		t.Run("NewRow", func(t *testing.T) {
			now := clk.Advance(1234567 * time.Microsecond)
			u := testkit.User(t, db, access.Nurse)
			assert.Equal(t, ent.TypeUser, ids.Entity(u.ID))
			assert.Equal(t, now, u.CreatedAt)
			assert.Equal(t, now, u.UpdatedAt)
			assert.Equal(t, 1, u.Version)
			read, err := db.Client.User.Get(ctx, u.ID)
			require.NoError(t, err)
			assert.Equal(t, u.CreatedAt, read.CreatedAt, "what was written is what is read, in UTC")
		})
		t.Run("NewRowsOfOneStatement", func(t *testing.T) {
			testkit.Write(t, db, func(ctx context.Context) error {
				rows, err := db.Client.Counter.CreateBulk(
					db.Client.Counter.Create().SetName("bulk 1").SetValue(1), db.Client.Counter.Create().SetName("bulk 2").SetValue(2)).Save(ctx)
				require.NoError(t, err)
				for _, row := range rows {
					assert.Equal(t, ent.TypeCounter, ids.Entity(row.ID))
					assert.Equal(t, clk.Now(), row.CreatedAt)
				}
				return nil
			})
		})
		t.Run("GivenIDStays", func(t *testing.T) {
			id := ids.New(ent.TypeCounter, clk.Now())
			testkit.Write(t, db, func(ctx context.Context) error {
				row, err := db.Client.Counter.Create().SetID(id).SetName("given").SetValue(0).Save(ctx)
				require.NoError(t, err)
				assert.Equal(t, id, row.ID)
				return nil
			})
		})
		t.Run("ChangedRow", func(t *testing.T) {
			u := testkit.User(t, db, access.Nurse)
			now := clk.Advance(time.Hour)
			testkit.Write(t, db, func(ctx context.Context) (err error) {
				u, err = u.Update().SetGivenName("Sam").Save(ctx)
				return err
			})
			assert.Equal(t, 2, u.Version)
			assert.Equal(t, now, u.UpdatedAt)
			assert.Equal(t, now.Add(-time.Hour), u.CreatedAt)
		})
		t.Run("ChangedRowsOfOneStatement", func(t *testing.T) {
			u := testkit.User(t, db, access.Nurse)
			now := clk.Advance(time.Hour)
			testkit.Write(t, db, func(ctx context.Context) error {
				return db.Client.User.Update().SetIsActive(false).Exec(ctx)
			})
			u, err := db.Client.User.Get(ctx, u.ID)
			require.NoError(t, err)
			assert.Equal(t, 2, u.Version)
			assert.Equal(t, now, u.UpdatedAt)
		})
		t.Run("InstantsOfTheCaller", func(t *testing.T) {
			brisbane, err := time.LoadLocation(testkit.Zone)
			require.NoError(t, err)
			local := time.Date(2025, time.March, 1, 9, 0, 0, 123456789, brisbane)
			s := testkit.Slot(t, db, testkit.Practitioner(t, db), local)
			want := time.Date(2025, time.February, 28, 23, 0, 0, 123456000, time.UTC)
			assert.Equal(t, want, s.StartsAt)
			read, err := db.Client.Slot.Get(ctx, s.ID)
			require.NoError(t, err)
			assert.Equal(t, want, read.StartsAt)

			for bound, found := range map[time.Time]bool{local: true, local.Add(time.Hour): false} {
				got, err := db.Client.Slot.Query().Where(slot.StartsAtGTE(bound.Truncate(time.Microsecond))).Exist(ctx)
				require.NoError(t, err)
				assert.Equal(t, found, got, "asked for in another zone: %s", bound)
			}
		})
		t.Run("DeletedRow", func(t *testing.T) {
			row := newCounter(t, db, "deleted")
			testkit.Write(t, db, func(ctx context.Context) error { return db.Client.Counter.DeleteOne(row).Exec(ctx) })
			assert.False(t, hasCounter(t, db, "deleted"))
		})
	})
}

// An update from an old version finds no row: this is how expectedVersion is built.
func TestVersionPredicate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		u := testkit.User(t, db, access.Nurse)
		update := func(version int) error {
			return db.WithTx(testkit.System(t), func(ctx context.Context) error {
				return db.Client.User.UpdateOneID(u.ID).Where(user.Version(version)).SetPhone("+61400000000").Exec(ctx)
			})
		}
		require.NoError(t, update(1))
		require.True(t, ent.IsNotFound(update(1)))
		require.NoError(t, update(2))
	})
}
