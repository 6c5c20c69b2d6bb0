package hospital_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/ward"
	"github.com/caregraph/caregraph/ent/wardrate"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/hospital"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestCreateWard(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse, admin := testkit.As(t, h.nurse), testkit.As(t, h.admin)
		key := ptr("key")
		in := hospital.CreateWardInput{Name: "  Østfløy Süd ", Type: ward.TypeSURGICAL, IdempotencyKey: key}
		made, err := h.CreateWard(nurse, in)
		require.NoError(t, err)
		require.Equal(t, "Østfløy Süd", made.Name)
		require.Equal(t, ward.TypeSURGICAL, made.Type)
		require.True(t, made.IsActive)
		again, err := h.CreateWard(nurse, in)
		require.NoError(t, err)
		require.Equal(t, made.ID, again.ID, "the key's first result")

		priced, err := h.CreateWard(admin, hospital.CreateWardInput{Name: strings.Repeat("ä", 100), Type: ward.TypeGENERAL, DailyRate: ptr("80.50")})
		require.NoError(t, err, "100 characters")
		rate, err := db.Client.WardRate.Query().Where(wardrate.WardID(priced.ID)).Only(testkit.System(t))
		require.NoError(t, err)
		require.EqualValues(t, 8050, rate.RateMinor)
		require.Equal(t, day(t, "2025-01-15"), rate.FromDate, "from today on")
		require.Equal(t, h.admin.ID, *rate.SetBy)

		_, err = h.CreateWard(nurse, hospital.CreateWardInput{Name: "Priced", Type: ward.TypeGENERAL, DailyRate: ptr("80.50")})
		refused(t, err, "FORBIDDEN", "dailyRate")
		for name, tc := range map[string]struct {
			in          hospital.CreateWardInput
			code, field string
		}{
			"TakenWhateverTheCase": {hospital.CreateWardInput{Name: "ØSTFLØY   süd"}, "CONFLICT", "name"},
			"TakenWhateverTheForm": {hospital.CreateWardInput{Name: "Østfløy Su\u0308d"}, "CONFLICT", "name"},
			"NoName":               {hospital.CreateWardInput{Name: "  "}, "INVALID_INPUT", "name"},
			"NameOf101Characters":  {hospital.CreateWardInput{Name: strings.Repeat("x", 101)}, "INVALID_INPUT", "name"},
			"NameOfTwoLines":       {hospital.CreateWardInput{Name: "a\nb"}, "INVALID_INPUT", "name"},
			"RateBelowZero":        {hospital.CreateWardInput{Name: "x", DailyRate: ptr("-0.01")}, "INVALID_INPUT", "dailyRate"},
			"RateOfTooManyDigits":  {hospital.CreateWardInput{Name: "x", DailyRate: ptr("1.001")}, "INVALID_INPUT", "dailyRate"},
			"RateAboveAMillion":    {hospital.CreateWardInput{Name: "x", DailyRate: ptr("1000000.01")}, "INVALID_INPUT", "dailyRate"},
		} {
			tc.in.Type = ward.TypeGENERAL
			_, err := h.CreateWard(admin, tc.in)
			refused(t, err, tc.code, tc.field, name)
		}
		require.Equal(t, 3, count(t, db.Client.Ward.Query()))
	})
}

func TestUpdateWard(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		nurse := testkit.As(t, h.nurse)
		other := testkit.Ward(t, db)
		changed, err := h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, Name: ptr("Palliative"), Type: ptr(ward.TypePALLIATIVE), ExpectedVersion: ptr(1)})
		require.NoError(t, err)
		require.Equal(t, "Palliative", changed.Name)
		require.Equal(t, 2, changed.Version)

		present, err := h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, Name: ptr("Lost"), ExpectedVersion: ptr(1)})
		refused(t, err, "CONFLICT", "expectedVersion")
		require.Equal(t, "Palliative", present.Name, "the present one")
		present, err = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, Name: ptr(strings.ToUpper(other.Name))})
		refused(t, err, "CONFLICT", "name")
		require.Equal(t, 2, present.Version)
		_, err = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, Name: ptr("PALLIATIVE")})
		require.NoError(t, err, "its own name in another case")
		for _, id := range []uuid.UUID{unknown, uuid.Nil} {
			_, err = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: id})
			refused(t, err, "NOT_FOUND", "id")
		}
		_, err = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, Name: ptr("")})
		refused(t, err, "INVALID_INPUT", "name")

		a := h.admit(t)
		present, err = h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, IsActive: ptr(false)})
		refused(t, err, "CONFLICT", "isActive")
		require.True(t, present.IsActive, "a patient lies in it")
		_, err = h.DischargePatient(nurse, hospital.DischargePatientInput{AdmissionID: a.ID})
		require.NoError(t, err)
		closed, err := h.UpdateWard(nurse, hospital.UpdateWardInput{ID: h.ward.ID, IsActive: ptr(false)})
		require.NoError(t, err)
		require.False(t, closed.IsActive)
		open, err := h.Wards(ptr(true)).All(nurse)
		require.NoError(t, err)
		require.Len(t, open, 1)
		all, err := h.Wards(nil).All(nurse)
		require.NoError(t, err)
		require.Len(t, all, 2)
	})
}

func TestSetWardRate(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		biller := testkit.As(t, h.biller)
		set := func(from *civil.Date, rate string) error {
			r, of, err := h.SetWardRate(biller, hospital.SetWardRateInput{WardID: h.ward.ID, From: from, Rate: rate})
			if err == nil {
				require.Equal(t, h.ward.ID, of.ID)
				require.Equal(t, h.biller.ID, *r.SetBy)
			}
			return err
		}
		rates := func() (list []string) {
			all, err := db.Client.WardRate.Query().Where(wardrate.WardID(h.ward.ID)).Order(wardrate.ByFromDate()).All(testkit.System(t))
			require.NoError(t, err)
			for _, r := range all {
				list = append(list, r.FromDate.String()+" "+aud(r.RateMinor).Decimal())
			}
			return list
		}
		require.NoError(t, set(nil, "160.00"))
		require.Equal(t, []string{"2025-01-01 150.00", "2025-01-16 160.00"}, rates(), "tomorrow")
		require.NoError(t, set(ptr(day(t, "2025-01-16")), "0"))
		require.Equal(t, []string{"2025-01-01 150.00", "2025-01-16 0.00"}, rates(), "replaced: it has not begun")
		require.NoError(t, set(ptr(day(t, "2025-01-15")), "155.00"), "nobody lay here at midnight")
		require.NoError(t, set(ptr(day(t, "2025-01-15")), "156.00"))
		refused(t, set(ptr(day(t, "2025-01-14")), "1.00"), "RATE_IN_PAST", "from")
		refused(t, set(nil, "-1"), "INVALID_INPUT", "rate")
		refused(t, set(nil, "1e3"), "INVALID_INPUT", "rate")
		_, _, err := h.SetWardRate(biller, hospital.SetWardRateInput{WardID: unknown, Rate: "1.00"})
		refused(t, err, "NOT_FOUND", "wardId")
		require.Equal(t, []string{"2025-01-01 150.00", "2025-01-15 156.00", "2025-01-16 0.00"}, rates())

		today, err := h.RatesToday(biller, []uuid.UUID{h.ward.ID, testkit.Ward(t, db).ID})
		require.NoError(t, err)
		require.Len(t, today, 1)
		require.Equal(t, aud(156_00), *today[h.ward.ID], "the newest that has begun")
		none, err := h.RatesToday(testkit.As(t, h.doctor), []uuid.UUID{h.ward.ID})
		require.NoError(t, err)
		require.Empty(t, none, "doctors see no rates")
	})
}

// What today costs is fixed once somebody lay in the ward at its first instant, also when that is entered late.
func TestSetWardRate_FromToday(t *testing.T) {
	t.Parallel()
	midnight := 10 * time.Hour // ago: it is 10:00
	for name, tc := range map[string]struct {
		from, to time.Duration // ago; the stay goes on when to is 0
		isOwed   bool
	}{
		"SinceYesterday":           {midnight + time.Hour, 0, true},
		"SinceMidnight":            {midnight, 0, true},
		"SinceAfterMidnight":       {midnight - time.Microsecond, 0, false},
		"LeftAfterMidnight":        {midnight + time.Hour, midnight - time.Microsecond, true},
		"LeftAtMidnight":           {midnight + time.Hour, midnight, false},
		"LeftBeforeMidnight":       {midnight + 2*time.Hour, midnight + time.Hour, false},
		"CameAndLeftSinceMidnight": {2 * time.Hour, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
				h := newHouse(t, db, clk)
				a := testkit.Admission(t, db, h.bed, h.patient, clk.Now().Add(-tc.from))
				if tc.to > 0 {
					testkit.Discharge(t, db, a, clk.Now().Add(-tc.to))
				}
				_, _, err := h.SetWardRate(testkit.As(t, h.biller), hospital.SetWardRateInput{WardID: h.ward.ID, From: ptr(day(t, "2025-01-15")), Rate: "1.00"})
				if tc.isOwed {
					refused(t, err, "RATE_IN_PAST", "from")
					return
				}
				require.NoError(t, err)
			})
		})
	}
}

// A date that an instance whose clock is ahead has charged keeps its rate; who sets one while it is being charged waits, and is refused.
func TestSetWardRate_WhileTheDateIsCharged(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		h := newHouse(t, db, clk)
		behind := clock.NewFake(clk.Now())
		late := newService(t, testkit.Another(t, db, behind))
		biller := testkit.As(t, h.biller)
		set := func(w *ent.Ward) error {
			_, _, err := late.SetWardRate(biller, hospital.SetWardRateInput{WardID: w.ID, Rate: "1.00"}) // from the 16th on
			return err
		}
		h.admit(t)
		other := testkit.Ward(t, db)
		clk.Advance(24 * time.Hour)
		done, once := make(chan error, 1), sync.Once{}
		h.Spoil(func(hospital.ChargeEntry) error {
			once.Do(func() { go func() { done <- set(h.ward) }() })
			select { // as it should be it waits, and is given time to show that it does not
			case err := <-done:
				done <- err
			case <-time.After(200 * time.Millisecond):
			}
			return nil
		})
		result, err := h.ChargeDate(testkit.System(t), hospital.ChargeInput{Date: day(t, "2025-01-16")})
		require.NoError(t, err)
		require.Equal(t, 1, result.Totals.Charged)
		refused(t, <-done, "RATE_IN_PAST", "from")
		refused(t, set(h.ward), "RATE_IN_PAST", "from")
		require.NoError(t, set(other), "another ward")
		wrong, err := h.Unsettled(testkit.System(t), result.Entries[0].AdmissionID)
		require.NoError(t, err)
		require.Empty(t, wrong)
	})
}
