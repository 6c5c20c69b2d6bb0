package wallet_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var quiet = slog.New(slog.DiscardHandler)

func newService(t testing.TB, db *store.DB, change ...func(*wallet.Config)) *wallet.Service {
	t.Helper()
	zone, err := civil.LoadZone(testkit.Zone)
	require.NoError(t, err)
	c := wallet.Config{
		DB: db, Streams: stream.New(db, nil, quiet), Notify: notify.New(notify.Config{DB: db, Log: quiet}), Audit: audit.New(db, quiet, audit.Options{}), Log: quiet,
		Zone: zone, Currency: "AUD", LowBalance: money.Amount{Minor: 100_00, Currency: "AUD"},
	}
	for _, f := range change {
		f(&c)
	}
	return wallet.New(c)
}

// topUp is money paid in.
func topUp(patient uuid.UUID, minor int64) wallet.Posting {
	return wallet.Posting{
		PatientID: patient, Kind: wallettransaction.KindTOP_UP, AmountMinor: minor, CounterAccount: wallettransaction.CounterAccountCASH, Description: "Top-up",
	}
}

// post posts in a transaction of its own.
func post(t testing.TB, s *wallet.Service, postings ...wallet.Posting) (rows []*ent.WalletTransaction) {
	t.Helper()
	testkit.Write(t, s.DB, func(ctx context.Context) (err error) {
		rows, err = s.Post(ctx, postings)
		return err
	})
	return rows
}

// requireWhole checks the invariants of all wallets: dense positions, sums, hashes, and the wallets' rows.
func requireWhole(t require.TestingT, s *wallet.Service) {
	ctx := context.Background()
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	ctx = systemCtx(ctx)
	wallets, err := s.DB.Client.Wallet.Query().All(ctx)
	require.NoError(t, err)
	for _, w := range wallets {
		rows, err := s.DB.Client.WalletTransaction.Query().Where(wallettransaction.WalletID(w.ID)).Order(wallettransaction.ByPosition()).All(ctx)
		require.NoError(t, err)
		var balance int64
		hash := ""
		for i, r := range rows {
			balance += r.AmountMinor
			require.EqualValues(t, i+1, r.Position)
			require.Equal(t, balance, r.BalanceAfterMinor)
			require.Equal(t, wallet.Hash(hash, r), r.Hash)
			hash = r.Hash
		}
		require.EqualValues(t, len(rows), w.Position)
		require.Equal(t, balance, w.BalanceMinor)
		require.Equal(t, hash, w.Hash)
	}
}

func walletOf(t testing.TB, s *wallet.Service, patient uuid.UUID) *ent.Wallet {
	t.Helper()
	w, err := s.DB.Client.Wallet.Query().Where(entwallet.PatientID(patient)).Only(testkit.System(t))
	require.NoError(t, err)
	assert.Equal(t, wallet.IDOf(patient), w.ID)
	return w
}
