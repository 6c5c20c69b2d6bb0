package civil_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

func local(t require.TestingT, s string) civil.LocalTime {
	lt, err := civil.ParseLocalTime(s)
	require.NoError(t, err)
	return lt
}

func TestLocalTime_EveryMinuteOfADayRoundTrips(t *testing.T) {
	t.Parallel()
	for minutes := range 24 * 60 {
		s := fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
		lt := local(t, s)
		require.Equal(t, s, lt.String())
		require.Equal(t, minutes, lt.Minutes())
		require.Equal(t, lt, civil.LocalTimeAt(minutes))
		require.True(t, lt.IsValid())
	}
	require.False(t, civil.LocalTimeAt(24*60).IsValid())
	require.False(t, civil.LocalTimeAt(-1).IsValid())
}

func TestLocalTime_Compare(t *testing.T) {
	t.Parallel()
	require.Equal(t, -1, local(t, "09:59").Compare(local(t, "10:00")))
	require.Equal(t, 0, local(t, "10:00").Compare(local(t, "10:00")))
	require.Equal(t, 1, local(t, "10:01").Compare(local(t, "10:00")))
}

func TestParseLocalTime_Refuses(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"nothing":                  "",
		"one-digit hour":           "9:00",
		"one-digit minute":         "09:0",
		"seconds":                  "09:00:00",
		"hour 24":                  "24:00",
		"minute 60":                "09:60",
		"no colon":                 "09.00",
		"a sign":                   "+9:00",
		"letters":                  "ab:cd",
		"a colon for a digit":      "0::00",
		"a blank before it":        " 9:00",
		"a blank behind it":        "09:00 ",
		"digits of another script": "٠٩:٠٠",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := civil.ParseLocalTime(s)
			require.ErrorIs(t, err, fault.ErrInvalid)
		})
	}
}

func TestLocalTime_JSONAndGraphQL(t *testing.T) {
	t.Parallel()
	want := local(t, "09:05")
	text, err := json.Marshal(want)
	require.NoError(t, err)
	require.Equal(t, `"09:05"`, string(text))
	var got civil.LocalTime
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, want, got)
	require.ErrorIs(t, json.Unmarshal([]byte(`"9:05"`), &got), fault.ErrInvalid)
	_, err = json.Marshal(civil.LocalTime{Hour: 24})
	require.ErrorIs(t, err, fault.ErrInvalid)

	var out bytes.Buffer
	want.MarshalGQL(&out)
	require.Equal(t, `"09:05"`, out.String())
	require.NoError(t, got.UnmarshalGQL("23:59"))
	require.Equal(t, local(t, "23:59"), got)
	for _, v := range []any{"09:05:00", 905, nil} {
		require.ErrorIs(t, got.UnmarshalGQL(v), fault.ErrInvalid)
	}
}
