package civil_test

import (
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/civil"
)

const none = "" // no such instant

func TestResolve_NamedZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, zone, date, time, instant string }{
		{"Sydney in January", "Australia/Sydney", "2025-01-15", "09:00", "2025-01-14T22:00:00Z"},
		{"Sydney in July", "Australia/Sydney", "2025-07-15", "09:00", "2025-07-14T23:00:00Z"},
		{"Sydney's last minute before the gap", "Australia/Sydney", "2025-10-05", "01:59", "2025-10-04T15:59:00Z"},
		{"Sydney's gap begins", "Australia/Sydney", "2025-10-05", "02:00", none},
		{"Sydney's gap ends", "Australia/Sydney", "2025-10-05", "02:59", none},
		{"Sydney after the gap", "Australia/Sydney", "2025-10-05", "03:00", "2025-10-04T16:00:00Z"},
		{"Sydney twice: the earlier", "Australia/Sydney", "2025-04-06", "02:30", "2025-04-05T15:30:00Z"},
		{"Sydney after the repeated hour", "Australia/Sydney", "2025-04-06", "03:00", "2025-04-05T17:00:00Z"},
		{"Sydney on the last day of a leap year", "Australia/Sydney", "2024-12-31", "09:00", "2024-12-30T22:00:00Z"},
		{"Sydney on the day after it", "Australia/Sydney", "2025-01-01", "09:00", "2024-12-31T22:00:00Z"},
		{"Adelaide in summer", "Australia/Adelaide", "2025-01-15", "09:00", "2025-01-14T22:30:00Z"},
		{"Adelaide in winter", "Australia/Adelaide", "2025-07-15", "09:00", "2025-07-14T23:30:00Z"},
		{"Adelaide's gap", "Australia/Adelaide", "2025-10-05", "02:30", none},
		{"Adelaide twice: the earlier", "Australia/Adelaide", "2025-04-06", "02:30", "2025-04-05T16:00:00Z"},
		{"Brisbane has no summer time", "Australia/Brisbane", "2025-10-05", "02:30", "2025-10-04T16:30:00Z"},
		{"Lord Howe in summer", "Australia/Lord_Howe", "2025-01-15", "09:00", "2025-01-14T22:00:00Z"},
		{"Lord Howe in winter", "Australia/Lord_Howe", "2025-07-15", "09:00", "2025-07-14T22:30:00Z"},
		{"Lord Howe's gap of half an hour", "Australia/Lord_Howe", "2025-10-05", "02:29", none},
		{"Lord Howe after the half hour", "Australia/Lord_Howe", "2025-10-05", "02:30", "2025-10-04T15:30:00Z"},
		{"Lord Howe before the half hour", "Australia/Lord_Howe", "2025-04-06", "01:29", "2025-04-05T14:29:00Z"},
		{"Lord Howe twice: the earlier", "Australia/Lord_Howe", "2025-04-06", "01:45", "2025-04-05T14:45:00Z"},
		{"Apia before the lost day", "Pacific/Apia", "2011-12-29", "23:59", "2011-12-30T09:59:00Z"},
		{"Apia's lost day", "Pacific/Apia", "2011-12-30", "12:00", none},
		{"Apia after the lost day", "Pacific/Apia", "2011-12-31", "00:00", "2011-12-30T10:00:00Z"},
		{"Kwajalein's repeated day: the earlier", "Pacific/Kwajalein", "1969-09-30", "13:30", "1969-09-30T02:30:00Z"},
		{"São Paulo's skipped midnight", "America/Sao_Paulo", "2018-11-04", "00:00", none},
		{"São Paulo after it", "America/Sao_Paulo", "2018-11-04", "01:00", "2018-11-04T03:00:00Z"},
		{"São Paulo's evening twice", "America/Sao_Paulo", "2018-02-17", "23:30", "2018-02-18T01:30:00Z"},
		{"Cairo's skipped midnight", "Africa/Cairo", "2025-04-25", "00:30", none},
		{"Beirut's skipped midnight", "Asia/Beirut", "2025-03-30", "00:00", none},
		{"Havana's skipped midnight", "America/Havana", "2025-03-09", "00:59", none},
		{"Havana's midnight twice: the earlier", "America/Havana", "2025-11-02", "00:00", "2025-11-02T04:00:00Z"},
		{"Dublin's winter time", "Europe/Dublin", "2025-01-15", "09:00", "2025-01-15T09:00:00Z"},
		{"Casablanca's Ramadan ends", "Africa/Casablanca", "2025-04-06", "02:30", none},
		{"the first day of the calendar", "Asia/Tokyo", "0001-01-01", "00:00", "0000-12-31T14:41:01Z"},
		{"the last day of the calendar", "America/New_York", "9999-12-31", "23:59", "10000-01-01T04:59:00Z"},
		{"UTC", "UTC", "2025-01-15", "09:00", "2025-01-15T09:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := civil.Resolve(date(t, c.date), local(t, c.time), zone(t, c.zone))
			require.Equal(t, c.instant != none, ok)
			if ok {
				require.Equal(t, c.instant, got.Format(time.RFC3339))
				require.Equal(t, time.UTC, got.Location())
			}
		})
	}
}

func TestResolve_RefusesWhatIsNotValid(t *testing.T) {
	t.Parallel()
	_, ok := civil.Resolve(civil.Date{Year: 2025, Month: 2, Day: 29}, civil.LocalTime{}, time.UTC)
	require.False(t, ok)
	_, ok = civil.Resolve(date(t, "2025-01-15"), civil.LocalTime{Hour: 24}, time.UTC)
	require.False(t, ok)
	require.True(t, civil.StartOfDay(civil.Date{}, time.UTC).IsZero())
}

func TestStartOfDay_NamedZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, zone, date, instant string }{
		{"Sydney", "Australia/Sydney", "2025-01-15", "2025-01-14T13:00:00Z"},
		{"Sydney on a day of 23 hours", "Australia/Sydney", "2025-10-05", "2025-10-04T14:00:00Z"},
		{"Adelaide", "Australia/Adelaide", "2025-01-15", "2025-01-14T13:30:00Z"},
		{"Lord Howe on a day of 23.5 hours", "Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30:00Z"},
		{"Lord Howe on the day after", "Australia/Lord_Howe", "2025-10-06", "2025-10-05T13:00:00Z"},
		{"Brisbane", "Australia/Brisbane", "2025-10-05", "2025-10-04T14:00:00Z"},
		{"São Paulo without midnight", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"},
		{"Cairo without midnight", "Africa/Cairo", "2025-04-25", "2025-04-24T22:00:00Z"},
		{"Beirut without midnight", "Asia/Beirut", "2025-03-30", "2025-03-29T22:00:00Z"},
		{"Havana without midnight", "America/Havana", "2025-03-09", "2025-03-09T05:00:00Z"},
		{"Havana with two midnights", "America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"},
		{"Toronto without 23:30 to 00:30", "America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"},
		{"Apia's lost day starts where the next does", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"Apia's next day", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
		{"the first day of the calendar", "Asia/Tokyo", "0001-01-01", "0000-12-31T14:41:01Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := civil.StartOfDay(date(t, c.date), zone(t, c.zone))
			require.Equal(t, c.instant, got.Format(time.RFC3339))
			require.Equal(t, time.UTC, got.Location())
		})
	}
}

// reading is what a wall clock shows.
type reading struct {
	date civil.Date
	time civil.LocalTime
}

// minute is one minute of a zone as brute force finds it.
type minute struct {
	reading
	at time.Time
}

// transitions finds, to the minute, every change of a zone's offset from 2020 to 2030 by looking at every sixth hour
// (none changes twice between them), and so without the code that is tested and without the table that it uses.
func transitions(loc *time.Location) (found []time.Time) {
	const step = 6 * 60
	offset := func(at time.Time) int { _, seconds := at.In(loc).Zone(); return seconds }
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	before := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	was := offset(before)
	for ; before.Before(end); before = before.Add(minutes(step)) {
		if now := offset(before.Add(minutes(step))); now != was {
			first := sort.Search(step, func(i int) bool { return offset(before.Add(minutes(i))) == now })
			found = append(found, before.Add(minutes(first)))
			was = now
		}
	}
	return found
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// readings returns what the clocks of a zone show in each minute of the hours around an instant, in order.
func readings(loc *time.Location, around time.Time, hours int) []minute {
	list := make([]minute, 0, hours*2*60)
	for at := around.Add(-time.Duration(hours) * time.Hour); len(list) < cap(list); at = at.Add(time.Minute) {
		shown := at.In(loc)
		year, month, day := shown.Date()
		list = append(list, minute{at: at, reading: reading{
			civil.Date{Year: year, Month: month, Day: day}, civil.LocalTime{Hour: shown.Hour(), Minute: shown.Minute()},
		}})
	}
	return list
}

// Around every transition, every reading of a clock, existing or not, is compared with the first minute that shows it.
func TestResolve_AgreesWithBruteForceAroundEveryTransition(t *testing.T) {
	t.Parallel()
	forEachTransition(t, func(t *testing.T, loc *time.Location, change time.Time) {
		first := map[reading]time.Time{}
		for _, m := range readings(loc, change, 8) {
			if _, seen := first[m.reading]; !seen {
				first[m.reading] = m.at
			}
		}
		// Readings from 3 hours before to 3 hours after, taken from a clock that is never changed.
		start := change.In(loc)
		year, month, day := start.Date()
		face := time.Date(year, month, day, start.Hour(), start.Minute(), 0, 0, time.UTC).Add(-3 * time.Hour)
		for i := range 6 * 60 {
			shown := face.Add(minutes(i))
			d := civil.DateOf(shown, time.UTC)
			lt := civil.LocalTime{Hour: shown.Hour(), Minute: shown.Minute()}
			want, exists := first[reading{d, lt}]
			got, ok := civil.Resolve(d, lt, loc)
			// Compared by hand: millions of reflecting comparisons would take a minute.
			if ok != exists || !got.Equal(want) {
				t.Fatalf("%s %s: got %s %t, want %s %t", d, lt, got, ok, want, exists)
			}
		}
	})
}

// The formulas by which a database continues its tables count the days of each year anew.
func TestResolve_TheTurnOfEveryYear(t *testing.T) {
	t.Parallel()
	for _, name := range zonesAlways {
		loc := zone(t, name)
		for year := 2020; year <= 2050; year++ {
			for day := range 5 {
				want := reading{civil.Date{Year: year, Month: time.December, Day: 29}.AddDays(day), local(t, "09:30")}
				at, ok := civil.Resolve(want.date, want.time, loc)
				require.True(t, ok, "%s %s", name, want.date)
				require.Equal(t, want.date.String()+" 09:30:00", at.In(loc).Format(time.DateTime), name)
			}
		}
	}
}

// Since 1973 all offsets are whole minutes, so that looking at every minute finds every reading.
func TestResolve_AgreesWithBruteForceOnAnyDate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zonesAlways).Draw(t, "zone")
		d := civil.Date{Year: 1973, Month: time.January, Day: 1}.AddDays(rapid.IntRange(0, 50000).Draw(t, "day"))
		lt := civil.LocalTimeAt(rapid.IntRange(0, 24*60-1).Draw(t, "minute"))
		var want time.Time
		for _, m := range readings(zone(t, name), time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC), 30) {
			if m.reading == (reading{d, lt}) {
				want = m.at
				break
			}
		}
		got, ok := civil.Resolve(d, lt, zone(t, name))
		require.Equal(t, !want.IsZero(), ok)
		require.True(t, got.Equal(want), "got %s, want %s", got, want)
	})
}

func TestStartOfDay_IsTheFirstInstantOfTheDateAroundEveryTransition(t *testing.T) {
	t.Parallel()
	forEachTransition(t, func(t *testing.T, loc *time.Location, change time.Time) {
		list := readings(loc, change, 36)
		seen := map[civil.Date]bool{list[0].date: true} // it began before the first minute looked at
		for _, m := range list {
			if seen[m.date] {
				continue
			}
			seen[m.date] = true
			got := civil.StartOfDay(m.date, loc)
			require.True(t, got.Equal(m.at), "%s: got %s, want %s", m.date, got, m.at)
		}
		require.GreaterOrEqual(t, len(seen), 3)
	})
}

func forEachTransition(t *testing.T, check func(t *testing.T, loc *time.Location, change time.Time)) {
	for name, list := range allTransitions(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, change := range list {
				check(t, zone(t, name), change)
			}
		})
	}
}

var (
	transitionsOnce sync.Once
	transitionsOf   map[string][]time.Time
)

// allTransitions returns the transitions of every zone, one zone for each list of transitions: many names of the
// database are links, and testing a zone under five names tells nothing.
func allTransitions(t testing.TB) map[string][]time.Time {
	transitionsOnce.Do(func() {
		transitionsOf = map[string][]time.Time{}
		known := map[string]bool{}
		for _, name := range allZones(t) {
			loc := zone(t, name)
			list := transitions(loc)
			key := time.Unix(0, 0).In(loc).Format(time.RFC3339)
			for _, change := range list {
				key += change.In(loc).Format(time.RFC3339)
			}
			if !known[key] {
				known[key] = true
				transitionsOf[name] = list
			}
		}
	})
	require.GreaterOrEqual(t, len(transitionsOf), 40)
	return transitionsOf
}
