package wallet_test

import (
	"context"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

var immutable = store.Constraint{Postgres: "caregraph_immutable", SQLite: "caregraph_immutable"}

func systemCtx(ctx context.Context) context.Context { return access.System(ctx, "test") }

// Postings keep their order, are numbered densely in each wallet, and are stored as they were returned.
func TestPost(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s := newService(t, db)
		bed := testkit.Bed(t, db, testkit.Ward(t, db))
		a, b := testkit.Patient(t, db), testkit.Record(t, db)
		stay := testkit.Admission(t, db, bed, a, clk.Now())
		date, sequence := civil.Date{Year: 2025, Month: time.January, Day: 16}, 0
		charge := wallet.Posting{
			PatientID: a.ID, Kind: wallettransaction.KindDAILY_ADMISSION_CHARGE, AmountMinor: -180_00, CounterAccount: wallettransaction.CounterAccountWARD_REVENUE,
			AdmissionID: &stay.ID, ChargeDate: &date, ChargeSequence: &sequence, Reference: `DAC-"1"\{2}`,
			Description: `A "day", in {Ward} \ 9, für Ø'Brien — ünïcode`,
		}
		rows := post(t, s, topUp(a.ID, 100_00), topUp(b.ID, 5), charge, topUp(a.ID, 1))
		require.Len(t, rows, 4)
		var got [][3]int64
		for _, r := range rows {
			got = append(got, [3]int64{r.Position, r.AmountMinor, r.BalanceAfterMinor})
			assert.Equal(t, wallet.IDOf(r.PatientID), r.WalletID)
			assert.Equal(t, "test", r.Actor)
			assert.Nil(t, r.ActorID)
			stored, err := db.Client.WalletTransaction.Get(testkit.System(t), r.ID)
			require.NoError(t, err)
			assert.Equal(t, wallet.Content(r), wallet.Content(stored))
			assert.Equal(t, r.Hash, stored.Hash)
		}
		assert.Equal(t, [][3]int64{{1, 100_00, 100_00}, {1, 5, 5}, {2, -180_00, -80_00}, {3, 1, -79_99}}, got)
		assert.Equal(t, charge.Description, rows[2].Description)
		assert.EqualValues(t, -79_99, walletOf(t, s, a.ID).BalanceMinor, "a balance may be below zero")
		assert.Equal(t, "Wallet", ids.Entity(walletOf(t, s, b.ID).ID))
		requireWhole(t, s)
		more := post(t, s, topUp(b.ID, 7))
		assert.EqualValues(t, 2, more[0].Position)
		requireWhole(t, s)
	})
}

// Each transaction and each new wallet is in the audit, with its patient.
func TestPost_Audit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p, biller := newService(t, db), testkit.Record(t, db), testkit.User(t, db, access.Biller)
		var rows []*ent.WalletTransaction
		require.NoError(t, db.WithTx(access.System(testkit.As(t, biller), "top up"), func(ctx context.Context) (err error) {
			rows, err = s.Post(ctx, []wallet.Posting{topUp(p.ID, 1), topUp(p.ID, 2)})
			return err
		}))
		for _, r := range rows {
			assert.Equal(t, &biller.ID, r.ActorID)
			assert.Equal(t, "user", r.Actor)
		}
		events, err := db.Client.AuditEvent.Query().Where(auditevent.PatientID(p.ID), auditevent.EntityIn("Wallet", "WalletTransaction")).All(testkit.System(t))
		require.NoError(t, err)
		var told []uuid.UUID
		for _, e := range events {
			assert.Equal(t, biller.ID, *e.ActorID)
			assert.Equal(t, auditevent.ActionCREATE, e.Action)
			told = append(told, *e.EntityID)
		}
		assert.ElementsMatch(t, []uuid.UUID{wallet.IDOf(p.ID), rows[0].ID, rows[1].ID}, told)
	})
}

// A job posts in its own name.
func TestPost_ByAJob(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		require.NoError(t, db.WithTx(audit.Cause(testkit.System(t), "job:daily-admission-charges"), func(ctx context.Context) error {
			rows, err := s.Post(ctx, []wallet.Posting{topUp(p.ID, 1)})
			require.NoError(t, err)
			assert.Equal(t, "daily-admission-charges", rows[0].Actor)
			return nil
		}))
	})
}

// A balance that does not fit into 64 bits is refused, and nothing of the call stands.
func TestPost_Overflow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		post(t, s, topUp(p.ID, math.MaxInt64-5))
		err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
			_, err := s.Post(ctx, []wallet.Posting{topUp(p.ID, 5), topUp(p.ID, 1)})
			require.ErrorIs(t, err, fault.ErrInvalid)
			return nil // who goes on after a failure commits nothing
		})
		require.ErrorIs(t, err, fault.ErrInvalid)
		assert.EqualValues(t, 1, walletOf(t, s, p.ID).Position)
		requireWhole(t, s)
	})
}

// What could not be stored, or not as it was hashed, is refused before anything is written.
func TestPost_Refuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		other := uuid.New()
		for name, change := range map[string]func(*wallet.Posting){
			"nothing":                 func(p *wallet.Posting) { p.AmountMinor = 0 },
			"an unknown kind":         func(p *wallet.Posting) { p.Kind = "GIFT" },
			"no account":              func(p *wallet.Posting) { p.CounterAccount = "" },
			"a long reference":        func(p *wallet.Posting) { p.Reference = strings.Repeat("x", 97) },
			"a long description":      func(p *wallet.Posting) { p.Description = strings.Repeat("x", 2001) },
			"a zero byte":             func(p *wallet.Posting) { p.Description = "a\x00b" },
			"bytes that are no text":  func(p *wallet.Posting) { p.Reference = "\xff" },
			"a reversal of nothing":   func(p *wallet.Posting) { p.Kind = wallettransaction.KindREVERSAL },
			"a top-up that reverses":  func(p *wallet.Posting) { p.ReversesID = &other },
			"a patient who is no one": func(p *wallet.Posting) { p.PatientID = ids.New("Patient", testkit.Start) },
		} {
			bad := topUp(p.ID, 1)
			change(&bad)
			require.Error(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
				_, err := s.Post(ctx, []wallet.Posting{topUp(p.ID, 1), bad})
				return err
			}), name)
		}
		_, err := s.Post(testkit.System(t), []wallet.Posting{topUp(p.ID, 1)})
		require.ErrorContains(t, err, "transaction")
		require.ErrorContains(t, s.Lock(testkit.System(t), p.ID), "transaction")
		admin := testkit.As(t, testkit.User(t, db, access.Admin))
		require.ErrorIs(t, db.WithTx(admin, func(ctx context.Context) error {
			_, err := s.Post(ctx, []wallet.Posting{topUp(p.ID, 1)})
			return err
		}), fault.ErrForbidden, "only the system posts")
		n, err := db.Client.Wallet.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// Nobody changes or removes a transaction, neither through ent nor in the database.
func TestTransactionsAreImmutable(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		row := post(t, s, topUp(p.ID, 1))[0]
		c := db.Client.WalletTransaction
		for name, write := range map[string]func(ctx context.Context) error{
			"remove one":  func(ctx context.Context) error { return c.DeleteOneID(row.ID).Exec(ctx) },
			"remove many": func(ctx context.Context) error { _, err := c.Delete().Exec(ctx); return err },
			"change many": func(ctx context.Context) error { return c.Update().Exec(ctx) },
			"change one":  func(ctx context.Context) error { return c.UpdateOneID(row.ID).Exec(ctx) },
		} {
			require.ErrorContains(t, db.WithTx(testkit.System(t), write), "never changed", name)
		}
		for _, st := range []store.Statement{
			db.Build().Update("wallet_transactions").Set("amount_minor", 2), db.Build().Delete("wallet_transactions"),
		} {
			require.True(t, store.Violates(db.WithTx(testkit.System(t), func(ctx context.Context) error {
				_, err := db.Exec(ctx, "test", st)
				return err
			}), immutable))
		}
		requireWhole(t, s)
	})
}

// A reversal is the opposite with the same admission and date; once, and never of a reversal.
func TestReverse(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		stay := testkit.Admission(t, db, testkit.Bed(t, db, testkit.Ward(t, db)), p, clk.Now())
		date, sequence := civil.Date{Year: 2025, Month: time.January, Day: 16}, 0
		rows := post(t, s, topUp(p.ID, 50_00), wallet.Posting{
			PatientID: p.ID, Kind: wallettransaction.KindDAILY_ADMISSION_CHARGE, AmountMinor: -180_00, CounterAccount: wallettransaction.CounterAccountWARD_REVENUE,
			AdmissionID: &stay.ID, ChargeDate: &date, ChargeSequence: &sequence, Reference: "DAC-1", Description: "A day",
		})
		reverse := func(rows ...*ent.WalletTransaction) (out []*ent.WalletTransaction, err error) {
			err = db.WithTx(testkit.System(t), func(ctx context.Context) (err error) {
				out, err = s.Reverse(ctx, "Not owed", rows)
				return err
			})
			return out, err
		}
		out, err := reverse(rows[1])
		require.NoError(t, err)
		r := out[0]
		assert.Equal(t, wallettransaction.KindREVERSAL, r.Kind)
		assert.EqualValues(t, 180_00, r.AmountMinor)
		assert.EqualValues(t, 50_00, r.BalanceAfterMinor)
		assert.Equal(t, wallettransaction.CounterAccountWARD_REVENUE, r.CounterAccount)
		assert.Equal(t, []any{&stay.ID, &date, &rows[1].ID, "REV-DAC-1", "Not owed"}, []any{r.AdmissionID, r.ChargeDate, r.ReversesID, r.Reference, r.Description})

		_, err = reverse(rows...)
		require.ErrorIs(t, err, wallet.ErrAlreadyReversed)
		_, err = reverse(rows[0], rows[0])
		require.ErrorIs(t, err, wallet.ErrAlreadyReversed)
		_, err = reverse(r)
		require.ErrorIs(t, err, wallet.ErrIllegalStatus)
		assert.EqualValues(t, 3, walletOf(t, s, p.ID).Position)
		requireWhole(t, s)
	})
}

// Any number of postings takes the same statements, four of them where the wallets are there and five where they are made, and those of the audit, which write up to 256 rows each.
func TestPost_StatementsDoNotGrow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s := newService(t, db)
		statements := func(n int) int64 {
			var list []wallet.Posting
			for range n {
				list = append(list, topUp(testkit.Record(t, db).ID, 1))
			}
			var count atomic.Int64
			require.NoError(t, db.WithTx(store.CountRoundTrips(testkit.System(t), &count), func(ctx context.Context) error {
				_, err := s.Post(ctx, list)
				return err
			}))
			return count.Load()
		}
		const begin, looks, makes, locks, inserts, moves, audits, commit = 1, 1, 1, 1, 1, 1, 1, 1
		assert.EqualValues(t, begin+looks+makes+locks+inserts+moves+audits+commit, statements(1))
		assert.EqualValues(t, begin+looks+makes+locks+inserts+moves+audits+commit, statements(4)) // with four wallets made
		assert.LessOrEqual(t, statements(100), int64(begin+looks+makes+locks+inserts+moves+4*audits+commit))
	})
}

// Who has locked wallets reads nothing again when posting.
func TestPost_AfterLock(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		post(t, s, topUp(p.ID, 1))
		var count atomic.Int64
		testkit.Write(t, db, func(ctx context.Context) error {
			require.NoError(t, s.Lock(ctx, p.ID))
			ctx = store.CountRoundTrips(ctx, &count)
			for range 2 {
				if _, err := s.Post(ctx, []wallet.Posting{topUp(p.ID, 1)}); err != nil {
					return err
				}
			}
			return nil
		})
		assert.EqualValues(t, 2*2, count.Load(), "an insert and an update each")
		requireWhole(t, s)
	})
}
