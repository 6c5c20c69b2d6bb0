package hospital_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/wallettransaction"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// requireOnce fails unless each of the admissions was charged once for the date.
func (h *office) requireOnce(d string, all []*ent.Admission) {
	h.t.Helper()
	rows := h.db.Client.WalletTransaction.Query().Where(wallettransaction.ChargeDate(day(h.t, d))).AllX(testkit.System(h.t))
	require.Len(h.t, rows, len(all))
	seen := map[string]bool{}
	for _, row := range rows {
		seen[row.AdmissionID.String()] = true
	}
	require.Len(h.t, seen, len(all))
	h.verify()
}

func (h *office) crowd(n int) (all []*ent.Admission) {
	h.t.Helper()
	for range n {
		all = append(all, h.admitted(h.at("2025-01-10 09:00")))
	}
	return all
}

// A date that two instances and several callers of each charge at once, with payments and a discharge among them, is charged once.
func TestChargeDate_ManyAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		all := h.crowd(12)
		other := newService(t, testkit.Another(t, db, clk))
		var group errgroup.Group
		for _, s := range []*hospital.Service{h.Service, other} {
			s.PerBatch(5)
			for range 3 {
				group.Go(func() error {
					_, err := s.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-15")})
					return err
				})
			}
			group.Go(func() error {
				for _, a := range all {
					if _, _, err := s.Settle(testkit.System(t), a.ID); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		h.requireOnce("2025-01-15", all)
		assert.Zero(t, db.Client.ChargeFailure.Query().CountX(testkit.System(t)))
	})
}

// Who is discharged while the date is charged owes what the discharge says, whichever comes first.
func TestChargeDate_WhileDischarging(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		all := h.crowd(8)
		nurse, left := testkit.As(t, testkit.User(t, db, "NURSE")), h.at("2025-01-14 22:00")
		var group errgroup.Group
		group.Go(func() error {
			_, err := h.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-15")})
			return err
		})
		for _, a := range all {
			group.Go(func() error {
				_, err := h.DischargePatient(nurse, hospital.DischargePatientInput{AdmissionID: a.ID, DischargedAt: &left})
				return err
			})
		}
		require.NoError(t, group.Wait())
		for _, a := range all {
			assert.Empty(t, h.missing(a))
		}
		h.verify()
	})
}

// A discharge that comes when the charges are computed and not yet posted waits for them, and then takes back what is not owed. Did it not wait, the ledger's
// key would refuse the charge: settling has posted and reversed that date.
func TestChargeDate_DischargeBetweenLookAndPost(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a := h.admitted(h.at("2025-01-10 09:00"))
		nurse, left := testkit.As(t, testkit.User(t, db, "NURSE")), h.at("2025-01-14 22:00")
		other := newService(t, testkit.Another(t, db, clk))
		done, once := make(chan error, 1), sync.Once{}
		h.Spoil(func(hospital.ChargeEntry) error {
			once.Do(func() {
				go func() {
					_, err := other.DischargePatient(nurse, hospital.DischargePatientInput{AdmissionID: a.ID, DischargedAt: &left})
					done <- err
				}()
			})
			select { // as it should be the discharge waits, and is given time to show that it does not
			case err := <-done:
				done <- err
			case <-time.After(200 * time.Millisecond):
			}
			return nil
		})
		h.charge("2025-01-15")
		require.NoError(t, <-done)
		assert.Empty(t, h.missing(a))
		assert.Contains(t, h.books(), "2025-01-15 REVERSAL 250.00 WARD_REVENUE")
		h.verify()
	})
}

// A wallet that somebody holds makes its own admission fail, and no other: that is seen on PostgreSQL, because SQLite has one writer.
func TestChargeDate_AWalletIsHeld(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			return
		}
		h := newOffice(t, db, clk)
		all := h.crowd(4)
		h.charge("2025-01-14") // makes the wallets
		impatient := newService(t, testkit.OpenURL(t, store.Config{URL: db.URL(), StatementTimeout: 300 * time.Millisecond, ProbeTimeout: 20 * time.Second}, clk))
		testkit.Write(t, db, func(ctx context.Context) error {
			if err := h.Wallets.Lock(ctx, all[2].PatientID); err != nil {
				return err
			}
			result, err := impatient.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-15")})
			require.NoError(t, err)
			assert.Equal(t, 3, result.Totals.Charged)
			require.Len(t, result.Failed, 1)
			assert.Equal(t, all[2].ID, result.Failed[0].AdmissionID)
			assert.Equal(t, "TIMEOUT", result.Failed[0].Error)
			return nil
		})
		assert.Equal(t, 1, h.charge("2025-01-15").Totals.Charged)
		h.requireOnce("2025-01-15", all)
	})
}

// Batches that are done in any order are added up in theirs.
func TestTally(t *testing.T) {
	t.Parallel()
	var parts []hospital.ChargeResult
	for i := range 5 {
		e := hospital.ChargeEntry{Reference: string(rune('a' + i)), Amount: aud(1)}
		parts = append(parts, hospital.ChargeResult{Entries: []hospital.ChargeEntry{e}, Totals: hospital.ChargeTotals{Processed: 1, Charged: 1, Amount: aud(1)},
			Stands: hospital.Standing{Charges: 1, Amount: aud(1)}})
	}
	total, told := hospital.Tally(t, parts, []int{3, 1, 0, 4, 2})
	assert.Equal(t, hospital.ChargeTotals{Processed: 5, Charged: 5, Amount: aud(5)}, total.Totals)
	assert.Equal(t, hospital.Standing{Charges: 5, Amount: aud(5)}, total.Stands)
	var order []string
	for _, e := range total.Entries {
		order = append(order, e.Reference)
	}
	assert.Equal(t, []string{"a", "b", "c", "d", "e"}, order)
	assert.Equal(t, []int{1, 2, 3, 4, 5}, told)
}

// onThe does something when the n-th charge is posted.
func onThe(n int64, do func()) func(hospital.ChargeEntry) error {
	var seen atomic.Int64
	return func(hospital.ChargeEntry) error {
		if seen.Add(1) == n {
			do()
		}
		return nil
	}
}

// A run that is stopped amid its batches, or dies at any write, is run again and charges what is left.
func TestChargeDate_BrokenOff(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url, clk := testkit.URL(t, engine), clock.NewFake(testkit.Start)
			h := newOffice(t, testkit.OpenURL(t, store.Config{URL: url, StatementTimeout: time.Minute}, clk), clk)
			all := h.crowd(21)
			ctx, cancel := context.WithCancel(testkit.System(t))
			h.PerBatch(3)
			h.Spoil(onThe(10, cancel)) // of 21 in batches of 3, two at once: some stand
			_, err := h.ChargeDate(ctx, hospital.ChargeInput{Date: day(t, "2025-01-14")})
			require.Error(t, err)
			h.Spoil(nil)
			stands := len(h.books())
			require.True(t, stands > 0 && stands < len(all) && stands%3 == 0, "what was charged until then stands, by whole batches: %d", stands)
			assert.Equal(t, len(all)-stands, h.charge("2025-01-14").Totals.Charged)
			h.requireOnce("2025-01-14", all)
			for n := 1; ; n++ {
				faults := &testkit.Faults{}
				db := testkit.OpenURL(t, store.Config{URL: url, StatementTimeout: time.Minute, Wrap: faults.Wrap}, clk)
				s := newService(t, db)
				s.PerBatch(8)
				if faults.KillBefore(n); n%2 == 0 {
					faults.KillAfter(n)
				}
				_, err := s.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-15")})
				if err == nil {
					break
				}
				require.True(t, faults.Dead())
			}
			h.requireOnce("2025-01-15", all)
			assert.Zero(t, h.db.Client.ChargeFailure.Query().CountX(testkit.System(t)))
		})
	}
}

// A write that fails once, whichever it is, costs nothing but another try.
func TestChargeDate_AnyWriteFails(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			clk, faults := clock.NewFake(testkit.Start), &testkit.Faults{}
			db := testkit.OpenURL(t, store.Config{URL: testkit.URL(t, engine), StatementTimeout: time.Minute, Wrap: faults.Wrap}, clk)
			h := newOffice(t, db, clk)
			all := h.crowd(4)
			d := day(t, "2025-01-11")
			for n := 1; d.Before(day(t, "2025-01-15")); n++ {
				faults.FailAt(n, errors.New("a full disk"))
				result := h.charge(d.String())
				writes := len(faults.Seen())
				faults.Watch()
				require.Equal(t, len(all), result.Totals.Charged+result.Totals.Skipped)
				h.requireOnce(d.String(), all)
				if d = d.AddDays(1); n == 1 {
					require.Greater(t, writes, 3)
				}
			}
		})
	}
}
