package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

const statementOperation = `query ($id: ID!) { walletStatement(patientId: $id, from: "2025-01-01", to: "2025-12-31") { hasMore entries {
	position amount { amount } wallet { id patient { id } } admission { id patient { id } } reverses { id position } reversedBy { position } } } }`

// A statement takes as many database calls for thirty entries as for two, whatever of their surroundings is asked for, and an operation pays for the thousand
// that it may list.
func TestWalletStatement_EntriesAtOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, nil)
			bed := testkit.Bed(t, i.DB, testkit.Ward(t, i.DB))
			few, many := testkit.Record(t, i.DB), testkit.Record(t, i.DB)
			stay := testkit.Admission(t, i.DB, bed, many, i.clk.Now()).ID
			fill := func(p *ent.Patient, n int, stay *uuid.UUID) {
				testkit.Write(t, i.DB, func(ctx context.Context) error {
					var list []wallet.Posting
					for range n {
						list = append(list, wallet.Posting{
							PatientID: p.ID, Kind: wallettransaction.KindADMISSION_CHARGE, AmountMinor: -5, AdmissionID: stay,
							CounterAccount: wallettransaction.CounterAccountADMISSION_REVENUE,
						})
					}
					rows, err := i.Wallets.Post(ctx, list)
					if err == nil {
						_, err = i.Wallets.Reverse(ctx, "x", rows)
					}
					return err
				})
			}
			fill(few, 1, nil)
			fill(many, 15, &stay)
			url, trips := counted(t, i)
			client := testkit.NewClient(t, url).SignIn(t, testkit.User(t, i.DB, access.Biller).Email, testkit.Password)
			client.Do(t, `{ viewer { id } }`, nil).NoErrors(t)
			calls := func(p *ent.Patient, n int) int64 {
				least := int64(1000)
				for range 5 { // computed fields that a busy machine gets to late make a batch of their own
					trips.Store(0)
					found := client.Do(t, statementOperation, map[string]any{"id": p.ID.String()}).NoErrors(t)
					require.Equal(t, n, found.Len("walletStatement.entries"))
					require.Equal(t, p.ID.String(), found.Text("walletStatement.entries.0.wallet.patient.id"))
					least = min(least, trips.Load())
				}
				return least
			}
			assert.Equal(t, calls(few, 2)+2, calls(many, 30), "with the admission and its patient, of which the few have none")

			deep := `query ($id: ID!) { walletStatement(patientId: $id, from: "2025-01-01", to: "2025-12-31") { entries {
				id wallet { transactions(first: 100) { edges { node { id } } } } } } }`
			require.Equal(t, "QUERY_TOO_COMPLEX", client.Do(t, deep, map[string]any{"id": many.ID.String()}).Code())
		})
	}
}

// Transactions of a wallet are listed as positions ascend, also where an instance's clock went back and ids descend.
func TestWallet_TransactionsInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, nil)
			p, admin := testkit.Record(t, i.DB), testkit.User(t, i.DB, access.Admin)
			client := i.client(t).SignIn(t, admin.Email, testkit.Password)
			for n := range 4 {
				testkit.Write(t, i.DB, func(ctx context.Context) error {
					i.clk.Set(testkit.Start.Add(-time.Duration(n) * time.Hour))
					_, err := i.Wallets.Post(ctx, []wallet.Posting{{
						PatientID: p.ID, Kind: wallettransaction.KindTOP_UP, AmountMinor: 1, CounterAccount: wallettransaction.CounterAccountCASH,
					}})
					return err
				})
			}
			i.clk.Set(testkit.Start)
			positions := func(document, path string) (list []any) {
				found := client.Do(t, document, map[string]any{"id": p.ID.String()}).NoErrors(t)
				for n := range found.Len(path) {
					list = append(list, found.Int(path+"."+string(rune('0'+n))+".node.position"))
				}
				return list
			}
			assert.Equal(t, []any{1, 2, 3, 4}, positions(`query ($id: ID!) { wallet(patientId: $id) { transactions { edges { node { position } } } } }`, "wallet.transactions.edges"))
			assert.Equal(t, []any{1, 2}, positions(`query ($id: ID!) { patient(id: $id) { wallet { transactions(first: 2) { edges { node { position } } } } } }`, "patient.wallet.transactions.edges"))
			assert.Equal(t, []any{3, 4}, positions(`query ($id: ID!) { wallet(patientId: $id) { transactions(last: 2) { edges { node { position } } } } }`, "wallet.transactions.edges"))
			assert.Equal(t, []any{4, 3, 2, 1}, positions(`query ($id: ID!) { wallet(patientId: $id) { transactions(orderBy: [{field: POSITION, direction: DESC}]) {
				edges { node { position } } } } }`, "wallet.transactions.edges"))
		})
	}
}
