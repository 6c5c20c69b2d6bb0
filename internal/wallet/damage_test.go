package wallet_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	entwallet "github.com/caregraph/caregraph/ent/wallet"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

// vandal has the database without its triggers and keys, as who holds its files has.
type vandal struct {
	*wallet.Service
	raw     *sql.Conn
	rnd     *rand.Rand
	wallets []*ent.Wallet // by id
	rows    map[uuid.UUID][]*ent.WalletTransaction
	made    int // of what is no value of a column
}

// spot is where damage is to be found.
type spot struct {
	wallet   uuid.UUID
	position int64
}

func (s spot) before(o spot) bool {
	if c := bytes.Compare(s.wallet[:], o.wallet[:]); c != 0 {
		return c < 0
	}
	return s.position < o.position
}

func newVandal(t *testing.T, db *store.DB, clk *clock.Fake) *vandal {
	t.Helper()
	v := &vandal{Service: newService(t, db), rnd: rand.New(rand.NewPCG(1, 2)), rows: map[uuid.UUID][]*ent.WalletTransaction{}}
	v.fill(t, clk)
	driver, name := "sqlite", "file:"+db.URL()+"?_pragma=busy_timeout(5000)"
	if db.Dialect() == testkit.Postgres {
		driver, name = "postgres", db.URL()
	}
	pool, err := sql.Open(driver, name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	v.raw, err = pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = v.raw.Close() })
	if driver == "postgres" {
		v.do(t, "SET session_replication_role = replica")
	} else {
		v.do(t, "DROP TRIGGER wallet_transactions_immutable_update")
		v.do(t, "DROP TRIGGER wallet_transactions_immutable_delete")
	}
	for _, table := range []string{"wallets", "wallet_transactions"} {
		v.do(t, "CREATE TABLE saved_"+table+" AS SELECT * FROM "+table)
	}
	return v
}

// fill makes wallets with everything that a ledger holds.
func (v *vandal) fill(t *testing.T, clk *clock.Fake) {
	t.Helper()
	bed := testkit.Bed(t, v.DB, testkit.Ward(t, v.DB))
	for n := range 6 {
		p := testkit.Record(t, v.DB)
		var stay *uuid.UUID
		if n == 0 {
			stay = &testkit.Admission(t, v.DB, bed, p, clk.Now()).ID
		}
		for i := range 3 + v.rnd.IntN(5) {
			date, sequence := civil.Date{Year: 2025, Month: 1, Day: i + 1}, 0
			charge := wallet.Posting{
				PatientID: p.ID, Kind: wallettransaction.KindDAILY_ADMISSION_CHARGE, AmountMinor: -180_00, CounterAccount: wallettransaction.CounterAccountWARD_REVENUE,
				AdmissionID: stay, ChargeDate: &date, ChargeSequence: &sequence, Description: "A day in the ward",
			}
			rows := post(t, v.Service, topUp(p.ID, int64(1+v.rnd.IntN(1000))), charge)
			if i == 1 {
				testkit.Write(t, v.DB, func(ctx context.Context) error { _, err := v.Reverse(ctx, "Not owed", rows[1:]); return err })
			}
		}
	}
	var err error
	v.wallets, err = v.DB.Client.Wallet.Query().Order(entwallet.ByID()).All(testkit.System(t))
	require.NoError(t, err)
	for _, w := range v.wallets {
		v.rows[w.ID], err = w.QueryTransactions().Order(wallettransaction.ByPosition()).All(testkit.System(t))
		require.NoError(t, err)
	}
}

func (v *vandal) do(t *testing.T, text string) {
	t.Helper()
	_, err := v.raw.ExecContext(t.Context(), text)
	require.NoError(t, err, text)
}

// restore makes the ledger whole again.
func (v *vandal) restore(t *testing.T) {
	t.Helper()
	for _, table := range []string{"wallet_transactions", "wallets"} {
		v.do(t, "DELETE FROM "+table)
		v.do(t, "INSERT INTO "+table+" SELECT * FROM saved_"+table)
	}
}

// pick chooses a row of a wallet.
func (v *vandal) pick(w *ent.Wallet) *ent.WalletTransaction {
	return v.rows[w.ID][v.rnd.IntN(len(v.rows[w.ID]))]
}

// altered is another value of a column, as a literal.
func altered(column string, t *ent.WalletTransaction) string {
	switch column {
	case "id", "patient_id", "admission_id", "reverses_id", "actor_id":
		return "'" + ids.New("Patient", testkit.Start).String() + "'"
	case "created_at":
		return "'2024-12-31 23:59:59+00:00'"
	case "charge_date":
		return "'2020-02-29'"
	case "amount_minor", "balance_after_minor":
		return column + " + 1"
	case "charge_sequence":
		return "7"
	case "currency":
		return "'NZD'"
	case "kind":
		if t.Kind == wallettransaction.KindREFUND {
			return "'ADJUSTMENT'"
		}
		return "'REFUND'"
	case "counter_account":
		return "'ADJUSTMENTS'"
	default:
		return column + " || 'x'"
	}
}

// kinds of damage to a wallet; each returns where it is to be found.
var kinds = map[string]func(t *testing.T, v *vandal, w *ent.Wallet) spot{
	"remove a transaction": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		row := v.pick(w)
		v.do(t, fmt.Sprintf("DELETE FROM wallet_transactions WHERE id = '%s'", row.ID))
		return spot{w.ID, row.Position}
	},
	"cut off the newest": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		row := v.pick(w)
		v.do(t, fmt.Sprintf("DELETE FROM wallet_transactions WHERE wallet_id = '%s' AND position >= %d", w.ID, row.Position))
		return spot{w.ID, row.Position}
	},
	"remove all transactions": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("DELETE FROM wallet_transactions WHERE wallet_id = '%s'", w.ID))
		return spot{w.ID, 1}
	},
	"remove the wallet": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("DELETE FROM wallets WHERE id = '%s'", w.ID))
		return spot{w.ID, 1}
	},
	"remove the wallet with all": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("DELETE FROM wallet_transactions WHERE wallet_id = '%s'", w.ID))
		v.do(t, fmt.Sprintf("DELETE FROM wallets WHERE id = '%s'", w.ID))
		return spot{w.ID, 1}
	},
	"give another position": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		row := v.pick(w)
		to, found := w.Position+1+v.rnd.Int64N(3), row.Position
		if v.rnd.IntN(2) == 0 {
			to = -v.rnd.Int64N(3)
			found = to
		}
		v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET position = %d WHERE id = '%s'", to, row.ID))
		return spot{w.ID, found}
	},
	"swap two": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		a, b := v.pick(w), v.pick(w)
		for a == b {
			b = v.pick(w)
		}
		for _, move := range [][]any{{-1, a.ID}, {a.Position, b.ID}, {b.Position, a.ID}} {
			v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET position = %d WHERE id = '%s'", move...))
		}
		return spot{w.ID, min(a.Position, b.Position)}
	},
	"append with a right hash": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.insert(t, w, w.Position+1)
		return spot{w.ID, w.Position + 1}
	},
	"insert between": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		at := v.pick(w).Position
		for p := w.Position; p >= at; p-- {
			v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET position = position + 1 WHERE wallet_id = '%s' AND position = %d", w.ID, p))
		}
		v.insert(t, w, at)
		return spot{w.ID, at}
	},
	"insert before the first": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.insert(t, w, 0)
		return spot{w.ID, 0}
	},
	"insert behind a gap": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.insert(t, w, w.Position+2)
		return spot{w.ID, w.Position + 1}
	},
	"insert where there is no wallet": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		other := *w
		other.ID[14]++ // the next of all ids
		v.insert(t, &other, 1)
		return spot{other.ID, 1}
	},
	"move to another wallet": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		row, other := v.rows[w.ID][len(v.rows[w.ID])-1], v.wallets[0]
		if w == other {
			other = v.wallets[len(v.wallets)-1]
		}
		to := max(row.Position, other.Position+1)
		v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET wallet_id = '%s', position = %d WHERE id = '%s'", other.ID, to, row.ID))
		if here, there := (spot{w.ID, row.Position}), (spot{other.ID, other.Position + 1}); here.before(there) {
			return here
		} else {
			return there
		}
	},
	"cut off the newest and mend the wallet": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		at := v.pick(w).Position
		v.do(t, fmt.Sprintf("DELETE FROM wallet_transactions WHERE wallet_id = '%s' AND position >= %d", w.ID, at))
		v.mend(t, w, at-1)
		return spot{w.ID, at}
	},
	"append and mend the wallet": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		row := v.insert(t, w, w.Position+1)
		v.do(t, fmt.Sprintf("UPDATE wallets SET position = %d, balance_minor = %d, hash = '%s' WHERE id = '%s'", row.Position, row.BalanceAfterMinor, row.Hash, w.ID))
		return spot{w.ID, w.Position + 1}
	},
	"rewrite the chain from an amount on": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		at := v.pick(w).Position
		v.rewrite(t, w, at)
		return spot{w.ID, at}
	},
	"wallet's balance": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("UPDATE wallets SET balance_minor = balance_minor - 1 WHERE id = '%s'", w.ID))
		return spot{w.ID, w.Position}
	},
	"wallet's hash": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("UPDATE wallets SET hash = '%s' WHERE id = '%s'", strings.Repeat("0", 64), w.ID))
		return spot{w.ID, w.Position}
	},
	"wallet's position ahead": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("UPDATE wallets SET position = position + 2 WHERE id = '%s'", w.ID))
		return spot{w.ID, w.Position + 1}
	},
	"wallet's position behind": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		at := v.pick(w).Position
		v.do(t, fmt.Sprintf("UPDATE wallets SET position = %d WHERE id = '%s'", at-1, w.ID))
		return spot{w.ID, at}
	},
	"wallet's patient": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("UPDATE wallets SET patient_id = '%s' WHERE id = '%s'", ids.New("Patient", testkit.Start), w.ID))
		return spot{w.ID, 1}
	},
	"wallet's currency": func(t *testing.T, v *vandal, w *ent.Wallet) spot {
		v.do(t, fmt.Sprintf("UPDATE wallets SET currency = 'NZD' WHERE id = '%s'", w.ID))
		return spot{w.ID, 1}
	},
}

// alterations of single columns are kinds of damage too.
func init() {
	for _, column := range wallettransaction.Columns {
		if column == "wallet_id" || column == "position" {
			continue
		}
		kinds["alter "+column] = func(t *testing.T, v *vandal, w *ent.Wallet) spot {
			row := v.pick(w)
			v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET %s = %s WHERE id = '%s'", column, altered(column, row), row.ID))
			return spot{w.ID, row.Position}
		}
	}
}

// mend makes the wallet's row go with an older transaction.
func (v *vandal) mend(t *testing.T, w *ent.Wallet, position int64) {
	t.Helper()
	balance, hash := int64(0), ""
	if position > 0 {
		newest := v.rows[w.ID][position-1]
		balance, hash = newest.BalanceAfterMinor, newest.Hash
	}
	v.do(t, fmt.Sprintf("UPDATE wallets SET position = %d, balance_minor = %d, hash = '%s' WHERE id = '%s'", position, balance, hash, w.ID))
}

// rewrite alters an amount and everything that follows from it, as the program itself would have.
func (v *vandal) rewrite(t *testing.T, w *ent.Wallet, from int64) {
	t.Helper()
	balance, hash := int64(0), ""
	for _, r := range v.rows[w.ID] {
		row := *r
		if row.Position == from {
			row.AmountMinor--
		}
		balance += row.AmountMinor
		row.BalanceAfterMinor = balance
		row.Hash = wallet.Hash(hash, &row)
		hash = row.Hash
		v.do(t, fmt.Sprintf("UPDATE wallet_transactions SET amount_minor = %d, balance_after_minor = %d, hash = '%s' WHERE id = '%s'", row.AmountMinor, balance, hash, row.ID))
	}
	v.do(t, fmt.Sprintf("UPDATE wallets SET balance_minor = %d, hash = '%s' WHERE id = '%s'", balance, hash, w.ID))
}

// insert writes a transaction whose hash follows from the one before, as who knows the program could.
func (v *vandal) insert(t *testing.T, w *ent.Wallet, position int64) *ent.WalletTransaction {
	t.Helper()
	row := *v.rows[v.wallets[0].ID][0]
	row.ID, row.WalletID, row.PatientID, row.Position = ids.New("WalletTransaction", testkit.Start), w.ID, w.PatientID, position
	row.Reference, row.ReversesID, row.AdmissionID, row.BalanceAfterMinor = row.ID.String(), nil, nil, row.AmountMinor
	before := ""
	for _, r := range v.rows[w.ID] {
		if r.Position == position-1 {
			before, row.BalanceAfterMinor = r.Hash, r.BalanceAfterMinor+row.AmountMinor
		}
	}
	row.Hash = wallet.Hash(before, &row)
	v.do(t, fmt.Sprintf("INSERT INTO wallet_transactions (id, created_at, wallet_id, patient_id, position, kind, amount_minor, balance_after_minor, currency, "+
		"counter_account, reference, description, actor, hash) VALUES ('%s', '%s', '%s', '%s', %d, '%s', %d, %d, '%s', '%s', '%s', '%s', '%s', '%s')",
		row.ID, row.CreatedAt.Format("2006-01-02 15:04:05.999999-07:00"), row.WalletID, row.PatientID, row.Position, row.Kind, row.AmountMinor, row.BalanceAfterMinor,
		row.Currency, row.CounterAccount, row.Reference, row.Description, row.Actor, row.Hash))
	return &row
}

// Whatever is altered, removed or inserted, verification names the first bad row; of two damaged wallets that of the first.
func TestVerify_NamesTheFirstBadRow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		v := newVandal(t, db, clk)
		rounds := 1
		if testkit.IsLong() {
			rounds = 4
		}
		kinds := maps.Clone(kinds)
		if db.Dialect() != testkit.Postgres {
			maps.Copy(kinds, mistyped)
		}
		names := make([]string, 0, len(kinds))
		for name := range kinds {
			names = append(names, name)
		}
		slices.Sort(names)
		check := func(name string, want spot) {
			t.Helper()
			found, err := v.Verify(t.Context())
			require.NoError(t, err, name)
			require.NotNil(t, found.Fault, name)
			require.Equal(t, want, spot{found.Fault.WalletID, found.Fault.Position}, "%s: %s", name, found.Fault.Problem)
			require.NotEmpty(t, found.Fault.Problem)
			patient := want.wallet // whose wallet it is, told by all but the last byte
			patient[len(patient)-1] = ids.Tags["Patient"]
			one, err := v.VerifyOne(t.Context(), patient)
			require.NoError(t, err, name)
			require.NotNil(t, one.Fault, name)
			require.Equal(t, want, spot{one.Fault.WalletID, one.Fault.Position}, "%s: %s", name, one.Fault.Problem)
			v.restore(t)
		}
		for range rounds {
			for _, name := range names {
				other := names[v.rnd.IntN(len(names))]
				check(name, kinds[name](t, v, v.wallets[v.rnd.IntN(len(v.wallets))]))
				if moving := "move to another wallet"; name == moving || other == moving {
					continue // it may go where the other damage is
				}
				i := v.rnd.IntN(len(v.wallets) - 1)
				first, second := kinds[name](t, v, v.wallets[i]), kinds[other](t, v, v.wallets[i+1+v.rnd.IntN(len(v.wallets)-1-i)])
				if second.before(first) {
					first = second
				}
				check(name+", then "+other, first)
			}
		}
		found, err := v.Verify(t.Context())
		require.NoError(t, err)
		assert.Nil(t, found.Fault, "what was restored is whole")
		assert.Equal(t, len(v.wallets), found.Wallets)
	})
}
