package wallet_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

var revenues = []wallettransaction.CounterAccount{wallettransaction.CounterAccountWARD_REVENUE, wallettransaction.CounterAccountADMISSION_REVENUE}

// model is what the ledger must hold.
type model struct {
	s        *wallet.Service
	me       context.Context
	patients []*ent.Patient
	amounts  map[uuid.UUID][]int64 // by patient, in order
	rows     []*ent.WalletTransaction
	reversed map[uuid.UUID]bool
	accounts map[string]int64
	retries  []func(t *rapid.T) // calls that were made before, under their keys
}

func (m *model) note(row *ent.WalletTransaction) {
	m.amounts[row.PatientID] = append(m.amounts[row.PatientID], row.AmountMinor)
	m.accounts[string(row.CounterAccount)] -= row.AmountMinor
	m.rows = append(m.rows, row)
}

func (m *model) someone(t *rapid.T) *ent.Patient {
	return m.patients[rapid.IntRange(0, len(m.patients)-1).Draw(t, "patient")]
}

func (m *model) topUp(t *rapid.T) {
	in := wallet.TopUpWalletInput{
		PatientID: m.someone(t).ID, Amount: fmt.Sprint(rapid.IntRange(1, 500).Draw(t, "amount")),
		Method: rapid.SampledFrom([]wallet.PaymentMethod{wallet.Cash, wallet.Card}).Draw(t, "method"), IdempotencyKey: key(),
	}
	row, _, err := m.s.TopUp(m.me, in)
	require.NoError(t, err)
	m.note(row)
	m.retries = append(m.retries, func(t *rapid.T) {
		again, _, err := m.s.TopUp(m.me, in)
		require.NoError(t, err)
		require.Equal(t, row.ID, again.ID)
	})
}

func (m *model) adjust(t *rapid.T) {
	in := wallet.AdjustWalletInput{
		PatientID: m.someone(t).ID, Amount: aud(-rapid.Int64Range(1, 99_99).Draw(t, "amount")).Decimal(), Reason: "x", IdempotencyKey: key(),
	}
	if rapid.Bool().Draw(t, "refund") {
		in.RefundBy = ptr(wallet.Cash)
	}
	row, _, err := m.s.Adjust(m.me, in)
	require.NoError(t, err)
	m.note(row)
	m.retries = append(m.retries, func(t *rapid.T) {
		again, _, err := m.s.Adjust(m.me, in)
		require.NoError(t, err)
		require.Equal(t, row.ID, again.ID)
	})
}

func (m *model) charge(t *rapid.T) {
	var list []wallet.Posting
	for range rapid.IntRange(1, 6).Draw(t, "charges") {
		list = append(list, wallet.Posting{
			PatientID: m.someone(t).ID, Kind: wallettransaction.KindADMISSION_CHARGE, AmountMinor: -rapid.Int64Range(1, 300_00).Draw(t, "charge"),
			CounterAccount: rapid.SampledFrom(revenues).Draw(t, "account"),
		})
	}
	fails := rapid.IntRange(0, 3).Draw(t, "fails") == 0
	var rows []*ent.WalletTransaction
	err := m.s.DB.WithTx(systemCtx(context.Background()), func(ctx context.Context) (err error) {
		if rows, err = m.s.Post(ctx, list); err == nil && fails {
			err = fault.ErrConflict // of what the caller does next
		}
		return err
	})
	require.Equal(t, fails, err != nil)
	for i, row := range rows {
		require.Equal(t, list[i].AmountMinor, row.AmountMinor)
		if !fails {
			m.note(row)
		}
	}
}

func (m *model) reverse(t *rapid.T) {
	if len(m.rows) == 0 {
		t.Skip("nothing to reverse")
	}
	row := m.rows[rapid.IntRange(0, len(m.rows)-1).Draw(t, "transaction")]
	in := wallet.ReverseWalletTransactionInput{TransactionID: row.ID, Reason: "x", IdempotencyKey: key()}
	reversal, _, err := m.s.ReverseTransaction(m.me, in)
	switch {
	case row.Kind == wallettransaction.KindREVERSAL:
		require.ErrorIs(t, err, wallet.ErrIllegalStatus)
		return
	case m.reversed[row.ID]:
		require.ErrorIs(t, err, wallet.ErrAlreadyReversed)
		return
	}
	require.NoError(t, err)
	require.Equal(t, -row.AmountMinor, reversal.AmountMinor)
	m.reversed[row.ID] = true
	m.note(reversal)
}

func (m *model) retry(t *rapid.T) {
	if len(m.retries) == 0 {
		t.Skip("nothing to repeat")
	}
	m.retries[rapid.IntRange(0, len(m.retries)-1).Draw(t, "call")](t)
}

// check compares the ledger with the model; so many transactions stood before.
func (m *model) check(t *rapid.T, stood int) {
	requireWhole(t, m.s)
	for _, p := range m.patients {
		rows, err := m.s.DB.Client.WalletTransaction.Query().Where(wallettransaction.PatientID(p.ID)).Order(wallettransaction.ByPosition()).All(m.me)
		require.NoError(t, err)
		require.Len(t, rows, len(m.amounts[p.ID]))
		for i, r := range rows {
			require.Equal(t, m.amounts[p.ID][i], r.AmountMinor)
		}
	}
	sums, err := m.s.TrialBalance(m.me)
	require.NoError(t, err)
	require.True(t, sums.IsBalanced)
	for _, a := range sums.Accounts {
		require.Equal(t, m.accounts[a.Account], a.Total.Minor, a.Account)
	}
	found, err := m.s.Verify(m.me)
	require.NoError(t, err)
	require.Nil(t, found.Fault)
	require.Equal(t, stood+len(m.rows), found.Transactions)
}

// Whatever is done in whatever order, with calls repeated and transactions rolled back, the ledger holds what was done and its invariants stand.
func TestLedger_AgainstAModel(t *testing.T) {
	t.Parallel()
	runs := 3
	if testkit.IsLong() {
		runs = 15
	}
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, me := newService(t, db), testkit.As(t, testkit.User(t, db, access.Admin))
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > runs {
				return // each takes seconds
			}
			// Each run has patients of its own; what stands of other runs is in the sums from the beginning.
			m := &model{s: s, me: me, amounts: map[uuid.UUID][]int64{}, reversed: map[uuid.UUID]bool{}, accounts: map[string]int64{}}
			for range 3 {
				m.patients = append(m.patients, testkit.Record(t, db))
			}
			before, err := s.TrialBalance(me)
			require.NoError(rt, err)
			for _, a := range before.Accounts {
				m.accounts[a.Account] = a.Total.Minor
			}
			stood, err := db.Client.WalletTransaction.Query().Count(me)
			require.NoError(rt, err)
			rt.Repeat(map[string]func(*rapid.T){
				"": func(t *rapid.T) { m.check(t, stood) }, "topUp": m.topUp, "adjust": m.adjust, "charge": m.charge, "reverse": m.reverse, "retry": m.retry,
			})
		})
	})
}

// Services of two instances post to the same wallets at once, in different orders, and make some at once: nothing is lost, and nobody waits for ever.
func TestPost_ByTwoInstances(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		services := []*wallet.Service{newService(t, db), newService(t, db)}
		if db.Dialect() == testkit.Postgres {
			services[1] = newService(t, testkit.Another(t, db, clk))
		}
		var patients []uuid.UUID
		for range 6 {
			patients = append(patients, testkit.Record(t, db).ID)
		}
		const workers, rounds = 8, 10
		var g errgroup.Group
		for worker := range workers {
			s := services[worker%2]
			g.Go(func() error {
				for round := range rounds {
					if err := s.DB.WithTx(systemCtx(t.Context()), func(ctx context.Context) error {
						first, second := patients[(worker+round)%6], patients[(worker*5+round*3+1)%6]
						if round%3 == 0 {
							if err := s.Lock(ctx, second, first); err != nil {
								return err
							}
						}
						_, err := s.Post(ctx, []wallet.Posting{topUp(second, 1), topUp(first, 2), topUp(second, 3)})
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		requireWhole(t, services[0])
		sums, err := services[0].TrialBalance(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, workers*rounds*6, sums.Wallets.Total.Minor)
		assert.Equal(t, workers*rounds*3, sums.Accounts[0].Count)
	})
}

// Two callers make one wallet at once: there is one, and both have posted.
func TestLock_MakesAWalletOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s := newService(t, db)
		for range 10 {
			p := testkit.Record(t, db).ID
			var g errgroup.Group
			for range 4 {
				g.Go(func() error {
					return db.WithTx(systemCtx(t.Context()), func(ctx context.Context) error {
						if err := s.Lock(ctx, p, p); err != nil {
							return err
						}
						_, err := s.Post(ctx, []wallet.Posting{topUp(p, 1)})
						return err
					})
				})
			}
			require.NoError(t, g.Wait())
			require.EqualValues(t, 4, walletOf(t, s, p).Position)
		}
		requireWhole(t, s)
	})
}
