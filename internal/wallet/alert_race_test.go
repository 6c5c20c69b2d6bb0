package wallet_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

// Two instances that look at the same time, their clocks a second apart, tell of each wallet and level once: the second waits for what the first has locked.
func TestLowBalance_TwoInstances(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(testkit.Start)
	db := testkit.Open(t, testkit.Postgres, clk)
	other := newService(t, testkit.Another(t, db, clock.NewFake(clk.Now().Add(time.Second))))
	second := make(chan [2]int, 1)
	var once sync.Once
	one := newService(t, db, func(c *wallet.Config) {
		c.IsExempt = func(ctx context.Context, _ []uuid.UUID) (map[uuid.UUID]bool, error) { // in the transaction of the first, which has its wallets
			once.Do(func() {
				go func() { second <- watch(t, other) }()
				require.Eventually(t, func() bool { return len(second) == 1 || isWaiting(t, db) }, patience, time.Millisecond)
			})
			return nil, nil
		}
	})
	biller := testkit.User(t, db, access.Biller)
	var list []wallet.Posting
	for n := range 10 {
		list = append(list, topUp(testkit.Record(t, db).ID, []int64{1, -1}[n%2]))
	}
	post(t, one, list...)
	assert.Equal(t, [2]int{5, 5}, watch(t, one))
	assert.Equal(t, [2]int{0, 0}, <-second)
	assert.Equal(t, []int{5, 5}, []int{told(t, db, biller.ID, wallet.KindLow), told(t, db, biller.ID, wallet.KindOverdrawn)})
}

// isWaiting tells whether somebody waits for a lock in the database.
func isWaiting(t *testing.T, db *store.DB) (yes bool) {
	t.Helper()
	locks := sql.Table("pg_stat_activity").Schema("pg_catalog")
	query := db.Build().Select("pid").From(locks).Where(sql.And(sql.EQ("wait_event_type", "Lock"), sql.ExprP("datname = current_database()")))
	require.NoError(t, db.Query(store.WithoutTx(testkit.System(t)), "look for who waits", query, func(*sql.Rows) error { yes = true; return nil }))
	return yes
}

// A batch whose transaction is rolled back and tried again is told of once, and none of it is left out.
func TestLowBalance_TriedAgain(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			faults, clk := &testkit.Faults{}, clock.NewFake(testkit.Start)
			db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, engine), StatementTimeout: time.Minute, Wrap: faults.Wrap}, clk)
			s, biller := newService(t, db), testkit.User(t, db, access.Biller)
			var list []wallet.Posting
			for range 510 { // a whole batch, and some
				list = append(list, topUp(testkit.Record(t, db).ID, 1))
			}
			post(t, s, list...)
			faults.Watch()
			require.Equal(t, [2]int{510, 0}, watch(t, s))
			commit := 1 + slices.Index(faults.Seen(), "COMMIT")
			require.Positive(t, commit)
			assert.Equal(t, 510, told(t, db, biller.ID, wallet.KindLow))
			testkit.Write(t, db, func(ctx context.Context) error {
				return db.Client.Wallet.Update().SetAlertLevel(entwallet.AlertLevelNONE).ClearLowToldAt().Exec(ctx)
			})
			clk.Advance(time.Hour)
			faults.FailAt(commit, &pq.Error{Code: "40001"})
			assert.Equal(t, [2]int{510, 0}, watch(t, s))
			assert.Equal(t, 2*510, told(t, db, biller.ID, wallet.KindLow))
		})
	}
}
