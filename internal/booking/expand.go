package booking

import (
	"errors"
	"slices"
	"time"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

// SkipReason tells why a candidate cannot become a slot.
type SkipReason string

// The reasons; "" is none.
const (
	SkipNonexistentLocalTime SkipReason = "NONEXISTENT_LOCAL_TIME" // clocks are set forward over its start
	SkipSlotInPast           SkipReason = "SLOT_IN_PAST"           // it does not start after the present
	SkipSlotOverlap          SkipReason = "SLOT_OVERLAP"           // it meets an earlier candidate; callers add: or a slot
	SkipSlotBlocked          SkipReason = "SLOT_BLOCKED"           // the practitioner is on leave; found by callers
)

// Candidate is a slot that a bulk rule asks for, or the reason why it cannot be.
type Candidate struct {
	LocalDate  civil.Date      // in the rule's zone
	LocalStart civil.LocalTime // as the rule asks for it
	StartsAt   time.Time       // UTC; zero if the local start does not exist
	EndsAt     time.Time       // UTC, exclusive; zero if the local start does not exist
	Skip       SkipReason
}

// BulkRule asks for slots of one length in wall-clock steps of that length, from Start while a slot still ends by End,
// on every date From to To inclusive.
type BulkRule struct {
	From, To   civil.Date
	Weekdays   []time.Weekday  // empty = every day
	Start, End civil.LocalTime // of each date, on the wall clock; End after Start
	Length     time.Duration   // whole minutes
	Zone       *time.Location
}

// Validate reports everything that is wrong with the rule, by the input fields of createSlots.
func (r BulkRule) Validate() error {
	var problems []error
	at := func(wrong bool, err *fault.Error) {
		if wrong {
			problems = append(problems, err)
		}
	}
	at(!r.From.IsValid(), fault.InvalidAt("The start date is not a date.", "startDate"))
	at(!r.To.IsValid(), fault.InvalidAt("The end date is not a date.", "endDate"))
	at(r.From.IsValid() && r.To.IsValid() && r.To.Before(r.From),
		fault.InvalidAt("The end date is before the start date.", "endDate"))
	at(slices.ContainsFunc(r.Weekdays, func(day time.Weekday) bool { return day < time.Sunday || day > time.Saturday }),
		fault.InvalidAt("One of these is not a day of the week.", "weekdays"))
	at(!r.Start.IsValid(), fault.InvalidAt("The start time is not a time.", "startTime"))
	at(!r.End.IsValid(), fault.InvalidAt("The end time is not a time.", "endTime"))
	at(r.Start.IsValid() && r.End.IsValid() && r.End.Compare(r.Start) <= 0,
		fault.InvalidAt("The end time is not after the start time.", "endTime"))
	at(r.Length < time.Minute || r.Length%time.Minute != 0,
		fault.InvalidAt("The length is not a whole number of minutes.", "durationMinutes"))
	at(r.Zone == nil, civil.ErrUnknownTimeZone.At("timeZone"))
	return errors.Join(problems...)
}

// Expand lists the candidates of a rule in order of local date and start, skipped ones included; pure. A local start
// that clocks show twice is taken once, at the earlier instant. Every candidate lasts Length as measured, not as the
// wall clock shows it; so where clocks are set forward two candidates may meet, and the later is skipped.
//
// Errors: those of BulkRule.Validate, and fault.ErrInvalid if there are more than limit candidates, counted before
// anything is built.
func Expand(r BulkRule, now time.Time, limit int) ([]Candidate, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	days, starts := r.countDays(), r.countStarts()
	if days > 0 && starts > limit/days {
		return nil, fault.InvalidAt("These are too many slots for one call. Choose fewer dates.", "endDate")
	}
	list := make([]Candidate, 0, days*starts)
	if cap(list) == 0 {
		return list, nil // without a walk over thousands of years that have no candidate
	}
	var busyUntil time.Time // the end of the last candidate that is not skipped
	for d := r.From; !d.After(r.To); d = d.AddDays(1) {
		if !r.covers(d.Weekday()) {
			continue
		}
		for i := range starts {
			c := r.candidate(d, i, now, busyUntil)
			if c.Skip == "" {
				busyUntil = c.EndsAt
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// candidate is the i-th of a date.
func (r BulkRule) candidate(d civil.Date, i int, now, busyUntil time.Time) Candidate {
	c := Candidate{LocalDate: d, LocalStart: civil.LocalTimeAt(r.Start.Minutes() + i*r.lengthMinutes())}
	startsAt, exists := civil.Resolve(d, c.LocalStart, r.Zone)
	if !exists {
		c.Skip = SkipNonexistentLocalTime
		return c
	}
	c.StartsAt, c.EndsAt = startsAt, startsAt.Add(r.Length)
	switch {
	case !startsAt.After(now):
		c.Skip = SkipSlotInPast
	case startsAt.Before(busyUntil):
		c.Skip = SkipSlotOverlap
	}
	return c
}

// countStarts returns how many slots end by End on one date, as the wall clock counts.
func (r BulkRule) countStarts() int { return (r.End.Minutes() - r.Start.Minutes()) / r.lengthMinutes() }

// countDays returns how many dates the rule covers, by arithmetic: the range may be thousands of years.
func (r BulkRule) countDays() (n int) {
	all := r.From.DaysUntil(r.To) + 1
	weeks, rest := all/7, all%7
	for i := range 7 {
		if r.covers((r.From.Weekday() + time.Weekday(i)) % 7) {
			n += weeks
			if i < rest {
				n++
			}
		}
	}
	return n
}

func (r BulkRule) covers(day time.Weekday) bool {
	return len(r.Weekdays) == 0 || slices.Contains(r.Weekdays, day)
}

func (r BulkRule) lengthMinutes() int { return int(r.Length / time.Minute) }
