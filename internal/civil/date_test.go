package civil_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

func date(t require.TestingT, s string) civil.Date {
	d, err := civil.ParseDate(s)
	require.NoError(t, err)
	return d
}

var anyDate = rapid.Custom(func(t *rapid.T) civil.Date {
	return civil.Date{Year: 1, Month: time.January, Day: 1}.AddDays(rapid.IntRange(0, 3652058).Draw(t, "days"))
})

func TestParseDate_Refuses(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"nothing":                        "",
		"one-digit month":                "2025-1-15",
		"one-digit day":                  "2025-01-5",
		"two-digit year":                 "25-01-15",
		"five-digit year":                "12025-01-15",
		"other separators":               "2025/01/15",
		"day first":                      "15-01-2025",
		"a time behind it":               "2025-01-15T00:00:00Z",
		"a blank behind it":              "2025-01-15 ",
		"a sign":                         "-025-01-15",
		"the year 0":                     "0000-01-01",
		"month 13":                       "2025-13-01",
		"31 April":                       "2025-04-31",
		"29 February of no leap year":    "2025-02-29",
		"29 February of a century":       "1900-02-29",
		"digits of another script":       "２０２５-01-15",
		"a null byte in place of a dash": "2025\x0001-15",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := civil.ParseDate(s)
			require.ErrorIs(t, err, fault.ErrInvalid)
		})
	}
}

func TestDate_TheEdgesOfTheCalendarAreValid(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0001-01-01", "2024-02-29", "2000-02-29", "9999-12-31"} {
		require.Equal(t, s, date(t, s).String())
	}
	require.False(t, civil.Date{}.IsValid())
	require.False(t, date(t, "9999-12-31").AddDays(1).IsValid())
	require.False(t, date(t, "0001-01-01").AddDays(-1).IsValid())
	require.False(t, civil.Date{Year: 2025, Month: 2, Day: 29}.IsValid())
}

func TestDate_CalendarArithmetic(t *testing.T) {
	t.Parallel()
	require.Equal(t, date(t, "2024-02-29"), date(t, "2024-02-28").AddDays(1))
	require.Equal(t, date(t, "2025-03-01"), date(t, "2025-02-28").AddDays(1))
	require.Equal(t, date(t, "2024-12-31"), date(t, "2025-01-01").AddDays(-1))
	require.Equal(t, 366, date(t, "2024-01-01").DaysUntil(date(t, "2025-01-01")))
	require.Equal(t, -1, date(t, "2025-01-01").DaysUntil(date(t, "2024-12-31")))
	require.Equal(t, time.Wednesday, date(t, "2025-01-15").Weekday())
	require.True(t, date(t, "2024-12-31").Before(date(t, "2025-01-01")))
	require.True(t, date(t, "2025-02-01").After(date(t, "2025-01-31")))
}

func TestDate_ArithmeticIsConsistent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyDate.Draw(t, "a"), anyDate.Draw(t, "b")
		require.True(t, a.IsValid())
		require.Equal(t, a, date(t, a.String()))
		require.Equal(t, b, a.AddDays(a.DaysUntil(b)))
		require.Equal(t, a.Compare(b), -b.Compare(a))
		require.Equal(t, a.Before(b), a.DaysUntil(b) > 0)
		require.Equal(t, a.After(b), a.DaysUntil(b) < 0)
		require.Equal(t, (a.Weekday()+1)%7, a.AddDays(1).Weekday())
	})
}

func TestDateOf_DependsOnTheZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 1, 15, 22, 0, 0, 0, time.UTC)
	require.Equal(t, date(t, "2025-01-16"), civil.DateOf(at, zone(t, "Australia/Sydney")))
	require.Equal(t, date(t, "2025-01-15"), civil.DateOf(at, zone(t, "America/New_York")))
}

func TestDate_ScanAcceptsWhatTheDriversGive(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]any{
		"text":                          "2025-01-15",
		"bytes":                         []byte("2025-01-15"),
		"RFC 3339":                      "2025-01-15T00:00:00Z",
		"bytes with RFC 3339":           []byte("2025-01-15T00:00:00Z"),
		"SQLite's form":                 "2025-01-15 00:00:00+00:00",
		"PostgreSQL's form":             "2025-01-15 00:00:00+00",
		"fractions of a second":         "2025-01-15 00:00:00.000",
		"no seconds":                    "2025-01-15T00:00",
		"Go's form":                     "2025-01-15 00:00:00 +0000 UTC",
		"a time in UTC":                 time.Date(2025, 1, 15, 0, 0, 0, 0, time.UTC),
		"a time in a zone without name": time.Date(2025, 1, 15, 0, 0, 0, 0, time.FixedZone("", 0)),
		"a time in a zone east of UTC":  time.Date(2025, 1, 15, 0, 0, 0, 0, time.FixedZone("", 11*3600)),
		"a time in a zone west of UTC":  time.Date(2025, 1, 15, 0, 0, 0, 0, time.FixedZone("", -8*3600)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d civil.Date
			require.NoError(t, d.Scan(src))
			require.Equal(t, date(t, "2025-01-15"), d)
		})
	}
}

func TestDate_ScanRefusesWhatIsNoDate(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]any{
		"NULL":                           nil,
		"a number":                       int64(20250115),
		"nothing":                        "",
		"another form":                   "15/01/2025",
		"text with a time of day":        "2025-01-15T10:30:00Z",
		"text with a second of a day":    "2025-01-15T00:00:01Z",
		"text with rubbish behind":       "2025-01-15 tomorrow",
		"a midnight with rubbish behind": "2025-01-15T00:00:00Z or so",
		"a year before Christ":           "0044-03-15 BC",
		"a time with a time of day":      time.Date(2025, 1, 15, 10, 30, 0, 0, time.UTC),
		"a time outside the years":       time.Date(12025, 1, 15, 0, 0, 0, 0, time.UTC),
		"a time a nanosecond from it":    time.Date(2025, 1, 15, 0, 0, 0, 1, time.UTC),
		"a midnight of no existing date": "2025-02-30 00:00:00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := date(t, "1999-12-31")
			d := before
			err := d.Scan(src)
			require.Error(t, err)
			require.Equal(t, before, d, "a failed scan leaves the date alone")
			if s, ok := src.(string); ok && s != "" {
				require.NotContains(t, err.Error(), s)
			}
		})
	}
}

func TestDate_ValueIsText(t *testing.T) {
	t.Parallel()
	v, err := date(t, "2025-01-15").Value()
	require.NoError(t, err)
	require.Equal(t, "2025-01-15", v)
	_, err = civil.Date{}.Value()
	require.ErrorIs(t, err, fault.ErrInvalid)
}

func TestDate_JSONAndGraphQL(t *testing.T) {
	t.Parallel()
	type document struct {
		On   civil.Date
		From *civil.Date
		By   map[civil.Date]int
	}
	want := document{On: date(t, "2025-01-15"), By: map[civil.Date]int{date(t, "2024-02-29"): 1}}
	text, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, `{"On":"2025-01-15","From":null,"By":{"2024-02-29":1}}`, string(text))
	var got document
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, want, got)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"On":"2025-02-29"}`), &got), fault.ErrInvalid)
	_, err = json.Marshal(civil.Date{})
	require.ErrorIs(t, err, fault.ErrInvalid)

	var out bytes.Buffer
	want.On.MarshalGQL(&out)
	require.Equal(t, `"2025-01-15"`, out.String())
	var d civil.Date
	require.NoError(t, d.UnmarshalGQL("2025-01-15"))
	require.Equal(t, want.On, d)
	for _, v := range []any{"2025-01-15T00:00:00Z", 20250115, nil, []byte("2025-01-15")} {
		require.ErrorIs(t, d.UnmarshalGQL(v), fault.ErrInvalid)
	}
}
