package hospital_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/hospital"
)

// zonesOfTests have midnights of all kinds: skipped, repeated, moved by half an hour, and a date that never was.
var zonesOfTests = []string{
	"Australia/Brisbane", "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut", "America/Asuncion", "America/Havana", "Pacific/Apia", "UTC",
}

// anInpatient draws an admission of some weeks around a change of clocks, with transfers, rates and memberships at instants of all kinds.
func anInpatient(t *rapid.T) (*time.Location, hospital.Inpatient, civil.Date, civil.Date) {
	zone, err := civil.LoadZone(rapid.SampledFrom(zonesOfTests).Draw(t, "zone"))
	require.NoError(t, err)
	base := civil.Date{Year: 2011, Month: time.January, Day: 1}.AddDays(rapid.IntRange(0, 5500).Draw(t, "base"))
	if rapid.Bool().Draw(t, "samoa") {
		base = civil.Date{Year: 2011, Month: time.December, Day: 20}
	}
	instant := func(name string) time.Time {
		at := civil.StartOfDay(base.AddDays(rapid.IntRange(0, 30).Draw(t, name)), zone)
		return at.Add(rapid.SampledFrom([]time.Duration{0, -time.Microsecond, time.Microsecond, 30 * time.Minute, 9 * time.Hour, 23 * time.Hour}).Draw(t, name+" off"))
	}
	cuts := make([]time.Time, rapid.IntRange(2, 5).Draw(t, "cuts"))
	for i := range cuts {
		cuts[i] = instant("cut")
	}
	slices.SortFunc(cuts, time.Time.Compare)
	p := hospital.Inpatient{AdmittedAt: cuts[0], Rates: map[uuid.UUID][]hospital.Rate{}}
	for i := range cuts[1:] {
		ward := rapid.SampledFrom([]uuid.UUID{general, intensive}).Draw(t, "ward")
		p.Stays = append(p.Stays, hospital.BedTime{WardID: ward, From: cuts[i], To: &cuts[i+1]})
	}
	if last := len(p.Stays) - 1; rapid.Bool().Draw(t, "open") {
		p.Stays[last].To = nil
	} else {
		p.DischargedAt = p.Stays[last].To
	}
	for _, ward := range []uuid.UUID{general, intensive} {
		for d := base.AddDays(rapid.IntRange(-3, 10).Draw(t, "first rate")); d.Before(base.AddDays(30)); d = d.AddDays(rapid.IntRange(1, 15).Draw(t, "rate holds")) {
			p.Rates[ward] = append(p.Rates[ward], hospital.Rate{From: d, Amount: aud(rapid.Int64Range(0, 3).Draw(t, "rate") * 12_345)})
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "memberships") {
		m := hospital.Membership{From: base.AddDays(rapid.IntRange(-5, 30).Draw(t, "from"))}
		if rapid.Bool().Draw(t, "ended") {
			to := m.From.AddDays(rapid.IntRange(0, 10).Draw(t, "for"))
			m.To = &to
		}
		p.Memberships = append(p.Memberships, m)
	}
	return zone, p, base.AddDays(-2), base.AddDays(34)
}

// Dates are dense, and however a range is cut in two, both parts together owe what the whole owes.
func TestOwed_SplitsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, p, from, to := anInpatient(t)
		whole := hospital.Owed(zone, p, from, to)
		require.Len(t, whole, from.DaysUntil(to)+1)
		for i, due := range whole {
			require.Equal(t, from.AddDays(i), due.Date)
			require.Equal(t, due.Skip == "", due.Amount.Sign() > 0)
		}
		cut := from.AddDays(rapid.IntRange(-1, len(whole)-1).Draw(t, "cut"))
		require.True(t, slices.Equal(whole, append(hospital.Owed(zone, p, from, cut), hospital.Owed(zone, p, cut.AddDays(1), to)...)))
	})
}

// The census is held against a clock on the wall of the zone that is looked at every 15 minutes: the first look at which it shows a new date is the date's
// first instant.
func TestOwed_AgreesWithAWallClock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, p, from, to := anInpatient(t)
		first := map[civil.Date]time.Time{}
		for at := civil.StartOfDay(from, time.UTC).Add(-26 * time.Hour).Truncate(time.Hour); len(first) == 0 || !civil.DateOf(at, zone).After(to); at = at.Add(15 * time.Minute) {
			if d := civil.DateOf(at, zone); first[d].IsZero() {
				first[d] = at
			}
		}
		for _, due := range hospital.Owed(zone, p, from, to) {
			at, isThere := first[due.Date]
			require.Equal(t, expected(p, due.Date, at, isThere), due)
		}
	})
}

// expected is the rule as a person would apply it.
func expected(p hospital.Inpatient, d civil.Date, at time.Time, isThere bool) hospital.Due {
	due := hospital.Due{Date: d, Skip: hospital.NotAdmitted}
	if !isThere || at.Before(p.AdmittedAt) || p.DischargedAt != nil && !at.Before(*p.DischargedAt) {
		return due
	}
	for _, stay := range p.Stays {
		if !at.Before(stay.From) && (stay.To == nil || at.Before(*stay.To)) {
			due.WardID = stay.WardID
		}
	}
	due.Skip = hospital.ZeroRate
	if due.WardID == uuid.Nil {
		due.Skip = hospital.NoBed
	}
	rate := aud(0)
	for _, r := range p.Rates[due.WardID] {
		if !d.Before(r.From) {
			rate = r.Amount
		}
	}
	if rate.Sign() > 0 {
		due.Skip, due.Amount = "", rate
	}
	for _, m := range p.Memberships {
		if !d.Before(m.From) && (m.To == nil || !d.After(*m.To)) {
			return hospital.Due{Date: d, WardID: due.WardID, Skip: hospital.NHIAExempt}
		}
	}
	return due
}
