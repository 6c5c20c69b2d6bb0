package civil

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"time"
)

// midnightTail is what the drivers append to a date: a midnight, with or without seconds and zone, in the notations
// of RFC 3339, PostgreSQL, SQLite and time.Time.String.
var midnightTail = regexp.MustCompile(`^[T ]00:00(:00(\.0+)?)?( ?(Z|[+-]\d\d(:?\d\d)?))?( [A-Z]{3,5})?$`)

// Value writes the date as the text YYYY-MM-DD on both engines; an error if the date is not valid.
func (d Date) Value() (driver.Value, error) {
	if !d.IsValid() {
		return nil, errDate
	}
	return d.String(), nil
}

// Scan reads a date column: text, with or without a midnight behind the date (SQLite), or a time.Time at midnight
// (PostgreSQL). An instant with any other time of day is refused, because its date depends on a zone that the
// column does not tell. So is NULL: read it into a *Date or a sql.Null[Date].
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return d.scanText(v)
	case []byte:
		return d.scanText(string(v))
	case time.Time:
		if h, m, s := v.Clock(); h|m|s|v.Nanosecond() != 0 {
			return errScan("a time.Time that is not midnight")
		}
		// As the driver shows it, whatever zone it chose: the column has none.
		scanned := DateOf(v, v.Location())
		if !scanned.IsValid() {
			return errScan("a time.Time outside the years 1 to 9999")
		}
		*d = scanned
		return nil
	default:
		return errScan(fmt.Sprintf("%T", src))
	}
}

func (d *Date) scanText(s string) error {
	if len(s) > len(dateLayout) && midnightTail.MatchString(s[len(dateLayout):]) {
		s = s[:len(dateLayout)]
	}
	parsed, err := ParseDate(s)
	if err != nil {
		return errScan("text of another form")
	}
	*d = parsed
	return nil
}

// errScan is a fault of ours or of the data and no client's, so it is no *fault.Error; it does not repeat the value,
// which may be a date of birth.
func errScan(what string) error { return fmt.Errorf("civil: a date column holds %s", what) }
