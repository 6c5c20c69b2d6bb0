package booking

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

// longAgo is before everything that these tests expand.
var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// ruleFor parses the parts of a rule; it covers every day unless the test narrows it.
func ruleFor(t require.TestingT, zone, from, to, start, end string, length time.Duration) BulkRule {
	r := BulkRule{Length: length}
	var err error
	r.Zone, err = civil.LoadZone(zone)
	require.NoError(t, err)
	require.NoError(t, r.From.UnmarshalText([]byte(from)))
	require.NoError(t, r.To.UnmarshalText([]byte(to)))
	require.NoError(t, r.Start.UnmarshalText([]byte(start)))
	require.NoError(t, r.End.UnmarshalText([]byte(end)))
	return r
}

// told is a candidate as a table states it: "date start -> instant", or "date start REASON".
func told(c Candidate) string {
	s := c.LocalDate.String() + " " + c.LocalStart.String() + " "
	if c.Skip != "" {
		return s + string(c.Skip)
	}
	return s + "-> " + c.StartsAt.Format("2006-01-02T15:04Z")
}

func TestExpand_NamedZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone, from, to, start, end string
		length                           time.Duration
		want                             []string
	}{
		{
			"09:00 in Sydney in January is 22:00Z of the day before",
			"Australia/Sydney", "2025-01-15", "2025-01-15", "09:00", "09:30", 30 * time.Minute,
			[]string{"2025-01-15 09:00 -> 2025-01-14T22:00Z"},
		},
		{
			"09:00 in Sydney in July is 23:00Z of the day before",
			"Australia/Sydney", "2025-07-15", "2025-07-15", "09:00", "09:30", 30 * time.Minute,
			[]string{"2025-07-15 09:00 -> 2025-07-14T23:00Z"},
		},
		{
			"09:00 in Sydney stays 09:00 when summer time begins",
			"Australia/Sydney", "2025-10-04", "2025-10-06", "09:00", "10:00", time.Hour,
			[]string{
				"2025-10-04 09:00 -> 2025-10-03T23:00Z",
				"2025-10-05 09:00 -> 2025-10-04T22:00Z",
				"2025-10-06 09:00 -> 2025-10-05T22:00Z",
			},
		},
		{
			"a local time that does not exist in Sydney is skipped",
			"Australia/Sydney", "2025-10-05", "2025-10-05", "01:30", "03:30", 30 * time.Minute,
			[]string{
				"2025-10-05 01:30 -> 2025-10-04T15:30Z",
				"2025-10-05 02:00 NONEXISTENT_LOCAL_TIME",
				"2025-10-05 02:30 NONEXISTENT_LOCAL_TIME",
				"2025-10-05 03:00 -> 2025-10-04T16:00Z",
			},
		},
		{
			"a local time that Sydney shows twice is taken once, at the earlier instant",
			"Australia/Sydney", "2025-04-06", "2025-04-06", "01:30", "03:30", 30 * time.Minute,
			[]string{
				"2025-04-06 01:30 -> 2025-04-05T14:30Z",
				"2025-04-06 02:00 -> 2025-04-05T15:00Z",
				"2025-04-06 02:30 -> 2025-04-05T15:30Z",
				"2025-04-06 03:00 -> 2025-04-05T17:00Z",
			},
		},
		{
			"two slots that meet because of the gap: the later is skipped",
			"Australia/Sydney", "2025-10-05", "2025-10-05", "01:55", "05:00", 45 * time.Minute,
			[]string{
				"2025-10-05 01:55 -> 2025-10-04T15:55Z",
				"2025-10-05 02:40 NONEXISTENT_LOCAL_TIME",
				"2025-10-05 03:25 SLOT_OVERLAP", // 16:25Z, while the first lasts until 16:40Z
				"2025-10-05 04:10 -> 2025-10-04T17:10Z",
			},
		},
		{
			"Adelaide",
			"Australia/Adelaide", "2025-10-05", "2025-10-05", "01:30", "03:30", time.Hour,
			[]string{"2025-10-05 01:30 -> 2025-10-04T16:00Z", "2025-10-05 02:30 NONEXISTENT_LOCAL_TIME"},
		},
		{
			"Lord Howe's gap of half an hour",
			"Australia/Lord_Howe", "2025-10-05", "2025-10-05", "01:45", "03:00", 15 * time.Minute,
			[]string{
				"2025-10-05 01:45 -> 2025-10-04T15:15Z",
				"2025-10-05 02:00 NONEXISTENT_LOCAL_TIME",
				"2025-10-05 02:15 NONEXISTENT_LOCAL_TIME",
				"2025-10-05 02:30 -> 2025-10-04T15:30Z",
				"2025-10-05 02:45 -> 2025-10-04T15:45Z",
			},
		},
		{
			"Lord Howe's repeated half hour",
			"Australia/Lord_Howe", "2025-04-06", "2025-04-06", "01:30", "02:30", 30 * time.Minute,
			[]string{"2025-04-06 01:30 -> 2025-04-05T14:30Z", "2025-04-06 02:00 -> 2025-04-05T15:30Z"},
		},
		{
			"Brisbane has no summer time",
			"Australia/Brisbane", "2025-10-05", "2025-10-05", "02:00", "03:00", 30 * time.Minute,
			[]string{"2025-10-05 02:00 -> 2025-10-04T16:00Z", "2025-10-05 02:30 -> 2025-10-04T16:30Z"},
		},
		{
			"Havana's skipped midnight",
			"America/Havana", "2025-03-09", "2025-03-09", "00:00", "02:00", time.Hour,
			[]string{"2025-03-09 00:00 NONEXISTENT_LOCAL_TIME", "2025-03-09 01:00 -> 2025-03-09T05:00Z"},
		},
		{
			"Apia's lost day",
			"Pacific/Apia", "2011-12-29", "2011-12-31", "09:00", "10:00", time.Hour,
			[]string{
				"2011-12-29 09:00 -> 2011-12-29T19:00Z",
				"2011-12-30 09:00 NONEXISTENT_LOCAL_TIME",
				"2011-12-31 09:00 -> 2011-12-30T19:00Z",
			},
		},
		{
			"a slot must end by the end time",
			"UTC", "2025-01-15", "2025-01-15", "23:00", "23:59", 30 * time.Minute,
			[]string{"2025-01-15 23:00 -> 2025-01-15T23:00Z"},
		},
		{
			"no slot fits",
			"UTC", "2025-01-15", "2025-01-15", "09:00", "09:29", 30 * time.Minute,
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list, err := Expand(ruleFor(t, c.zone, c.from, c.to, c.start, c.end, c.length), longAgo, 10)
			require.NoError(t, err)
			var got []string
			for _, candidate := range list {
				got = append(got, told(candidate))
				if candidate.Skip != SkipNonexistentLocalTime {
					require.Equal(t, c.length, candidate.EndsAt.Sub(candidate.StartsAt))
				}
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestExpand_OnlyTheWeekdaysAskedFor(t *testing.T) {
	t.Parallel()
	r := ruleFor(t, "Australia/Sydney", "2025-01-01", "2025-01-14", "09:00", "10:00", time.Hour)
	r.Weekdays = []time.Weekday{time.Wednesday, time.Monday, time.Wednesday}
	list, err := Expand(r, longAgo, 4)
	require.NoError(t, err)
	var got []string
	for _, c := range list {
		got = append(got, c.LocalDate.String())
	}
	require.Equal(t, []string{"2025-01-01", "2025-01-06", "2025-01-08", "2025-01-13"}, got)
}

func TestExpand_WhatDoesNotStartAfterThePresentIsPast(t *testing.T) {
	t.Parallel()
	r := ruleFor(t, "UTC", "2025-01-15", "2025-01-15", "09:00", "10:30", 30*time.Minute)
	list, err := Expand(r, time.Date(2025, 1, 15, 9, 30, 0, 0, time.UTC), 10)
	require.NoError(t, err)
	require.Equal(t, SkipSlotInPast, list[0].Skip)
	require.Equal(t, SkipSlotInPast, list[1].Skip, "it starts exactly now")
	require.Empty(t, list[2].Skip)
}

func TestExpand_APastCandidateIsInNobodysWay(t *testing.T) {
	t.Parallel()
	r := ruleFor(t, "Australia/Sydney", "2025-10-05", "2025-10-05", "01:55", "05:00", 45*time.Minute)
	list, err := Expand(r, time.Date(2025, 10, 4, 16, 0, 0, 0, time.UTC), 10)
	require.NoError(t, err)
	require.Equal(t, SkipSlotInPast, list[0].Skip)
	require.Empty(t, list[2].Skip, "03:25, which would overlap with the past 01:55")
}

func TestExpand_CountsBeforeItBuilds(t *testing.T) {
	t.Parallel()
	week := ruleFor(t, "UTC", "2025-01-13", "2025-01-19", "09:00", "11:00", 30*time.Minute)
	list, err := Expand(week, longAgo, 28)
	require.NoError(t, err)
	require.Len(t, list, 28)
	_, err = Expand(week, longAgo, 27)
	requireInvalidAt(t, err, "endDate")

	ages := ruleFor(t, "UTC", "0001-01-01", "9999-12-31", "00:00", "23:59", time.Minute)
	for _, limit := range []int{2000, 0, -1} {
		_, err = Expand(ages, longAgo, limit) // five thousand million candidates would not fit into memory
		requireInvalidAt(t, err, "endDate")
	}

	ages.Length = 24 * time.Hour
	list, err = Expand(ages, longAgo, 2000)
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestExpand_RefusesEachInvalidField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, field string
		spoil       func(*BulkRule)
	}{
		{"no start date", "startDate", func(r *BulkRule) { r.From = civil.Date{} }},
		{"an end date that does not exist", "endDate", func(r *BulkRule) { r.To.Month, r.To.Day = 2, 30 }},
		{"an end date before the start date", "endDate", func(r *BulkRule) { r.To = r.From.AddDays(-1) }},
		{"a day after Saturday", "weekdays", func(r *BulkRule) { r.Weekdays = []time.Weekday{1, 7} }},
		{"a day before Sunday", "weekdays", func(r *BulkRule) { r.Weekdays = []time.Weekday{-1} }},
		{"a start time of 24:00", "startTime", func(r *BulkRule) { r.Start.Hour = 24 }},
		{"an end time of 24:00", "endTime", func(r *BulkRule) { r.End.Hour = 24 }},
		{"an end time of 00:00", "endTime", func(r *BulkRule) { r.End = civil.LocalTime{} }},
		{"an end time that is the start time", "endTime", func(r *BulkRule) { r.End = r.Start }},
		{"no length", "durationMinutes", func(r *BulkRule) { r.Length = 0 }},
		{"a negative length", "durationMinutes", func(r *BulkRule) { r.Length = -30 * time.Minute }},
		{"a length with seconds", "durationMinutes", func(r *BulkRule) { r.Length += time.Second }},
		{"a length below a minute", "durationMinutes", func(r *BulkRule) { r.Length = time.Nanosecond }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ruleFor(t, "UTC", "2025-01-15", "2025-01-16", "09:00", "17:00", 30*time.Minute)
			require.NoError(t, r.Validate())
			c.spoil(&r)
			_, err := Expand(r, longAgo, 2000)
			requireInvalidAt(t, err, c.field)
		})
	}
	r := ruleFor(t, "UTC", "2025-01-15", "2025-01-16", "09:00", "17:00", 30*time.Minute)
	r.Zone = nil
	require.ErrorIs(t, r.Validate(), civil.ErrUnknownTimeZone)
}

func TestExpand_ReportsAllFieldsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Expand(BulkRule{Weekdays: []time.Weekday{9}}, longAgo, 2000)
	list, ok := fault.All(err)
	require.True(t, ok)
	var fields []string
	for _, e := range list {
		fields = append(fields, e.Field...)
	}
	require.Equal(t, []string{"startDate", "endDate", "weekdays", "endTime", "durationMinutes", "timeZone"}, fields)
}

func requireInvalidAt(t require.TestingT, err error, field string) {
	list, ok := fault.All(err)
	require.True(t, ok)
	require.Len(t, list, 1)
	require.ErrorIs(t, list[0], fault.ErrInvalid)
	require.Equal(t, []string{field}, list[0].Field)
}

// expandZones change their clocks in every way there is: by an hour and half an hour, at midnight and at night, twice
// and four times a year.
var expandZones = []string{
	"Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Havana", "America/Los_Angeles",
	"America/New_York", "America/Nuuk", "America/Santiago", "America/Scoresbysund", "America/St_Johns",
	"Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Kathmandu", "Atlantic/Azores",
	"Australia/Adelaide", "Australia/Brisbane", "Australia/Lord_Howe", "Australia/Melbourne", "Australia/Sydney",
	"Europe/Chisinau", "Europe/Dublin", "Europe/London", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham",
	"Pacific/Easter", "Pacific/Norfolk", "UTC",
}

// daysOfChange returns the dates from 2025 to 2035 on which a zone's offset changes, found by looking at every sixth
// hour, and the last day of a leap year.
func daysOfChange(loc *time.Location) []civil.Date {
	if known, ok := daysOfChangeIn.Load(loc); ok {
		return known.([]civil.Date)
	}
	at, end := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	days := []civil.Date{{Year: 2028, Month: time.December, Day: 31}}
	_, was := at.In(loc).Zone()
	for ; at.Before(end); at = at.Add(6 * time.Hour) {
		_, offset := at.In(loc).Zone()
		if offset != was {
			days = append(days, civil.DateOf(at, loc))
		}
		was = offset
	}
	daysOfChangeIn.Store(loc, days)
	return days
}

var daysOfChangeIn sync.Map // *time.Location -> []civil.Date

// What a rule promises holds on the days around every change of clocks, whatever the times and lengths.
func TestExpand_HoldsAroundEveryTransition(t *testing.T) {
	t.Parallel()
	for _, name := range expandZones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc, err := civil.LoadZone(name)
			require.NoError(t, err)
			for _, day := range daysOfChange(loc) {
				shown := firstShown(day, loc)
				for _, length := range []int{15, 45, 90} {
					for _, start := range []int{0, 25} { // 25 and twice 45 is 01:55, just before most changes
						r := BulkRule{
							From: day.AddDays(-1), To: day.AddDays(1), Zone: loc,
							Start: civil.LocalTimeAt(start), End: civil.LocalTimeAt(1439),
							Length: time.Duration(length) * time.Minute,
						}
						list, err := Expand(r, longAgo, 2000)
						require.NoError(t, err)
						requirePromises(t, r, longAgo, list, shown)
					}
				}
			}
		})
	}
}

func TestExpand_HoldsForAnyRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc, err := civil.LoadZone(rapid.SampledFrom(expandZones).Draw(t, "zone"))
		require.NoError(t, err)
		day := rapid.SampledFrom(daysOfChange(loc)).Draw(t, "day of change")
		start := rapid.IntRange(0, 1438).Draw(t, "start")
		r := BulkRule{
			From: day.AddDays(-1), To: day.AddDays(1), Zone: loc,
			Weekdays: rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6),
				func(n int) time.Weekday { return time.Weekday(n) }), 0, 5).Draw(t, "weekdays"),
			Start:  civil.LocalTimeAt(start),
			End:    civil.LocalTimeAt(rapid.IntRange(start+1, 1439).Draw(t, "end")),
			Length: time.Duration(rapid.IntRange(1, 120).Draw(t, "minutes")) * time.Minute,
		}
		now := civil.StartOfDay(day, loc).Add(time.Duration(rapid.IntRange(-3000, 3000).Draw(t, "now")) * time.Minute)
		list, err := Expand(r, now, 5000)
		require.NoError(t, err)
		requirePromises(t, r, now, list, firstShown(day, loc))
	})
}

// firstShown returns, for each reading of the clocks of a zone around a date, the first minute that shows it: by
// looking at every minute.
func firstShown(day civil.Date, loc *time.Location) map[string]time.Time {
	first := map[string]time.Time{}
	at := time.Date(day.Year, day.Month, day.Day-2, 0, 0, 0, 0, time.UTC)
	for range 5 * 24 * 60 {
		reading := at.In(loc).Format("2006-01-02 15:04")
		if _, seen := first[reading]; !seen {
			first[reading] = at
		}
		at = at.Add(time.Minute)
	}
	return first
}

// requirePromises checks a list against what Expand and BulkRule say, with the readings of a clock as the judge.
func requirePromises(t require.TestingT, r BulkRule, now time.Time, list []Candidate, shown map[string]time.Time) {
	var want []string
	for d := r.From; !d.After(r.To); d = d.AddDays(1) {
		wanted := len(r.Weekdays) == 0
		for _, day := range r.Weekdays {
			wanted = wanted || day == d.Weekday()
		}
		length := int(r.Length.Minutes())
		for m := r.Start.Minutes(); wanted && m+length <= r.End.Minutes(); m += length {
			want = append(want, d.String()+" "+civil.LocalTimeAt(m).String())
		}
	}
	require.Len(t, list, len(want))

	var busyUntil time.Time
	for i, c := range list {
		reading := c.LocalDate.String() + " " + c.LocalStart.String()
		first, exists := shown[reading]
		ok := reading == want[i] && exists == (c.Skip != SkipNonexistentLocalTime) && c.StartsAt.Equal(first)
		if exists {
			isPast := !first.After(now)
			overlaps := first.Before(busyUntil) && !isPast
			ok = ok && c.EndsAt.Equal(first.Add(r.Length)) &&
				isPast == (c.Skip == SkipSlotInPast) && overlaps == (c.Skip == SkipSlotOverlap)
		}
		if c.Skip == "" {
			busyUntil = c.EndsAt
		}
		// Compared by hand: this is done a million times.
		if !ok {
			require.Fail(t, "a promise is broken", "%s: %+v, first shown at %s", want[i], c, first)
		}
	}
}
