package wallet_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

// told counts what a user was told of a kind.
func told(t *testing.T, db *store.DB, user uuid.UUID, kind string) int {
	t.Helper()
	n, err := db.Client.Notification.Query().Where(notification.UserID(user), notification.Kind(kind)).Count(testkit.System(t))
	require.NoError(t, err)
	return n
}

// watch runs the job and returns how many it told of.
func watch(t *testing.T, s *wallet.Service) [2]int {
	t.Helper()
	low, overdrawn, err := s.LowBalanceDue(testkit.System(t))
	require.NoError(t, err)
	return [2]int{low, overdrawn}
}

// The patient and all billers are told when a balance falls below 100.00 and when it falls below zero, at most once per level and 24 hours.
func TestLowBalance(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, p := newService(t, db), testkit.Patient(t, db)
		billers := []*ent.User{testkit.User(t, db, access.Biller), testkit.User(t, db, access.Biller)}
		gone := testkit.User(t, db, access.Biller, func(c *ent.UserCreate) { c.SetIsActive(false) })
		nurse := testkit.User(t, db, access.Nurse)
		start := clk.Now()
		for _, step := range []struct {
			name      string
			at        time.Duration
			amount    int64
			low, over int
		}{
			{"100.00 is enough", 0, 100_00, 0, 0},
			{"99.99 is low", 2 * time.Hour, -1, 1, 0},
			{"it stays low", 4 * time.Hour, -50_00, 0, 0},
			{"0.00 is low still", 6 * time.Hour, -49_99, 0, 0},
			{"below zero", 8 * time.Hour, -1, 0, 1},
			{"it rises to low", 10 * time.Hour, 50_00, 0, 0},
			{"below zero again, within 24 hours", 12 * time.Hour, -50_00, 0, 0},
			{"a moment before the 24 hours are over", 32*time.Hour - time.Microsecond, -1, 0, 0},
			{"24 hours after it was told", 32 * time.Hour, -1, 0, 1},
			{"for days it says no more", 100 * time.Hour, -1, 0, 0},
			{"enough", 102 * time.Hour, 500_00, 0, 0},
			{"low again", 104 * time.Hour, -450_00, 1, 0},
			{"enough, and low at once", 106 * time.Hour, 1, 0, 0},
		} {
			clk.Set(start.Add(step.at))
			post(t, s, topUp(p.ID, step.amount))
			require.Equal(t, [2]int{step.low, step.over}, watch(t, s), step.name)
			require.Equal(t, [2]int{0, 0}, watch(t, s), "%s: again at once", step.name)
		}
		for _, u := range append(billers, db.Client.User.GetX(testkit.System(t), *p.UserID)) {
			assert.Equal(t, []int{2, 2}, []int{told(t, db, u.ID, wallet.KindLow), told(t, db, u.ID, wallet.KindOverdrawn)})
		}
		for _, u := range []*ent.User{gone, nurse} {
			assert.Zero(t, told(t, db, u.ID, wallet.KindLow)+told(t, db, u.ID, wallet.KindOverdrawn))
		}
		mails, err := db.Client.Delivery.Query().Where(delivery.KindIn(wallet.KindLow, wallet.KindOverdrawn)).All(testkit.System(t))
		require.NoError(t, err)
		assert.Len(t, mails, 4)
		for _, m := range mails {
			assert.Equal(t, p.Email, m.Address)
			assert.Contains(t, m.Body, "Dear "+p.GivenName)
		}
		requireWhole(t, s)
	})
}

// Who falls to a level and rises again before the job looks is not told; who falls twice in 24 hours is told a day after the first time, if low still.
func TestLowBalance_SuppressedIsNotLost(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, p := newService(t, db), testkit.Patient(t, db)
		post(t, s, topUp(p.ID, 50_00))
		require.Equal(t, [2]int{1, 0}, watch(t, s))
		post(t, s, topUp(p.ID, 50_00)) // to 100.00, which is enough
		require.Equal(t, [2]int{0, 0}, watch(t, s))
		clk.Advance(2 * time.Hour)
		post(t, s, topUp(p.ID, -1))
		require.Equal(t, [2]int{0, 0}, watch(t, s), "told 2 hours ago")
		clk.Advance(22 * time.Hour)
		require.Equal(t, [2]int{1, 0}, watch(t, s), "24 hours are over")
	})
}

// Wallets of exempt patients are left out unless a charge is open: then their balance is below zero. Records without an account or an address are told
// of to billers.
func TestLowBalance_ExemptAndUnknown(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		exempt := map[uuid.UUID]bool{}
		s := newService(t, db, func(c *wallet.Config) {
			c.IsExempt = func(ctx context.Context, patients []uuid.UUID) (map[uuid.UUID]bool, error) {
				assert.True(t, access.From(ctx).IsSystem())
				assert.NotEmpty(t, patients)
				return exempt, nil
			}
		})
		biller, free, record := testkit.User(t, db, access.Biller), testkit.Patient(t, db), testkit.Record(t, db)
		exempt[free.ID] = true
		post(t, s, topUp(free.ID, 1), topUp(record.ID, 1))
		require.Equal(t, [2]int{1, 0}, watch(t, s))
		assert.Equal(t, 1, told(t, db, biller.ID, wallet.KindLow))
		assert.Zero(t, told(t, db, *free.UserID, wallet.KindLow))
		post(t, s, topUp(free.ID, -2))
		require.Equal(t, [2]int{0, 1}, watch(t, s))
		assert.Equal(t, 1, told(t, db, *free.UserID, wallet.KindOverdrawn))

		clk.Advance(25 * time.Hour)
		post(t, s, topUp(free.ID, 500_00))
		watch(t, s)
		post(t, s, topUp(free.ID, -450_00))
		require.Equal(t, [2]int{0, 0}, watch(t, s))
		exempt[free.ID] = false
		require.Equal(t, [2]int{1, 0}, watch(t, s), "no longer exempt, and low")
	})
}

// More wallets than go into one transaction are all told of.
func TestLowBalance_InBatches(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, biller := newService(t, db), testkit.User(t, db, access.Biller)
		var list []wallet.Posting
		for range 1201 {
			list = append(list, topUp(testkit.Record(t, db).ID, 1))
		}
		post(t, s, list...)
		require.Equal(t, [2]int{1201, 0}, watch(t, s))
		assert.Equal(t, 1201, told(t, db, biller.ID, wallet.KindLow))
	})
}
