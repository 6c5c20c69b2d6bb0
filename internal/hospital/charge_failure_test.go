package hospital_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chargefailure"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

var errSpoilt = errors.New("the record of Mr Smith is broken")

// An admission that cannot be charged does not stop the others. It is tried 3 times, written down, told to administrators once, and tried again by each
// run until it is charged.
func TestChargeDate_Failure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		admin := testkit.User(t, db, access.Admin)
		testkit.User(t, db, access.Biller)
		var all []*ent.Admission
		for range 9 {
			all = append(all, h.admitted(h.at("2025-01-10 09:00")))
		}
		broken, tries := all[4], 0
		h.Spoil(func(e hospital.ChargeEntry) error {
			if e.AdmissionID == broken.ID {
				tries++
				return errSpoilt
			}
			return nil
		})
		result := h.charge("2025-01-14")
		assert.Equal(t, hospital.ChargeTotals{Processed: 9, Charged: 8, Failed: 1, Amount: aud(8 * 250_00)}, result.Totals)
		assert.Equal(t, []hospital.ChargeFailed{{
			AdmissionID: broken.ID, ChargeDate: day(t, "2025-01-14"), Attempts: 3, Error: "An unknown error; the log has more.",
		}}, result.Failed)
		assert.Len(t, h.books(), 8)
		row := db.Client.ChargeFailure.Query().OnlyX(testkit.System(t))
		assert.Equal(t, 3, row.Attempts)
		assert.Nil(t, row.ResolvedAt)
		notices := db.Client.Notification.Query().AllX(testkit.System(t))
		require.Len(t, notices, 1)
		assert.Equal(t, admin.ID, notices[0].UserID)
		assert.Equal(t, row.ID, notices[0].SubjectID)
		mails := db.Client.Delivery.Query().AllX(testkit.System(t))
		require.Len(t, mails, 1)
		assert.Equal(t, admin.Email, mails[0].Address)
		assert.NotContains(t, notices[0].Text+mails[0].Body+row.Error, "Smith")

		result = h.charge("2025-01-15")
		assert.Equal(t, hospital.ChargeTotals{Processed: 10, Charged: 8, Failed: 2, Amount: aud(8 * 250_00)}, result.Totals, "the date before is tried again")
		assert.Equal(t, 6, result.Failed[0].Attempts)
		assert.Equal(t, 2, db.Client.ChargeFailure.Query().CountX(testkit.System(t)))
		assert.Equal(t, 2, db.Client.Notification.Query().CountX(testkit.System(t)), "told once for each date")

		h.Spoil(nil)
		clk.Advance(24 * time.Hour)
		result = h.charge("2025-01-16")
		assert.Equal(t, hospital.ChargeTotals{Processed: 11, Charged: 11, Amount: aud(11 * 250_00)}, result.Totals)
		for _, row := range db.Client.ChargeFailure.Query().AllX(testkit.System(t)) {
			require.NotNil(t, row.ResolvedAt)
			assert.True(t, clk.Now().Equal(*row.ResolvedAt))
		}
		assert.Len(t, h.books(), 9*3)
	})
}

// A mistake of the program that one admission lays bare is that admission's failure.
func TestChargeDate_Panic(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		good, bad := h.admitted(h.at("2025-01-10 09:00")), h.admitted(h.at("2025-01-10 09:00"))
		h.Spoil(func(e hospital.ChargeEntry) error {
			if e.AdmissionID == bad.ID {
				panic("no such bed")
			}
			return nil
		})
		result := h.charge("2025-01-15")
		assert.Equal(t, 1, result.Totals.Charged)
		assert.Equal(t, good.ID, result.Entries[0].AdmissionID)
		assert.Equal(t, "The program made a mistake; the log has more.", result.Failed[0].Error)
	})
}

// A rate in another currency than the wallets' is nobody's to convert: the admission fails, in a dry run too.
func TestChargeDate_Currency(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		a, other := h.admitted(h.at("2025-01-10 09:00")), testkit.Ward(t, db)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.WardRate.Create().SetWardID(other.ID).SetFromDate(day(t, "2020-01-01")).SetRateMinor(1).SetCurrency("EUR").Exec(ctx)
		})
		foreign := testkit.Admission(t, db, testkit.Bed(t, db, other), testkit.Record(t, db), h.at("2025-01-10 09:00"))
		for _, isDry := range []bool{true, false} {
			result := h.charge("2025-01-15", func(in *hospital.ChargeInput) { in.IsDry = isDry })
			assert.Equal(t, a.ID, result.Entries[0].AdmissionID)
			require.Len(t, result.Failed, 1)
			assert.Equal(t, foreign.ID, result.Failed[0].AdmissionID)
		}
		assert.Len(t, h.books(), 1)
	})
}

// A database that is away fails the run, so that it is run again: it is no admission's failure.
func TestChargeDate_DatabaseAway(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		h.admitted(h.at("2025-01-10 09:00"))
		h.Spoil(func(hospital.ChargeEntry) error { return fault.ErrUnavailable })
		_, err := h.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-15")})
		require.ErrorIs(t, err, fault.ErrUnavailable)
		ctx, cancel := context.WithCancel(testkit.System(t))
		h.Spoil(func(hospital.ChargeEntry) error { cancel(); return ctx.Err() })
		_, err = h.ChargeDate(ctx, hospital.ChargeInput{Date: day(t, "2025-01-15")})
		require.Error(t, err)
		assert.Zero(t, db.Client.ChargeFailure.Query().CountX(testkit.System(t)))
		assert.Empty(t, h.books())
	})
}

// A batch that takes too long is halved. One admission that does, because somebody holds its wallet, has failed; many in a row are the database's failure.
func TestChargeDate_TooSlow(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		all := h.crowd(4)
		isSlow := true
		h.Spoil(func(hospital.ChargeEntry) error {
			if isSlow {
				isSlow = false
				return fault.ErrTimeout
			}
			return nil
		})
		assert.Equal(t, 4, h.charge("2025-01-14").Totals.Charged)
		h.requireOnce("2025-01-14", all)
		h.Spoil(func(e hospital.ChargeEntry) error {
			if e.AdmissionID == all[1].ID {
				return fault.ErrTimeout
			}
			return nil
		})
		result := h.charge("2025-01-15")
		assert.Equal(t, 3, result.Totals.Charged)
		assert.Equal(t, []hospital.ChargeFailed{{AdmissionID: all[1].ID, ChargeDate: day(t, "2025-01-15"), Attempts: 3, Error: "TIMEOUT"}}, result.Failed)
		clk.Advance(24 * time.Hour)
		result = h.charge("2025-01-16")
		assert.Equal(t, 3, result.Totals.Charged, "a failure that stays does not stop the next run")
		assert.Equal(t, 2, result.Totals.Failed)

		h.crowd(6)
		h.Spoil(func(hospital.ChargeEntry) error { return fault.ErrTimeout })
		_, err := h.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-13")})
		require.ErrorIs(t, err, fault.ErrTimeout)
	})
}

// alerts are the notices of failed charges.
func (h *office) alerts() int {
	h.t.Helper()
	return h.db.Client.Notification.Query().Where(notification.Kind("CHARGE_FAILED")).CountX(testkit.System(h.t))
}

// Of any number of old failures administrators were told: they do not keep new ones from being told. One that was resolved and comes back is told again.
func TestChargeDate_AlertsOfNewFailures(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		testkit.User(t, db, access.Admin)
		h.crowd(25)
		h.Spoil(func(hospital.ChargeEntry) error { return errSpoilt })
		h.charge("2025-01-13")
		assert.Equal(t, 20, h.alerts(), "more have one cause")
		h.Spoil(func(e hospital.ChargeEntry) error {
			if e.ChargeDate == day(t, "2025-01-13") {
				return errSpoilt
			}
			return nil
		})
		h.charge("2025-01-14")
		assert.Equal(t, 20, h.alerts(), "of old ones nothing is told again")

		late := h.admitted(h.at("2025-01-14 09:00"))
		h.Spoil(func(e hospital.ChargeEntry) error {
			if e.AdmissionID == late.ID || e.ChargeDate == day(t, "2025-01-13") {
				return errSpoilt
			}
			return nil
		})
		result := h.charge("2025-01-15")
		assert.Equal(t, 26, result.Totals.Failed)
		assert.Equal(t, 21, h.alerts(), "the new one")

		testkit.Write(t, db, func(ctx context.Context) error { // as a run that found it not owed
			return db.Client.ChargeFailure.Update().Where(chargefailure.AdmissionID(late.ID)).SetResolvedAt(clk.Now()).Exec(ctx)
		})
		h.charge("2025-01-15", alone(late))
		assert.Equal(t, 22, h.alerts(), "again")
		assert.Equal(t, 22, db.Client.Delivery.Query().CountX(testkit.System(t)), "by mail too")
	})
}

// Runs that find the same failure at once write it down once.
func TestChargeDate_FailureFoundByManyAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newOffice(t, db, clk)
		testkit.User(t, db, access.Admin)
		foreign := testkit.Ward(t, db)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.WardRate.Create().SetWardID(foreign.ID).SetFromDate(day(t, "2020-01-01")).SetRateMinor(1).SetCurrency("EUR").Exec(ctx)
		})
		a := testkit.Admission(t, db, testkit.Bed(t, db, foreign), testkit.Record(t, db), h.at("2025-01-10 09:00"))
		other := newService(t, testkit.Another(t, db, clk))
		dates := []string{"2025-01-11", "2025-01-12", "2025-01-13", "2025-01-14", "2025-01-15"}
		for _, d := range dates {
			var group errgroup.Group
			for n := range 10 {
				group.Go(func() error {
					_, err := []*hospital.Service{h.Service, other}[n%2].ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, d), AdmissionID: &a.ID})
					return err
				})
			}
			require.NoError(t, group.Wait())
			assert.Equal(t, 30, db.Client.ChargeFailure.Query().Where(chargefailure.ChargeDate(day(t, d))).OnlyX(testkit.System(t)).Attempts)
		}
		assert.Equal(t, len(dates), h.alerts())
	})
}
