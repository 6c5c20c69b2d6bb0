package civil

import (
	"cmp"
	"io"
	"strconv"

	"github.com/caregraph/caregraph/internal/fault"
)

var errLocalTime = fault.ErrInvalid.Says("A local time is written as HH:MM, from 00:00 to 23:59.")

// LocalTime is what a wall clock shows, to the minute; on which date and where is told elsewhere. The zero LocalTime
// is midnight. There is no 24:00.
type LocalTime struct {
	Hour   int // 0 to 23
	Minute int // 0 to 59
}

// ParseLocalTime reads exactly HH:MM, from 00:00 to 23:59.
func ParseLocalTime(s string) (LocalTime, error) {
	if len(s) != len("HH:MM") || s[2] != ':' {
		return LocalTime{}, errLocalTime
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return LocalTime{}, errLocalTime
		}
	}
	lt := LocalTime{Hour: int(s[0]-'0')*10 + int(s[1]-'0'), Minute: int(s[3]-'0')*10 + int(s[4]-'0')}
	if !lt.IsValid() {
		return LocalTime{}, errLocalTime
	}
	return lt, nil
}

// LocalTimeAt returns the local time that is this many minutes after 00:00; it is not valid below 0 and from 1440.
func LocalTimeAt(minutes int) LocalTime { return LocalTime{Hour: minutes / 60, Minute: minutes % 60} }

// IsValid tells whether a clock can show this.
func (lt LocalTime) IsValid() bool {
	return lt.Hour >= 0 && lt.Hour <= 23 && lt.Minute >= 0 && lt.Minute <= 59
}

// String returns HH:MM.
func (lt LocalTime) String() string {
	b := make([]byte, 0, len("HH:MM"))
	b = appendPadded(b, lt.Hour, 2)
	b = append(b, ':')
	return string(appendPadded(b, lt.Minute, 2))
}

// Minutes returns the minutes from 00:00 as the clock face counts them, which is not always how long the day has
// lasted.
func (lt LocalTime) Minutes() int { return lt.Hour*60 + lt.Minute }

// Compare returns -1 if lt is earlier on the clock face than other, 0 if they are the same, 1 if it is later.
func (lt LocalTime) Compare(other LocalTime) int { return cmp.Compare(lt.Minutes(), other.Minutes()) }

// MarshalText writes HH:MM, also in JSON; an error if the time is not valid.
func (lt LocalTime) MarshalText() ([]byte, error) {
	if !lt.IsValid() {
		return nil, errLocalTime
	}
	return []byte(lt.String()), nil
}

// UnmarshalText reads what MarshalText writes, as strictly as ParseLocalTime.
func (lt *LocalTime) UnmarshalText(text []byte) error {
	parsed, err := ParseLocalTime(string(text))
	if err != nil {
		return err
	}
	*lt = parsed
	return nil
}

// MarshalGQL writes the GraphQL scalar LocalTime.
func (lt LocalTime) MarshalGQL(w io.Writer) {
	// gqlgen gives this method no way to fail; an error of the connection shows when the answer is flushed.
	_, _ = io.WriteString(w, strconv.Quote(lt.String()))
}

// UnmarshalGQL reads the GraphQL scalar LocalTime, which must be a string.
func (lt *LocalTime) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return errLocalTime
	}
	return lt.UnmarshalText([]byte(s))
}
