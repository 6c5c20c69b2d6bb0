package wallet_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// mistyped are kinds of damage that SQLite alone lets happen: a column holds what is not of its type.
var mistyped = map[string]func(t *testing.T, v *vandal, w *ent.Wallet) spot{}

func init() {
	kinds["forge a wallet"] = func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		forged := v.forge(t, w)
		row := v.insert(t, forged, 1)
		v.do(t, fmt.Sprintf("UPDATE wallets SET position = 1, balance_minor = %d, hash = '%s' WHERE id = '%s'", row.BalanceAfterMinor, row.Hash, forged.ID))
		return spot{forged.ID, 1}
	}
	kinds["forge an empty wallet"] = func(t *testing.T, v *vandal, w *ent.Wallet) spot { return spot{v.forge(t, w).ID, 1} }
	for _, column := range wallettransaction.Columns {
		switch column {
		case "kind", "currency", "counter_account", "reference", "description", "actor", "hash":
			continue // any text is one
		}
		mistyped["mistype "+column] = func(t *testing.T, v *vandal, w *ent.Wallet) spot {
			row := v.pick(w)
			v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET %s = '%s' WHERE id = '%s'", column, v.junk(), row.ID))
			return spot{w.ID, row.Position}
		}
	}
	for _, column := range []string{"id", "created_at", "patient_id", "balance_minor", "position", "low_told_at"} {
		mistyped["mistype the wallet's "+column] = func(t *testing.T, v *vandal, w *ent.Wallet) spot {
			v.do(t, fmt.Sprintf("UPDATE wallets SET %s = '%s' WHERE id = '%s'", column, v.junk(), w.ID))
			return spot{w.ID, 1}
		}
	}
}

// junk is no id, number or instant; it comes behind all of them, or before.
func (v *vandal) junk() string {
	v.made++
	return fmt.Sprintf("%s%d", []string{"zzz", "!!", "5-"}[v.rnd.IntN(3)], v.made)
}

// forge inserts a wallet without transactions behind another one.
func (v *vandal) forge(t *testing.T, w *ent.Wallet) *ent.Wallet {
	t.Helper()
	forged := &ent.Wallet{ID: w.ID}
	forged.ID[14]++ // the next of all ids
	forged.PatientID = forged.ID
	forged.PatientID[15] = ids.Tags["Patient"]
	v.insertWallet(t, forged)
	return forged
}

func (v *vandal) insertWallet(t *testing.T, w *ent.Wallet) {
	t.Helper()
	v.do(t, fmt.Sprintf("INSERT INTO wallets (id, created_at, patient_id, currency, balance_minor, position, hash, alert_level) "+
		"VALUES ('%s', '2025-01-01 00:00:00+00:00', '%s', 'AUD', 0, 0, '', 'NONE')", w.ID, w.PatientID))
}

// Who adds events to the audit for what was altered does not hide it: those of what was posted are there still.
func TestVerify_AnotherEventOfTheAudit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		engine := testkit.SQLite
		if db.Dialect() == testkit.Postgres {
			engine = testkit.Postgres
		}
		for _, ahead := range []bool{false, true} {
			v := newVandal(t, testkit.Open(t, engine, clk), clk)
			w := v.wallets[2]
			v.rewrite(t, w, 2)
			rows, err := v.DB.Client.WalletTransaction.Query().Where(wallettransaction.WalletID(w.ID)).All(testkit.System(t))
			require.NoError(t, err)
			for _, r := range rows {
				id := ids.New("AuditEvent", testkit.Start)
				if ahead { // of the first event
					id = uuid.UUID{14: byte(r.Position)}
				}
				v.do(t, fmt.Sprintf("INSERT INTO audit_events (id, created_at, patient_id, action, entity, entity_id, cause, changes) VALUES ('%s', '%s', '%s', "+
					"'CREATE', 'WalletTransaction', '%s', 'test', '[{\"field\":\"position\",\"new\":\"%d\"},{\"field\":\"hash\",\"new\":\"%s\"}]')",
					id, "2025-01-01 00:00:00+00:00", r.PatientID, r.ID, r.Position, r.Hash))
			}
			found, err := v.Verify(t.Context())
			require.NoError(t, err)
			require.NotNil(t, found.Fault)
			assert.Equal(t, spot{w.ID, 2}, spot{found.Fault.WalletID, found.Fault.Position})
		}
	})
}

// Bad wallets with ids that are nobody's, the first of all and one that ends in a zero byte, are named as others are, and so are those behind them.
func TestVerify_OddIDs(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVandal(t, db, clk)
		zero := v.wallets[3].ID
		zero[15] = 0
		for _, id := range []uuid.UUID{zero, uuid.Nil} {
			v.insertWallet(t, &ent.Wallet{ID: id, PatientID: ids.New("Patient", testkit.Start)})
			testkit.Write(t, db, func(ctx context.Context) error { // as if the audit had seen it made
				return v.Audit.Record(ctx, audit.Event{Action: auditevent.ActionCREATE, Entity: ent.TypeWallet, EntityID: zero})
			})
			found, err := v.Verify(t.Context())
			require.NoError(t, err)
			require.NotNil(t, found.Fault)
			assert.Equal(t, id, found.Fault.WalletID)
		}
	})
}

// A transaction of no wallet that comes before all others does not end the look at what is behind it.
func TestVerify_GoesOnBehindATransactionOfNoWallet(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(testkit.Start)
	v := newVandal(t, testkit.Open(t, testkit.SQLite, clk), clk)
	v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET wallet_id = '!!' WHERE id = '%s'", v.pick(v.wallets[4]).ID))
	want := kinds["wallet's balance"](t, v, v.wallets[1])
	found, err := v.Verify(t.Context())
	require.NoError(t, err)
	require.NotNil(t, found.Fault)
	assert.Equal(t, want, spot{found.Fault.WalletID, found.Fault.Position})
}
