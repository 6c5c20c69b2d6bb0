package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/civil"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	z, err := civil.LoadZone(name)
	require.NoError(tb, err)
	return z
}

func local(hour, minute int) civil.LocalTime { return civil.LocalTime{Hour: hour, Minute: minute} }

func instantOf(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(tb, err)
	return at.UTC()
}

// The days on which clocks are changed.
func TestNext_ChangesOfClocks(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, zone, after string
		schedule          Schedule
		want              []string
	}{
		{"SydneySkips2:30", "Australia/Sydney", "2025-10-04T00:00:00+10:00", Daily(local(2, 30)),
			[]string{"2025-10-04T02:30:00+10:00", "2025-10-05T03:00:00+11:00", "2025-10-06T02:30:00+11:00"}},
		{"SydneyRepeats2:30", "Australia/Sydney", "2025-04-05T00:00:00+11:00", Daily(local(2, 30)),
			[]string{"2025-04-05T02:30:00+11:00", "2025-04-06T02:30:00+11:00", "2025-04-07T02:30:00+10:00"}},
		{"LordHoweSkipsHalfAnHour", "Australia/Lord_Howe", "2025-10-05T00:00:00+10:30", Daily(local(2, 15)),
			[]string{"2025-10-05T02:30:00+11:00", "2025-10-06T02:15:00+11:00"}},
		{"LordHoweRepeatsHalfAnHour", "Australia/Lord_Howe", "2025-04-06T00:00:00+11:00", Daily(local(1, 45)),
			[]string{"2025-04-06T01:45:00+11:00", "2025-04-07T01:45:00+10:30"}},
		{"SaoPauloHasNoMidnight", "America/Sao_Paulo", "2018-11-03T00:00:00-03:00", Daily(local(0, 0)),
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"NuukSkipsTheLastHourOfTheDay", "America/Nuuk", "2024-03-29T23:30:00-02:00", Daily(local(23, 30)),
			[]string{"2024-03-31T00:00:00-01:00", "2024-03-31T23:30:00-01:00"}},
		{"ApiaSkipsADay", "Pacific/Apia", "2011-12-29T09:00:00-10:00", Daily(local(9, 0)),
			[]string{"2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"}},
		{"BrisbaneChangesNothing", "Australia/Brisbane", "2025-10-04T23:59:59+10:00", Daily(local(0, 0)),
			[]string{"2025-10-05T00:00:00+10:00", "2025-10-06T00:00:00+10:00"}},
		{"MondayIsAWholeWeekLater", "Australia/Sydney", "2025-09-29T00:00:00+10:00", Weekly(time.Monday, local(0, 0)),
			[]string{"2025-10-06T00:00:00+11:00", "2025-10-13T00:00:00+11:00"}},
		{"The31stOrTheLast", "Australia/Brisbane", "2025-01-31T05:00:00+10:00", Monthly(31, local(5, 0)),
			[]string{"2025-02-28T05:00:00+10:00", "2025-03-31T05:00:00+10:00", "2025-04-30T05:00:00+10:00"}},
		{"MinutesAreThoseOfUTC", "Australia/Lord_Howe", "2025-10-04T14:00:00Z", Every(2 * time.Hour),
			[]string{"2025-10-04T16:00:00Z", "2025-10-04T18:00:00Z"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, at := tc.schedule.In(zone(t, tc.zone)), instantOf(t, tc.after)
			for _, want := range tc.want {
				at = s.Next(at)
				require.Equal(t, instantOf(t, want), at.UTC())
			}
		})
	}
}

// Against the definition: of every day that is due, the first instant at which clocks show the time or more.
func TestNext_IsTheDefinition(t *testing.T) {
	t.Parallel()
	zones := []string{"Australia/Sydney", "Australia/Lord_Howe", "Australia/Brisbane", "America/Sao_Paulo", "America/Nuuk", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		where, err := civil.LoadZone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := civil.LocalTimeAt(15 * rapid.IntRange(0, 95).Draw(t, "quarter"))
		weekday, day := time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekday")), rapid.IntRange(1, 31).Draw(t, "day")
		kind := rapid.SampledFrom([]string{"daily", "weekly", "monthly"}).Draw(t, "kind")
		s := map[string]Schedule{"daily": Daily(at), "weekly": Weekly(weekday, at), "monthly": Monthly(day, at)}[kind].In(where)
		first := civil.Date{Year: rapid.SampledFrom([]int{2017, 2018, 2024, 2025}).Draw(t, "year"), Month: time.Month(rapid.IntRange(1, 12).Draw(t, "month")), Day: 1}

		var want []time.Time
		shown := time.Date(first.Year, first.Month, 1, 0, 0, 0, 0, time.UTC).Add(-24 * time.Hour)
		for d := first; first.DaysUntil(d) < 62; d = d.AddDays(1) {
			if kind == "weekly" && d.Weekday() != weekday || kind == "monthly" && d.Day != day && (d.Day > day || d.AddDays(1).Month == d.Month) {
				continue
			}
			for wall := time.Date(d.Year, d.Month, d.Day, at.Hour, at.Minute, 0, 0, time.UTC); wallOf(shown, where).Before(wall); {
				shown = shown.Add(15 * time.Minute)
			}
			want = append(want, shown)
		}
		if len(want) == 0 {
			return
		}
		now := want[0].Add(-time.Microsecond)
		for i, w := range want {
			got := s.Next(now)
			if !got.Equal(w) {
				t.Fatalf("occurrence %d after %s: %s instead of %s", i, now, got.In(where), w.In(where))
			}
			if last := s.Last(got.Add(time.Hour)); !last.Equal(got) || !s.isAt(got) || s.isAt(got.Add(time.Microsecond)) {
				t.Fatalf("the last before %s is %s", got.Add(time.Hour), last)
			}
			if on, ok := s.On(s.date(got)); !ok || !on.Equal(got) {
				t.Fatalf("%s belongs to %s, which has %s", got.In(where), s.date(got), on)
			}
			if n := s.count(want[0], got); n != i+1 {
				t.Fatalf("%d occurrences counted, there are %d", n, i+1)
			}
			now = got
		}
	})
}

// wallOf is what clocks show, as if it were UTC.
func wallOf(t time.Time, where *time.Location) time.Time {
	_, offset := t.In(where).Zone()
	return t.Add(time.Duration(offset) * time.Second)
}

// In St. John's clocks were set back from 00:01 to 23:01: half past eleven comes after midnight has been.
func TestLast_AMidnightThatIsTakenBack(t *testing.T) {
	t.Parallel()
	s, midnight := Daily(local(0, 0)).In(zone(t, "America/St_Johns")), instantOf(t, "2010-11-07T00:00:00-02:30")
	require.Equal(t, midnight, s.Next(midnight.Add(-time.Hour)).UTC())
	require.Equal(t, midnight, s.Last(midnight.Add(30*time.Minute)).UTC())
	require.Equal(t, instantOf(t, "2010-11-08T00:00:00-03:30"), s.Next(midnight.Add(30*time.Minute)).UTC())
}

func TestEvery_IsCountedFromTheEpoch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.IntRange(1, 3000).Draw(t, "minutes")) * time.Minute
		after := time.UnixMicro(rapid.Int64Range(-1e14, 4e16).Draw(t, "after"))
		s := Every(every)
		next := s.Next(after)
		if !next.After(after) || next.Sub(after) > every || next.Unix()%int64(every/time.Second) != 0 {
			t.Fatalf("after %s comes %s", after, next)
		}
		if last := s.Last(next); !last.Equal(next) || !s.before(next).Equal(next.Add(-every)) || s.count(last, next.Add(3*every)) != 4 {
			t.Fatal("counting back")
		}
	})
}

func TestOn_ADateWithoutOccurrence(t *testing.T) {
	t.Parallel()
	date := civil.Date{Year: 2025, Month: time.January, Day: 15} // a Wednesday
	_, ok := Weekly(time.Monday, local(0, 0)).On(date)
	assert.False(t, ok)
	_, ok = Every(72 * time.Hour).On(date.AddDays(1))
	assert.False(t, ok)
	at, ok := Every(time.Hour).In(zone(t, "Australia/Lord_Howe")).On(date)
	assert.True(t, ok)
	assert.Equal(t, instantOf(t, "2025-01-15T00:00:00+11:00"), at.UTC())
}

func TestWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Schedule{
		"every minute": Every(time.Minute), "every 10 minutes": Every(10 * time.Minute), "every hour": Every(time.Hour), "every 2 hours": Every(2 * time.Hour),
		"every day at 00:05": Daily(local(0, 5)), "every Monday at 03:00": Weekly(time.Monday, local(3, 0)), "on day 1 of every month at 05:00": Monthly(1, local(5, 0)),
	} {
		assert.Equal(t, want, s.String())
	}
}
