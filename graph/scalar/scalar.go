// Package scalar binds the API's scalars and hand-written enums to Go types.
package scalar

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
)

// MarshalID writes an id.
func MarshalID(id uuid.UUID) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { writeQuoted(w, id.String()) })
}

// UnmarshalID reads an id. Ids are opaque: a malformed one is the id of nothing, as an unknown one is, and no error.
func UnmarshalID(v any) (uuid.UUID, error) {
	text, ok := v.(string)
	if !ok || len(text) != 36 {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, nil
	}
	return id, nil
}

// MarshalDateTime writes an instant in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { writeQuoted(w, t.UTC().Format(time.RFC3339Nano)) })
}

// UnmarshalDateTime reads an instant of the years 0001 to 9999 in RFC 3339 form; digits beyond microseconds are cut.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok || len(text) > 40 {
		return time.Time{}, fault.ErrInvalid.Says("A DateTime is a string in RFC 3339 form.")
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return time.Time{}, fault.ErrInvalid.Says("A DateTime is a string in RFC 3339 form, as 2025-01-31T09:00:00Z.")
	}
	return clock.Instant(t), nil
}

// MarshalErrorCode writes a code.
func MarshalErrorCode(c fault.Code) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { writeQuoted(w, string(c)) })
}

// UnmarshalErrorCode reads a code; no input has one.
func UnmarshalErrorCode(v any) (fault.Code, error) {
	text, ok := v.(string)
	if !ok {
		return "", fault.ErrInvalid.Says("An ErrorCode is a name.")
	}
	return fault.Code(text), nil
}

// MarshalWeekday writes a day of the week.
func MarshalWeekday(d time.Weekday) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { writeQuoted(w, strings.ToUpper(d.String())) })
}

// UnmarshalWeekday reads a day of the week.
func UnmarshalWeekday(v any) (time.Weekday, error) {
	text, _ := v.(string)
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.ToUpper(d.String()) == text {
			return d, nil
		}
	}
	return 0, fault.ErrInvalid.Says("A Weekday is one of MONDAY to SUNDAY.")
}

func writeQuoted(w io.Writer, s string) {
	_, _ = io.WriteString(w, strconv.Quote(s)) // the writer is a buffer
}
