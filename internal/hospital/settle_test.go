package hospital_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/wallet"
)

// settle settles admissions and returns the references of what was posted and reversed.
func (h *office) settle(list ...*ent.Admission) (posted, reversed []string) {
	h.t.Helper()
	ids := idsOf(list)
	p, r, err := h.Settle(testkit.System(h.t), ids...)
	require.NoError(h.t, err)
	return references(p), references(r)
}

func references(rows []*ent.WalletTransaction) []string {
	var list []string
	for _, row := range rows {
		list = append(list, row.Reference)
	}
	return list
}

// dac names charges of an admission: "2025-01-14", or "2025-01-14-1" for one that followed a reversal.
func dac(prefix string, a *ent.Admission, dates ...string) (list []string) {
	for _, d := range dates {
		list = append(list, fmt.Sprintf("%sDAC-%s-%s", prefix, a.ID, d))
	}
	return list
}

// Settling posts what is owed up to today, in order, and nothing when it is done again.
func TestSettle_PostsWhatIsMissing(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a := h.admitted(h.at("2025-01-11 09:00"))
		h.charge("2025-01-13")
		posted, reversed := h.settle(a)
		assert.Equal(t, dac("", a, "2025-01-12", "2025-01-14", "2025-01-15"), posted)
		assert.Empty(t, reversed)
		posted, reversed = h.settle(a)
		assert.Empty(t, posted)
		assert.Empty(t, reversed)
		result := h.charge("2025-01-15")
		assert.Equal(t, 1, result.Reasons[hospital.AlreadyCharged])
	})
}

// A discharge that is entered late takes back the dates after it; a membership that begins and is then taken back leaves a trace of each step.
func TestSettle_ReversesWhatIsNotOwed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a, left := h.admitted(h.at("2025-01-12 09:00")), h.admitted(h.at("2025-01-12 09:00"))
		h.settle(a, left)
		testkit.Discharge(t, db, left, h.at("2025-01-14 10:00"))
		posted, reversed := h.settle(left)
		assert.Empty(t, posted)
		assert.Equal(t, dac("REV-", left, "2025-01-15"), reversed)

		m := testkit.Membership(t, db, testkitPatient(t, db, a), day(t, "2025-01-14"))
		_, reversed = h.settle(a)
		assert.Equal(t, dac("REV-", a, "2025-01-14", "2025-01-15"), reversed)
		require.NoError(t, db.WithTx(testkit.System(t), func(ctx context.Context) error {
			return db.Client.NhiaMembership.UpdateOne(m).SetEndedOn(day(t, "2025-01-14")).Exec(ctx)
		}))
		posted, _ = h.settle(a)
		assert.Equal(t, dac("", a, "2025-01-15-1"), posted)
		assert.Equal(t, []string{}, h.missing(a), "what stands is what is owed")
		h.verify()
	})
}

// What stands with another amount than is owed is replaced.
func TestSettle_ReplacesAnotherAmount(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		dear := testkit.Ward(t, db)
		testkit.WardRate(t, db, dear, day(t, "2020-01-01"), 800_00)
		a := h.admitted(h.at("2025-01-13 09:00"))
		h.settle(a)
		testkit.Transfer(t, db, a, testkit.Bed(t, db, dear), h.at("2025-01-15 00:00")) // at the very instant of the charge
		posted, reversed := h.settle(a)
		assert.Equal(t, dac("REV-", a, "2025-01-15"), reversed)
		assert.Equal(t, dac("", a, "2025-01-15-1"), posted)
		row := db.Client.WalletTransaction.Query().Where(wallettransaction.Reference(posted[0])).OnlyX(testkit.System(t))
		assert.EqualValues(t, -800_00, row.AmountMinor)
	})
}

// A clock that was set back admits to no date that was charged meanwhile: it stands as long as it is owed, and is taken back when it is not.
func TestSettle_ClockSetBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a := h.admitted(h.at("2025-01-13 09:00"))
		h.settle(a)
		clk.Set(h.at("2025-01-14 12:00"))
		posted, reversed := h.settle(a)
		assert.Empty(t, append(posted, reversed...))
		testkit.Discharge(t, db, a, h.at("2025-01-14 11:00"))
		_, reversed = h.settle(a)
		assert.Equal(t, dac("REV-", a, "2025-01-15"), reversed)
	})
}

// Who changed something is the actor of what settling posts.
func TestSettle_OnBehalfOfWhoActs(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		nurse := testkit.User(t, db, access.Nurse)
		a := h.admitted(h.at("2025-01-14 09:00"))
		posted, _, err := h.Settle(testkit.As(t, nurse), a.ID)
		require.NoError(t, err)
		require.Len(t, posted, 1)
		assert.Equal(t, nurse.ID, *posted[0].ActorID)
	})
}

// A daily charge that is owed would be posted again, so it is not reversed by hand; one that is not owed may be.
func TestMayReverse(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a := h.admitted(h.at("2025-01-14 09:00"))
		h.settle(a)
		row := db.Client.WalletTransaction.Query().OnlyX(testkit.System(t))
		require.ErrorIs(t, h.MayReverse(testkit.System(t), row), hospital.ErrIllegalStatus)
		testkit.Membership(t, db, testkitPatient(t, db, a), day(t, "2025-01-15"))
		require.NoError(t, h.MayReverse(testkit.System(t), row))
		topUp := *row
		topUp.Kind = wallettransaction.KindTOP_UP
		require.NoError(t, h.MayReverse(testkit.System(t), &topUp))
	})
}

// missing are the dates of the admission, up to today, at which what stands is not what is owed.
func (h *office) missing(a *ent.Admission) []string {
	h.t.Helper()
	wrong, err := h.Unsettled(testkit.System(h.t), a.ID)
	require.NoError(h.t, err)
	return wrong
}

// verify checks chains, positions and balances of all wallets.
func (h *office) verify() {
	h.t.Helper()
	verifyBooks(h.t, h.db)
}

func verifyBooks(t require.TestingT, db *store.DB) {
	ctx := access.System(context.Background(), "test")
	for _, w := range db.Client.Wallet.Query().AllX(ctx) {
		var balance int64
		hash := ""
		rows := db.Client.WalletTransaction.Query().Where(wallettransaction.WalletID(w.ID)).Order(wallettransaction.ByPosition()).AllX(ctx)
		for i, row := range rows {
			balance += row.AmountMinor
			require.EqualValues(t, i+1, row.Position)
			require.Equal(t, balance, row.BalanceAfterMinor)
			require.Equal(t, wallet.Hash(hash, row), row.Hash)
			hash = row.Hash
		}
		require.Equal(t, balance, w.BalanceMinor)
		require.EqualValues(t, len(rows), w.Position)
		require.Equal(t, hash, w.Hash)
	}
}

func idsOf(list []*ent.Admission) []uuid.UUID {
	ids := make([]uuid.UUID, len(list))
	for i, a := range list {
		ids[i] = a.ID
	}
	return ids
}

func idsOfPatients(list ...*ent.Admission) []uuid.UUID {
	ids := make([]uuid.UUID, len(list))
	for i, a := range list {
		ids[i] = a.PatientID
	}
	return ids
}
