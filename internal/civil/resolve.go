package civil

import (
	"sort"
	"time"
)

// Resolve returns the instant at which wall clocks in loc show lt:00 on the date d: the earlier one where clocks are
// set back over it and show it twice. It is not ok where clocks are set forward over it and never show it, and if d
// or lt is not valid.
func Resolve(d Date, lt LocalTime, loc *time.Location) (instant time.Time, ok bool) {
	if !d.IsValid() || !lt.IsValid() {
		return time.Time{}, false
	}
	wall := wallSeconds(d, lt)
	// Of a reading that is shown twice, the offset before the change gives the earlier instant.
	for _, offset := range []int64{offsetAt(wall-reach, loc), offsetAt(wall+reach, loc)} {
		if at := wall - offset; offsetAt(at, loc) == offset {
			return time.Unix(at, 0).UTC(), true
		}
	}
	return time.Time{}, false
}

// StartOfDay returns the first instant of the date d in loc: local midnight, the earlier one of two, or where clocks
// are set forward over midnight the first instant after that. Where they are set forward over all of d it is the
// start of the next day, so that d is empty: [StartOfDay(d), StartOfDay(d+1)) holds nothing. The zero time if d is
// not valid.
func StartOfDay(d Date, loc *time.Location) time.Time {
	if !d.IsValid() {
		return time.Time{}
	}
	if midnight, ok := Resolve(d, LocalTime{}, loc); ok {
		return midnight
	}
	wall := wallSeconds(d, LocalTime{})
	// Since no clock shows midnight, clocks jump over it once: before that they show less, and then more.
	jump := sort.Search(int(2*reach), func(i int) bool {
		at := wall - reach + int64(i)
		return at+offsetAt(at, loc) > wall
	})
	return time.Unix(wall-reach+int64(jump), 0).UTC()
}

// reach is farther than any zone has ever been from UTC (15:57 hours, before 1900), in seconds. No zone has ever changed
// its offset twice within four days, let alone within twice the reach: around a reading there are at most two offsets.
const reach = int64(16 * 60 * 60)

// offsetAt returns local time minus UTC at an instant, in seconds. Time.ZoneBounds would tell the change itself,
// but it is wrong where a zone's rules are given as a formula, as they are in the embedded database: south of the
// equator the last day of a leap year has an end that is not after its beginning.
func offsetAt(at int64, loc *time.Location) int64 {
	_, offset := time.Unix(at, 0).In(loc).Zone()
	return int64(offset)
}

// wallSeconds counts the seconds a clock face would have shown since 1970-01-01 00:00, had it never been changed.
func wallSeconds(d Date, lt LocalTime) int64 { return d.midnightUTC().Unix() + int64(lt.Minutes())*60 }
