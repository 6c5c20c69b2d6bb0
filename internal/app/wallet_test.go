package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
	"github.com/caregraph/caregraph/internal/wallet"
)

const (
	walletActivity = `subscription ($id: ID!, $after: Cursor) { walletActivity(patientId: $id, after: $after) { __typename cursor previousCursor
		... on WalletTransactionPosted { transaction { position amount { amount } balanceAfter { amount } wallet { id patient { id } } } } } }`
	topUpOperation = `mutation ($id: ID!, $amount: Decimal!, $key: String!) {
		topUpWallet(input: {patientId: $id, amount: $amount, method: CASH, idempotencyKey: $key}) {
			transaction { id position } wallet { balance { amount } } userErrors { code } } }`
)

func topUpWith(id uuid.UUID, amount string) map[string]any {
	return map[string]any{"id": id.String(), "amount": amount, "key": uuid.NewString()}
}

// TestWalletActivity: who follows a wallet at either instance, from before it was there or behind a cursor, gets every transaction once and in order, whichever
// instance posts it; others get nothing.
func TestWalletActivity(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		all := instances.Start(t, engine, 2, instances.Options{})
		a, b := all[0], all[1]
		alice, bob, biller := testkit.Patient(t, a.DB), testkit.Patient(t, a.DB), testkit.User(t, a.DB, access.Biller)
		patient, cashier := a.Client(t).SignIn(t, alice.Email, testkit.Password), a.Client(t).SignIn(t, biller.Email, testkit.Password)
		vars := map[string]any{"id": alice.ID.String()}
		var feeds []*testkit.Feed
		for _, client := range []*testkit.Client{patient, at(t, b, patient), at(t, b, cashier)} {
			feeds = append(feeds, client.Socket(t).Subscribe(walletActivity, vars))
		}
		for _, f := range feeds {
			require.Equal(t, "StreamOpened", f.Next().Text("walletActivity.__typename"), "there is no wallet yet")
		}
		for name, id := range map[string]uuid.UUID{"another's": bob.ID, "nobody's": uuid.New()} {
			code, before := patient.Socket(t).Subscribe(walletActivity, map[string]any{"id": id.String()}).End()
			require.Equal(t, "NOT_FOUND", code, name)
			require.Empty(t, before)
		}
		const each = 10
		var g errgroup.Group
		for _, client := range []*testkit.Client{cashier, at(t, b, cashier)} {
			g.Go(func() error {
				for range each {
					client.Do(t, topUpOperation, topUpWith(alice.ID, "1.00")).NoErrors(t)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		var middle string
		for _, f := range feeds {
			last := ""
			for i := 1; i <= 2*each; i++ {
				event := f.Next()
				require.Equal(t, i, event.Int("walletActivity.transaction.position"))
				require.Equal(t, fmt.Sprintf("%d.00", i), event.Text("walletActivity.transaction.balanceAfter.amount"))
				require.Equal(t, alice.ID.String(), event.Text("walletActivity.transaction.wallet.patient.id"))
				require.Equal(t, last, event.Text("walletActivity.previousCursor"))
				if last = event.Text("walletActivity.cursor"); i == each {
					middle = last
				}
			}
		}
		resumed := at(t, b, patient).Socket(t).Subscribe(walletActivity, map[string]any{"id": alice.ID.String(), "after": middle})
		for i := each + 1; i <= 2*each; i++ {
			require.Equal(t, i, resumed.Next().Int("walletActivity.transaction.position"))
		}
	})
}

// TestWalletActivity_EndsWithTheRight: who loses the role hears nothing more, at the other instance too.
func TestWalletActivity_EndsWithTheRight(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		all := instances.Start(t, engine, 2, instances.Options{})
		a, b := all[0], all[1]
		alice, nurse, admin := testkit.Patient(t, a.DB), testkit.User(t, a.DB, access.Nurse), testkit.User(t, a.DB, access.Admin)
		feed := b.Client(t).SignIn(t, nurse.Email, testkit.Password).Socket(t).Subscribe(walletActivity, map[string]any{"id": alice.ID.String()})
		feed.Next()
		boss := a.Client(t).SignIn(t, admin.Email, testkit.Password)
		require.Empty(t, boss.Do(t, `mutation ($id: ID!) { updateUser(input: {id: $id, roles: [PHARMACIST]}) { userErrors { code } } }`,
			map[string]any{"id": nurse.ID.String()}).NoErrors(t).Code())
		boss.Do(t, topUpOperation, topUpWith(alice.ID, "1.00")).NoErrors(t)
		code, before := feed.End()
		require.NotEmpty(t, code)
		require.Empty(t, before)
	})
}

// damage alters a transaction as who holds the database's files could.
func damage(t *testing.T, db *store.DB, id uuid.UUID) {
	t.Helper()
	driver, name, unlock := "sqlite", "file:"+db.URL()+"?_pragma=busy_timeout(5000)", "DROP TRIGGER wallet_transactions_immutable_update"
	if db.Dialect() == testkit.Postgres {
		driver, name, unlock = "postgres", db.URL(), "ALTER TABLE wallet_transactions DISABLE TRIGGER USER"
	}
	raw, err := sql.Open(driver, name)
	require.NoError(t, err)
	defer func() { _ = raw.Close() }()
	for _, text := range []string{unlock, "UPDATE wallet_transactions SET amount_minor = amount_minor + 1 WHERE id = '" + id.String() + "'"} {
		_, err := raw.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
}

const verifyOperation = `query ($id: ID) { verifyLedger(patientId: $id) { run { status } isWhole wallets transactions fault { walletId position problem } } }`

// TestVerifyLedger: the query runs the job, which names the first bad row, fails and tells administrators; the command line finds the same.
func TestVerifyLedger(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{})[0]
		alice, bob, ada := testkit.Patient(t, i.DB), testkit.Patient(t, i.DB), testkit.User(t, i.DB, access.Admin)
		admin := i.Client(t).SignIn(t, ada.Email, testkit.Password)
		for range 3 {
			admin.Do(t, topUpOperation, topUpWith(alice.ID, "1.00")).NoErrors(t)
			admin.Do(t, topUpOperation, topUpWith(bob.ID, "2.00")).NoErrors(t)
		}
		command := func() (string, error) {
			var cli app.Commands
			var out bytes.Buffer
			parser, err := kong.New(&cli)
			require.NoError(t, err)
			parsed, err := parser.Parse([]string{"ledger", "verify", "--database", i.DB.URL()})
			require.NoError(t, err)
			parsed.BindTo(t.Context(), (*context.Context)(nil))
			err = parsed.Run(&app.Environment{Out: &out, Err: &bytes.Buffer{}, Environ: []string{"ENVIRONMENT=development"}})
			return out.String(), err
		}
		whole := admin.Do(t, verifyOperation, nil).NoErrors(t)
		assert.Equal(t, []any{"SUCCEEDED", true, 2, 6, nil}, []any{whole.Text("verifyLedger.run.status"), whole.Get("verifyLedger.isWhole"),
			whole.Int("verifyLedger.wallets"), whole.Int("verifyLedger.transactions"), whole.Get("verifyLedger.fault")})
		out, err := command()
		require.NoError(t, err)
		assert.Regexp(t, `wallets +2\ntransactions +6\nfirst bad row +none`, out)

		row, err := i.DB.Client.WalletTransaction.Query().Where(wallettransaction.PatientID(bob.ID), wallettransaction.Position(2)).Only(testkit.System(t))
		require.NoError(t, err)
		damage(t, i.DB, row.ID)
		broken := admin.Do(t, verifyOperation, nil).NoErrors(t)
		assert.Equal(t, []any{"FAILED", false, row.WalletID.String(), 2}, []any{broken.Text("verifyLedger.run.status"), broken.Get("verifyLedger.isWhole"),
			broken.Text("verifyLedger.fault.walletId"), broken.Int("verifyLedger.fault.position")})
		out, err = command()
		require.ErrorContains(t, err, "the ledger is broken")
		assert.Contains(t, out, row.WalletID.String()+", position 2")
		admin.Do(t, verifyOperation, nil).NoErrors(t)
		told, err := i.DB.Client.Notification.Query().Where(notification.UserID(ada.ID), notification.Kind(wallet.KindBroken)).Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 1, told, "once a day")
		for id, want := range map[uuid.UUID]bool{alice.ID: true, bob.ID: false, uuid.New(): true} {
			one := admin.Do(t, verifyOperation, map[string]any{"id": id.String()}).NoErrors(t)
			assert.Equal(t, want, one.Get("verifyLedger.isWhole"))
			assert.Nil(t, one.Get("verifyLedger.run"))
		}
	})
}

// A page of wallets with what is computed for each of them takes as many statements as one wallet.
func TestWallets_ComputedForAPageAtOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{})[0]
		ctx := access.System(t.Context(), "test")
		patients := []any{}
		for range 10 {
			p := testkit.Record(t, i.DB)
			patients = append(patients, p.ID.String())
			require.NoError(t, i.DB.WithTx(ctx, func(ctx context.Context) error {
				rows, err := i.Wallets.Post(ctx, []wallet.Posting{
					{PatientID: p.ID, Kind: wallettransaction.KindTOP_UP, AmountMinor: 5, CounterAccount: wallettransaction.CounterAccountCASH},
					{PatientID: p.ID, Kind: wallettransaction.KindTOP_UP, AmountMinor: 7, CounterAccount: wallettransaction.CounterAccountCASH},
				})
				if err == nil {
					_, err = i.Wallets.Reverse(ctx, "x", rows[:1])
				}
				return err
			}))
		}
		statements := func(n int) int64 {
			var count atomic.Int64
			ids := make([]uuid.UUID, n)
			for k := range ids {
				ids[k] = uuid.MustParse(patients[k].(string))
			}
			_, err := i.Wallets.Rates(store.CountRoundTrips(ctx, &count), ids)
			require.NoError(t, err)
			_, err = i.Wallets.Reversals(store.CountRoundTrips(ctx, &count), ids)
			require.NoError(t, err)
			return count.Load()
		}
		assert.Equal(t, statements(1), statements(10))
		nurse := i.Client(t).SignIn(t, testkit.User(t, i.DB, access.Nurse).Email, testkit.Password)
		page := nurse.Do(t, `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Patient { wallet { balance { amount currency } isOverdrawn isLow daysUntilOverdrawn
			transactions(first: 5) { totalCount edges { node { kind reversedBy { kind } reverses { position } } } } } } } }`, map[string]any{"ids": patients}).NoErrors(t)
		for k := range patients {
			of := fmt.Sprintf("nodes.%d.wallet.", k)
			assert.Equal(t, []any{"0.07", "AUD", false, true, nil, 3}, []any{
				page.Text(of + "balance.amount"), page.Text(of + "balance.currency"), page.Get(of + "isOverdrawn"),
				page.Get(of + "isLow"), page.Get(of + "daysUntilOverdrawn"), page.Int(of + "transactions.totalCount"),
			})
			assert.Equal(t, "REVERSAL", page.Text(of+"transactions.edges.0.node.reversedBy.kind"))
			assert.Nil(t, page.Get(of+"transactions.edges.1.node.reversedBy"))
			assert.Equal(t, 1, page.Int(of+"transactions.edges.2.node.reverses.position"))
		}
	})
}
