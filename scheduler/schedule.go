package scheduler

import (
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/caregraph/caregraph/internal/civil"
)

// Schedule says at which instants a job is due. It is made by Every, Daily, Weekly or Monthly, and is one of the calendar in a zone; see In.
type Schedule struct {
	every   time.Duration // of Every; zero for those of the calendar
	at      civil.LocalTime
	weekday *time.Weekday // of Weekly
	day     int           // of Monthly
	zone    *time.Location
}

// Every is due every d, a whole number of minutes, counted from the beginning of 1970 in UTC: no change of clocks moves it.
func Every(d time.Duration) Schedule { return Schedule{every: d, zone: time.UTC} }

// Daily is due every day at the local time.
func Daily(at civil.LocalTime) Schedule { return Schedule{at: at, zone: time.UTC} }

// Weekly is due on one day of the week at the local time.
func Weekly(day time.Weekday, at civil.LocalTime) Schedule {
	return Schedule{at: at, weekday: &day, zone: time.UTC}
}

// Monthly is due on one day of the month, on the last one of months that are shorter, at the local time.
func Monthly(day int, at civil.LocalTime) Schedule {
	return Schedule{at: at, day: day, zone: time.UTC}
}

// In returns the schedule with the calendar and the clocks of the zone.
func (s Schedule) In(zone *time.Location) Schedule {
	s.zone = zone
	return s
}

func (s Schedule) validate() error {
	switch {
	case s.zone == nil:
		return errors.New("it is not one of Every, Daily, Weekly and Monthly")
	case s.every < 0 || s.every%time.Minute != 0:
		return fmt.Errorf("every %s is not a whole number of minutes", s.every)
	case s.day < 0 || s.day > 31 || !s.at.IsValid():
		return fmt.Errorf("there is no day %d, or no time %s", s.day, s.at)
	}
	return nil
}

// Next returns the first occurrence after the instant.
func (s Schedule) Next(after time.Time) time.Time {
	if s.every > 0 {
		return s.floor(after).Add(s.every)
	}
	for d := civil.DateOf(after, s.zone); ; d = d.AddDays(1) {
		if t := s.on(d); t.After(after) {
			return t
		}
	}
}

// Last returns the newest occurrence that is not after the instant.
func (s Schedule) Last(until time.Time) time.Time {
	if s.every > 0 {
		return s.floor(until)
	}
	// The next day may have been due already, where clocks were set back over its first minutes.
	for d := civil.DateOf(until, s.zone).AddDays(1); ; d = d.AddDays(-1) {
		if t := s.on(d); !t.IsZero() && !t.After(until) {
			return t
		}
	}
}

// On returns the first occurrence of a date; false when there is none.
func (s Schedule) On(d civil.Date) (time.Time, bool) {
	if s.every > 0 {
		t := s.Next(civil.StartOfDay(d, s.zone).Add(-instant))
		return t, civil.DateOf(t, s.zone) == d
	}
	t := s.on(d)
	return t, !t.IsZero()
}

// instant is the smallest step of time that is stored.
const instant = time.Microsecond

// isAt tells whether the instant is an occurrence.
func (s Schedule) isAt(t time.Time) bool { return s.Last(t).Equal(t) }

// before returns the occurrence before one.
func (s Schedule) before(t time.Time) time.Time { return s.Last(t.Add(-instant)) }

// count returns how many occurrences there are from one to another.
func (s Schedule) count(first, last time.Time) (n int) {
	if s.every > 0 {
		return int(last.Sub(first)/s.every) + 1
	}
	for t := first; !t.After(last); t = s.Next(t) {
		n++
	}
	return n
}

// date is the one that an occurrence belongs to: it may be due after its midnight.
func (s Schedule) date(t time.Time) civil.Date {
	d := civil.DateOf(t, s.zone)
	if before := d.AddDays(-1); s.every == 0 && !s.on(d).Equal(t) && s.on(before).Equal(t) {
		return before
	}
	return d
}

// floor counts in seconds: durations end after 292 years.
func (s Schedule) floor(t time.Time) time.Time {
	step, seconds := int64(s.every/time.Second), t.Unix()
	rest := seconds % step
	if rest < 0 {
		rest += step
	}
	return time.Unix(seconds-rest, 0).UTC()
}

// on returns the occurrence of a date by the calendar; the zero time when there is none.
func (s Schedule) on(d civil.Date) time.Time {
	switch {
	case s.weekday != nil && d.Weekday() != *s.weekday:
		return time.Time{}
	case s.day > 0 && d.Day != s.day && (d.Day > s.day || d.AddDays(1).Day != 1):
		return time.Time{}
	}
	if t, ok := civil.Resolve(d, s.at, s.zone); ok {
		return t
	}
	return s.afterGap(d)
}

// afterGap returns the first instant at which clocks show more than a local time that they skip. No gap is longer than a day.
func (s Schedule) afterGap(d civil.Date) time.Time {
	skipped := time.Date(d.Year, d.Month, d.Day, s.at.Hour, s.at.Minute, 0, 0, time.UTC)
	const reach = 2 * 24 * 60 * 60
	from := skipped.Add(-reach * time.Second)
	n := sort.Search(2*reach, func(i int) bool {
		shown := from.Add(time.Duration(i) * time.Second).In(s.zone)
		_, offset := shown.Zone()
		return shown.Add(time.Duration(offset) * time.Second).After(skipped)
	})
	return from.Add(time.Duration(n) * time.Second)
}

// String says it in words.
func (s Schedule) String() string {
	switch {
	case s.every == time.Minute:
		return "every minute"
	case s.every == time.Hour:
		return "every hour"
	case s.every%time.Hour == 0 && s.every > 0:
		return fmt.Sprintf("every %d hours", s.every/time.Hour)
	case s.every > 0:
		return fmt.Sprintf("every %d minutes", s.every/time.Minute)
	case s.weekday != nil:
		return fmt.Sprintf("every %s at %s", s.weekday, s.at)
	case s.day > 0:
		return fmt.Sprintf("on day %d of every month at %s", s.day, s.at)
	default:
		return fmt.Sprintf("every day at %s", s.at)
	}
}
