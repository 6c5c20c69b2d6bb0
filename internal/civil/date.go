package civil

import (
	"cmp"
	"io"
	"strconv"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

const dateLayout = "2006-01-02"

var errDate = fault.ErrInvalid.Says("A date is written as YYYY-MM-DD and must exist in the calendar.")

// Date is a day of the Gregorian calendar, the same everywhere. The zero Date is not valid. Dates can be compared
// with == and be keys of a map.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int // 1 to 31
}

// ParseDate reads exactly YYYY-MM-DD; it refuses any other notation and days that the calendar does not have.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil {
		return Date{}, errDate
	}
	d := DateOf(t, time.UTC)
	if !d.IsValid() {
		return Date{}, errDate
	}
	return d, nil
}

// DateOf returns the date that calendars in loc show at the instant t.
func DateOf(t time.Time, loc *time.Location) Date {
	year, month, day := t.In(loc).Date()
	return Date{Year: year, Month: month, Day: day}
}

// IsValid tells whether the calendar has this day, in the years 1 to 9999 that YYYY-MM-DD can express.
func (d Date) IsValid() bool {
	return d.Year >= 1 && d.Year <= 9999 && DateOf(d.midnightUTC(), time.UTC) == d
}

// String returns YYYY-MM-DD.
func (d Date) String() string {
	b := make([]byte, 0, len(dateLayout))
	b = appendPadded(b, d.Year, 4)
	b = append(b, '-')
	b = appendPadded(b, int(d.Month), 2)
	b = append(b, '-')
	return string(appendPadded(b, d.Day, 2))
}

// AddDays returns the date n days later, or earlier if n is negative. The result is not valid where it leaves the
// years 1 to 9999.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// DaysUntil returns how many days later other is; negative if it is earlier.
func (d Date) DaysUntil(other Date) int {
	const secondsPerDay = 24 * 60 * 60 // in UTC, where no day is longer
	return int((other.midnightUTC().Unix() - d.midnightUTC().Unix()) / secondsPerDay)
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.midnightUTC().Weekday() }

// Compare returns -1 if d is before other, 0 if they are the same day, 1 if d is after other.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// Before tells whether d is an earlier day than other.
func (d Date) Before(other Date) bool { return d.Compare(other) < 0 }

// After tells whether d is a later day than other.
func (d Date) After(other Date) bool { return d.Compare(other) > 0 }

// MarshalText writes YYYY-MM-DD, also in JSON; an error if the date is not valid.
func (d Date) MarshalText() ([]byte, error) {
	if !d.IsValid() {
		return nil, errDate
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes, as strictly as ParseDate.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// MarshalGQL writes the GraphQL scalar Date.
func (d Date) MarshalGQL(w io.Writer) {
	// gqlgen gives this method no way to fail; an error of the connection shows when the answer is flushed.
	_, _ = io.WriteString(w, strconv.Quote(d.String()))
}

// UnmarshalGQL reads the GraphQL scalar Date, which must be a string.
func (d *Date) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return errDate
	}
	return d.UnmarshalText([]byte(s))
}

// midnightUTC stands for the date in calculations that know no zone.
func (d Date) midnightUTC() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// appendPadded appends n with zeros before it up to the width.
func appendPadded(b []byte, n, width int) []byte {
	s := strconv.Itoa(n)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}
