package wallet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

func aud(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "AUD"} }

func day(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// Dates are the practice's: where clocks change, a date ends when the next begins, be it after 23 or 25 hours.
func TestStatement_WhereClocksChange(t *testing.T) {
	t.Parallel()
	melbourne, err := civil.LoadZone("Australia/Melbourne")
	require.NoError(t, err)
	cairo, err := civil.LoadZone("Africa/Cairo") // midnight itself is skipped there
	require.NoError(t, err)
	for _, c := range []struct {
		name  string
		zone  *time.Location
		date  string
		hours int
	}{
		{"a usual day", melbourne, "2025-01-15", 24}, {"the day of 23 hours", melbourne, "2025-10-05", 23}, {"the day of 25 hours", melbourne, "2025-04-06", 25},
		{"a day without midnight", cairo, "2025-04-25", 23}, {"the day before it", cairo, "2025-04-24", 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				s := newService(t, db, func(config *wallet.Config) { config.Zone = c.zone })
				p, me := testkit.Record(t, db), testkit.As(t, testkit.User(t, db, access.Biller))
				start := civil.StartOfDay(day(c.date), c.zone)
				end := start.Add(time.Duration(c.hours) * time.Hour)
				for i, at := range []time.Time{start.Add(-time.Microsecond), start, end.Add(-time.Microsecond), end} {
					clk.Set(at)
					post(t, s, topUp(p.ID, []int64{1, -10, 100, 1000}[i]))
				}
				st, err := s.Statement(me, p.ID, day(c.date), day(c.date))
				require.NoError(t, err)
				assert.Equal(t, []money.Amount{aud(1), aud(100), aud(-10), aud(91)}, []money.Amount{st.Opening, st.Credits, st.Debits, st.Closing})
				entries := s.Entries(st).AllX(me)
				require.Len(t, entries, 2)
				assert.Equal(t, []int64{2, 3}, []int64{entries[0].Position, entries[1].Position})
				for days, want := range map[int]int64{-2: 0, -1: 1, 0: 91, 1: 1091, 400: 1091} {
					balance, err := s.BalanceAt(me, p.ID, day(c.date).AddDays(days))
					require.NoError(t, err)
					assert.Equal(t, aud(want), *balance, "%d days", days)
				}
			})
		})
	}
}

func TestStatement(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, mine, other := newService(t, db), testkit.Patient(t, db), testkit.Patient(t, db)
		today := day("2025-01-15")
		for _, none := range []uuid.UUID{mine.ID, uuid.Nil, uuid.New()} {
			st, err := s.Statement(testkit.As(t, mine), none, today, today)
			require.NoError(t, err)
			assert.Nil(t, st, "there is no wallet")
		}
		var many []wallet.Posting
		for range 1001 {
			many = append(many, topUp(mine.ID, 1))
		}
		post(t, s, many...)
		st, err := s.Statement(testkit.As(t, mine), mine.ID, today, today)
		require.NoError(t, err)
		post(t, s, topUp(mine.ID, 1))
		entries := s.Entries(st).AllX(testkit.As(t, mine))
		require.Len(t, entries, 1000, "the first 1,000")
		assert.EqualValues(t, 1000, entries[999].Position)
		assert.True(t, st.HasMore)
		assert.Equal(t, aud(1001), st.Closing, "sums are of all")

		for who, sees := range map[any]bool{other: false, mine: true, testkit.User(t, db, access.Nurse): true, testkit.User(t, db, access.Scheduler): false} {
			st, err := s.Statement(testkit.As(t, who), mine.ID, today, today)
			require.NoError(t, err)
			assert.Equal(t, sees, st != nil, fmt.Sprintf("%T", who))
			balance, err := s.BalanceAt(testkit.As(t, who), mine.ID, today)
			require.NoError(t, err)
			assert.Equal(t, sees, balance != nil)
		}
		last := day("9999-12-31")
		st, err = s.Statement(testkit.As(t, mine), mine.ID, last, last)
		require.NoError(t, err)
		assert.Equal(t, []money.Amount{aud(1002), aud(0), aud(1002)}, []money.Amount{st.Opening, st.Credits, st.Closing})
		balance, err := s.BalanceAt(testkit.As(t, mine), mine.ID, last)
		require.NoError(t, err)
		assert.Equal(t, aud(1002), *balance, "at the end of the calendar")
		for days, ok := range map[int]bool{-1: false, 0: true, 3659: true, 3660: false} {
			_, err := s.Statement(testkit.As(t, mine), mine.ID, today, today.AddDays(days))
			assert.Equal(t, !ok, err != nil)
			if err != nil {
				require.ErrorIs(t, err, fault.ErrInvalid)
			}
		}
	})
}

// The sums of all wallets and accounts cancel out, and do not when a wallet's row is altered.
func TestTrialBalance(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, a, b := newService(t, db), testkit.Record(t, db), testkit.Record(t, db)
		empty, err := s.TrialBalance(t.Context())
		require.NoError(t, err)
		assert.True(t, empty.IsBalanced)
		assert.Len(t, empty.Accounts, 5)

		me := testkit.As(t, testkit.User(t, db, access.Biller))
		post(t, s, topUp(a.ID, 50_00), topUp(b.ID, 7_00))
		_, _, err = s.Adjust(me, wallet.AdjustWalletInput{PatientID: a.ID, Amount: "-60", Reason: "x", IdempotencyKey: key()})
		require.NoError(t, err)
		sums, err := s.TrialBalance(t.Context())
		require.NoError(t, err)
		assert.Equal(t, wallet.AccountTotal{Account: "WALLETS", Total: aud(-3_00), Count: 2}, sums.Wallets)
		assert.Equal(t, []wallet.AccountTotal{
			{Account: "CASH", Total: aud(-57_00), Count: 2}, {Account: "CARD", Total: aud(0)}, {Account: "WARD_REVENUE", Total: aud(0)},
			{Account: "ADMISSION_REVENUE", Total: aud(0)}, {Account: "ADJUSTMENTS", Total: aud(60_00), Count: 1},
		}, sums.Accounts)
		assert.True(t, sums.IsBalanced)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Wallet.UpdateOneID(wallet.IDOf(b.ID)).SetBalanceMinor(7_01).Exec(ctx)
		})
		sums, err = s.TrialBalance(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []any{false, aud(1)}, []any{sums.IsBalanced, sums.Total})
	})
}

// A balance of 100.00 is not low, one of 99.99 is; the days that it pays are whole ones.
func TestLevels(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		post(t, s, topUp(p.ID, 100_00))
		assert.False(t, s.IsLow(walletOf(t, s, p.ID)))
		post(t, s, topUp(p.ID, -1))
		assert.True(t, s.IsLow(walletOf(t, s, p.ID)))
	})
	for _, c := range []struct {
		balance, rate int64
		want          *int
	}{
		{500_00, 180_00, ptr(2)}, {360_00, 180_00, ptr(2)}, {359_99, 180_00, ptr(1)}, {0, 180_00, ptr(0)}, {179_99, 180_00, ptr(0)},
		{-1, 180_00, nil}, {500_00, 0, nil},
	} {
		assert.Equal(t, c.want, wallet.DaysUntilOverdrawn(aud(c.balance), aud(c.rate)), "%d at %d", c.balance, c.rate)
	}
}
