package wallet_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

// What is being written is not bad: while two instances post, to new wallets too, verification finds nothing.
func TestVerify_WhileOthersPost(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, other := newService(t, db), newService(t, db)
		if db.Dialect() == testkit.Postgres {
			other = newService(t, testkit.Another(t, db, clk))
		}
		var patients []uuid.UUID
		for range 60 {
			patients = append(patients, testkit.Record(t, db).ID)
		}
		var g errgroup.Group
		done := make(chan struct{})
		for i, s := range []*wallet.Service{s, other} {
			g.Go(func() error {
				for round := range 40 {
					if err := s.DB.WithTx(systemCtx(t.Context()), func(ctx context.Context) error {
						_, err := s.Post(ctx, []wallet.Posting{topUp(patients[(round*7+i)%60], 1), topUp(patients[round%60], 2), topUp(patients[3], 3)})
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		ended := make(chan error, 1)
		go func() { ended <- g.Wait(); close(done) }()
		for isDone := false; !isDone; {
			select {
			case <-done:
				isDone = true
			default:
			}
			found, err := s.Verify(t.Context())
			require.NoError(t, err)
			require.Nil(t, found.Fault)
			if isDone {
				assert.Equal(t, 2*40*3, found.Transactions)
			}
		}
		require.NoError(t, <-ended)
		requireWhole(t, s)
	})
}

// More wallets and transactions than go into a page are all verified; a bad row behind the first page is found.
func TestVerify_ManyPages(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s := newService(t, db)
		var list []wallet.Posting
		for range 1100 {
			p := testkit.Record(t, db).ID
			list = append(list, topUp(p, 1), topUp(p, 2), topUp(p, 3))
		}
		for range 2500 {
			list = append(list, topUp(list[len(list)-1].PatientID, 1))
		}
		post(t, s, list...)
		found, err := s.Verify(t.Context())
		require.NoError(t, err)
		assert.Equal(t, wallet.Finding{Wallets: 1100, Transactions: 5800}, found)
		last := walletOf(t, s, list[len(list)-1].PatientID)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Wallet.UpdateOneID(last.ID).SetBalanceMinor(0).Exec(ctx)
		})
		found, err = s.Verify(t.Context())
		require.NoError(t, err)
		require.NotNil(t, found.Fault)
		assert.Equal(t, spot{last.ID, last.Position}, spot{found.Fault.WalletID, found.Fault.Position})
	})
}
