package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/idem"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

func ptr[T any](v T) *T { return &v }

// key is a new idempotency key.
func key() *string { return ptr(uuid.NewString()) }

// codes are the fields that were refused, with why.
func codes(t *testing.T, err error) (list []string) {
	t.Helper()
	faults, known := fault.All(err)
	require.True(t, known, "%v", err)
	for _, f := range faults {
		list = append(list, string(f.Code)+" "+strings.Join(f.Field, "."))
	}
	return list
}

func TestTopUp(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p, biller := newService(t, db), testkit.Record(t, db), testkit.User(t, db, access.Biller)
		me := testkit.As(t, biller)
		in := wallet.TopUpWalletInput{PatientID: p.ID, Amount: "50.00", Method: wallet.Card, Note: ptr(" Receipt 7 "), IdempotencyKey: key()}
		row, w, err := s.TopUp(me, in)
		require.NoError(t, err)
		assert.Equal(t, []any{int64(50_00), wallettransaction.KindTOP_UP, wallettransaction.CounterAccountCARD, "Receipt 7", "user", &biller.ID},
			[]any{row.AmountMinor, row.Kind, row.CounterAccount, row.Description, row.Actor, row.ActorID})
		assert.EqualValues(t, 50_00, w.BalanceMinor)

		again, w, err := s.TopUp(me, in)
		require.NoError(t, err)
		assert.Equal(t, row.ID, again.ID, "the key's first result")
		assert.EqualValues(t, 50_00, w.BalanceMinor)
		in.Amount = "50.01"
		_, _, err = s.TopUp(me, in)
		require.ErrorIs(t, err, idem.ErrReused)
		requireWhole(t, s)
	})
}

func TestTopUp_Refuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p := newService(t, db), testkit.Record(t, db)
		me := testkit.As(t, testkit.User(t, db, access.Biller))
		for name, c := range map[string]struct {
			change func(in *wallet.TopUpWalletInput)
			want   []string
		}{
			"nothing":                  {func(in *wallet.TopUpWalletInput) { in.Amount = "0.00" }, []string{"INVALID_INPUT amount"}},
			"below zero":               {func(in *wallet.TopUpWalletInput) { in.Amount = "-1" }, []string{"INVALID_INPUT amount"}},
			"more than 1,000,000.00":   {func(in *wallet.TopUpWalletInput) { in.Amount = "1000000.01" }, []string{"INVALID_INPUT amount"}},
			"a third digit":            {func(in *wallet.TopUpWalletInput) { in.Amount = "1.000" }, []string{"INVALID_INPUT amount"}},
			"a note of 201 characters": {func(in *wallet.TopUpWalletInput) { in.Note = ptr(strings.Repeat("é", 201)) }, []string{"INVALID_INPUT note"}},
			"a note with a zero byte":  {func(in *wallet.TopUpWalletInput) { in.Note = ptr("a\x00") }, []string{"INVALID_INPUT note"}},
			"an unknown method":        {func(in *wallet.TopUpWalletInput) { in.Method = "SHELLS" }, []string{"INVALID_INPUT method"}},
			"no key, and all else as well": {func(in *wallet.TopUpWalletInput) { *in = wallet.TopUpWalletInput{} },
				[]string{"IDEMPOTENCY_KEY_REQUIRED idempotencyKey", "INVALID_INPUT method", "INVALID_INPUT amount"}},
			"a patient who is no one": {func(in *wallet.TopUpWalletInput) { in.PatientID = uuid.New() }, []string{"NOT_FOUND patientId"}},
			"no patient":              {func(in *wallet.TopUpWalletInput) { in.PatientID = uuid.Nil }, []string{"NOT_FOUND patientId"}},
		} {
			in := wallet.TopUpWalletInput{PatientID: p.ID, Amount: "1", Method: wallet.Cash, IdempotencyKey: key()}
			c.change(&in)
			_, _, err := s.TopUp(me, in)
			assert.Equal(t, c.want, codes(t, err), name)
		}
		for _, most := range []wallet.TopUpWalletInput{{Amount: "1000000"}, {Amount: "0.01", Note: ptr(strings.Repeat("é", 200))}} {
			most.PatientID, most.Method, most.IdempotencyKey = p.ID, wallet.Cash, key()
			_, _, err := s.TopUp(me, most)
			require.NoError(t, err)
		}
	})
}

// 200 callers at once with five keys move the money five times.
func TestTopUp_InParallel(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p, me := newService(t, db), testkit.Record(t, db), testkit.As(t, testkit.User(t, db, access.Biller))
		few := []*string{key(), key(), key(), key(), key()}
		var g errgroup.Group
		got := make([]uuid.UUID, 200)
		for i := range got {
			g.Go(func() error {
				row, _, err := s.TopUp(me, wallet.TopUpWalletInput{PatientID: p.ID, Amount: fmt.Sprint(1 + i%5), Method: wallet.Cash, IdempotencyKey: few[i%5]})
				if err == nil {
					got[i] = row.ID
				}
				return err
			})
		}
		require.NoError(t, g.Wait())
		for i := range got {
			assert.Equal(t, got[i%5], got[i])
		}
		w := walletOf(t, s, p.ID)
		assert.EqualValues(t, 5, w.Position)
		assert.EqualValues(t, 15_00, w.BalanceMinor)
		requireWhole(t, s)
	})
}

func TestAdjust(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p, me := newService(t, db), testkit.Record(t, db), testkit.As(t, testkit.User(t, db, access.Admin))
		for _, c := range []struct {
			amount  string
			by      *wallet.PaymentMethod
			kind    wallettransaction.Kind
			account wallettransaction.CounterAccount
			after   int64
		}{
			{"20", nil, wallettransaction.KindADJUSTMENT, wallettransaction.CounterAccountADJUSTMENTS, 20_00},
			{"-30.50", nil, wallettransaction.KindADJUSTMENT, wallettransaction.CounterAccountADJUSTMENTS, -10_50},
			{"-5", ptr(wallet.Cash), wallettransaction.KindREFUND, wallettransaction.CounterAccountCASH, -15_50},
			{"-0.50", ptr(wallet.Card), wallettransaction.KindREFUND, wallettransaction.CounterAccountCARD, -16_00},
		} {
			row, w, err := s.Adjust(me, wallet.AdjustWalletInput{PatientID: p.ID, Amount: c.amount, Reason: "A mistake", RefundBy: c.by, IdempotencyKey: key()})
			require.NoError(t, err)
			assert.Equal(t, []any{c.kind, c.account, c.after, "A mistake"}, []any{row.Kind, row.CounterAccount, w.BalanceMinor, row.Description})
		}
		for name, c := range map[string]struct {
			change func(in *wallet.AdjustWalletInput)
			want   string
		}{
			"no key":              {func(in *wallet.AdjustWalletInput) { in.IdempotencyKey = nil }, "IDEMPOTENCY_KEY_REQUIRED idempotencyKey"},
			"nothing":             {func(in *wallet.AdjustWalletInput) { in.Amount = "0" }, "INVALID_INPUT amount"},
			"no reason":           {func(in *wallet.AdjustWalletInput) { in.Reason = " " }, "INVALID_INPUT reason"},
			"a reason of 401":     {func(in *wallet.AdjustWalletInput) { in.Reason = strings.Repeat("x", 401) }, "INVALID_INPUT reason"},
			"a refund that takes": {func(in *wallet.AdjustWalletInput) { in.RefundBy = ptr(wallet.Cash) }, "INVALID_INPUT amount"},
			"an unknown way back": {func(in *wallet.AdjustWalletInput) { in.Amount, in.RefundBy = "-1", ptr(wallet.PaymentMethod("SHELLS")) }, "INVALID_INPUT refundBy"},
			"more than 1,000,000": {func(in *wallet.AdjustWalletInput) { in.Amount = "1000000.01" }, "INVALID_INPUT amount"},
			"and below zero":      {func(in *wallet.AdjustWalletInput) { in.Amount = "-1000000.01" }, "INVALID_INPUT amount"},
			"more is paid back":   {func(in *wallet.AdjustWalletInput) { in.Amount, in.RefundBy = "-1000000.01", ptr(wallet.Cash) }, "INVALID_INPUT amount"},
			"too large a balance": {func(in *wallet.AdjustWalletInput) { in.Amount = "-92233720368547758.08" }, "INVALID_INPUT amount"},
		} {
			in := wallet.AdjustWalletInput{PatientID: p.ID, Amount: "1", Reason: "x", IdempotencyKey: key()}
			c.change(&in)
			_, _, err := s.Adjust(me, in)
			assert.Equal(t, []string{c.want}, codes(t, err), name)
		}
		for _, most := range []string{"1000000", "-1000000.00"} {
			_, _, err := s.Adjust(me, wallet.AdjustWalletInput{PatientID: p.ID, Amount: most, Reason: "x", IdempotencyKey: key()})
			require.NoError(t, err)
		}
		_, _, err := s.Adjust(me, wallet.AdjustWalletInput{PatientID: p.ID, Amount: "1", Reason: strings.Repeat("\u00e9", 400), IdempotencyKey: key()})
		require.NoError(t, err, "400 characters, whatever their bytes")
		requireWhole(t, s)
	})
}

// Who is no biller reaches no wallet to reverse in: others' transactions are not there.
func TestReverseTransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		errOwed := errors.New("owed")
		var owed uuid.UUID
		s := newService(t, db, func(c *wallet.Config) {
			c.MayReverse = func(ctx context.Context, row *ent.WalletTransaction) error {
				assert.True(t, access.From(ctx).IsSystem())
				if row.ID == owed {
					return errOwed
				}
				return nil
			}
		})
		p, me := testkit.Record(t, db), testkit.As(t, testkit.User(t, db, access.Biller))
		rows := post(t, s, topUp(p.ID, 7_00), topUp(p.ID, 1_00))
		owed = rows[1].ID
		in := wallet.ReverseWalletTransactionInput{TransactionID: rows[0].ID, Reason: "Wrong patient", IdempotencyKey: key()}
		row, w, err := s.ReverseTransaction(me, in)
		require.NoError(t, err)
		assert.Equal(t, []any{int64(-7_00), wallettransaction.KindREVERSAL, &rows[0].ID, "Wrong patient"},
			[]any{row.AmountMinor, row.Kind, row.ReversesID, row.Description})
		assert.EqualValues(t, 1_00, w.BalanceMinor)
		again, _, err := s.ReverseTransaction(me, in)
		require.NoError(t, err)
		assert.Equal(t, row.ID, again.ID)

		for name, c := range map[string]struct {
			in   wallet.ReverseWalletTransactionInput
			want error
		}{
			"twice":             {wallet.ReverseWalletTransactionInput{TransactionID: rows[0].ID, Reason: "x", IdempotencyKey: key()}, wallet.ErrAlreadyReversed},
			"a reversal":        {wallet.ReverseWalletTransactionInput{TransactionID: row.ID, Reason: "x", IdempotencyKey: key()}, wallet.ErrIllegalStatus},
			"what is owed":      {wallet.ReverseWalletTransactionInput{TransactionID: owed, Reason: "x", IdempotencyKey: key()}, errOwed},
			"what is not there": {wallet.ReverseWalletTransactionInput{TransactionID: uuid.New(), Reason: "x", IdempotencyKey: key()}, fault.ErrNotFound},
			"without a reason":  {wallet.ReverseWalletTransactionInput{TransactionID: owed, IdempotencyKey: key()}, fault.ErrInvalid},
			"without a key":     {wallet.ReverseWalletTransactionInput{TransactionID: owed, Reason: "x"}, idem.ErrRequired},
		} {
			_, _, err := s.ReverseTransaction(me, c.in)
			require.ErrorIs(t, err, c.want, name)
		}
		stranger := testkit.As(t, testkit.Patient(t, db))
		_, _, err = s.ReverseTransaction(stranger, wallet.ReverseWalletTransactionInput{TransactionID: owed, Reason: "x", IdempotencyKey: key()})
		require.ErrorIs(t, err, fault.ErrNotFound)
		found, err := s.Reversals(me, []uuid.UUID{rows[0].ID, rows[1].ID, row.ID})
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, row.ID, found[rows[0].ID].ID)
		requireWhole(t, s)
	})
}

// From a reversal one comes to what it reverses, and from that to nothing.
func TestReverse_LeadsToTheOriginal(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, me := newService(t, db), testkit.System(t)
		original := post(t, s, topUp(testkit.Record(t, db).ID, 1))
		testkit.Write(t, db, func(ctx context.Context) error { _, err := s.Reverse(ctx, "x", original); return err })
		stored, err := db.Client.WalletTransaction.Query().WithReverses().Order(wallettransaction.ByPosition()).All(me)
		require.NoError(t, err)
		_, err = stored[0].QueryReverses().Only(me)
		assert.True(t, ent.IsNotFound(err))
		assert.Nil(t, stored[0].Edges.Reverses)
		of, err := stored[1].QueryReverses().Only(me)
		require.NoError(t, err)
		assert.Equal(t, original[0].ID, of.ID)
		assert.Equal(t, original[0].ID, stored[1].Edges.Reverses.ID)
	})
}

// One of many who reverse the same transaction at once does it.
func TestReverseTransaction_InParallel(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, p, me := newService(t, db), testkit.Record(t, db), testkit.As(t, testkit.User(t, db, access.Biller))
		row := post(t, s, topUp(p.ID, 7_00))[0]
		results := make([]error, 20)
		var g errgroup.Group
		for i := range results {
			g.Go(func() error {
				_, _, results[i] = s.ReverseTransaction(me, wallet.ReverseWalletTransactionInput{TransactionID: row.ID, Reason: "x", IdempotencyKey: key()})
				return nil
			})
		}
		require.NoError(t, g.Wait())
		winners := 0
		for _, err := range results {
			if err == nil {
				winners++
				continue
			}
			require.ErrorIs(t, err, wallet.ErrAlreadyReversed)
		}
		assert.Equal(t, 1, winners)
		assert.Zero(t, walletOf(t, s, p.ID).BalanceMinor)
		requireWhole(t, s)
	})
}
