package sandbox

import (
	"math"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

func TestFee(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		minor    int64
		currency string
		want     int64
	}{
		{"80.00 AUD", 8000, "AUD", 170},
		{"50.00 AUD: half a cent is rounded up", 5000, "AUD", 118},
		{"49.99 AUD: less is rounded down", 4999, "AUD", 117},
		{"one cent", 1, "AUD", 30},
		{"1000 JPY: no digits", 1000, "JPY", 18},
		{"1.000 BHD: three digits", 1000, "BHD", 318},
	} {
		require.Equal(t, c.want, fee(c.minor, c.currency), c.name)
	}
}

func TestFee_IsExactForEveryAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Int64Range(1, math.MaxInt64).Draw(t, "minor")
		want := new(big.Int).Mul(big.NewInt(minor), big.NewInt(175))
		want.Add(want, big.NewInt(300_000+5_000)).Div(want, big.NewInt(10_000))
		require.Equal(t, want.Int64(), fee(minor, "AUD"))
	})
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Second:                   "less than a minute",
		time.Minute:                   "1 minute",
		15*time.Minute - 1:            "14 minutes",
		time.Hour:                     "1 hour",
		time.Hour + time.Minute:       "1 hour 1 minute",
		23*time.Hour + 59*time.Minute: "23 hours 59 minutes",
		48*time.Hour + 30*time.Minute: "2 days",
		-time.Minute:                  "less than a minute",
	} {
		require.Equal(t, want, inWords(d), d.String())
	}
}

func TestInZones(t *testing.T) {
	t.Parallel()
	brisbane, err := time.LoadLocation("Australia/Brisbane")
	require.NoError(t, err)
	newYear := time.Date(2025, time.December, 31, 23, 30, 0, 0, time.UTC)
	require.Equal(t, "1 January 2026, 09:30\u00a0AEST (31 December, 23:30\u00a0UTC)", inZones(newYear, brisbane))
	require.Equal(t, "1 January 2026, 12:30\u00a0AEST (02:30\u00a0UTC)", inZones(newYear.Add(3*time.Hour), brisbane))
	require.Equal(t, "31 December 2025, 23:30\u00a0UTC", inZones(newYear, time.UTC))
}

// parseSigned lets a provider read a body that it signed itself.
func parseSigned(t *testing.T, body string) (payment.Event, error) {
	clk := clock.NewFake(time.Date(2025, time.January, 15, 0, 0, 0, 0, time.UTC))
	p := &Provider{db: &store.DB{Clock: clk}, secret: []byte("secret")}
	header := http.Header{}
	header.Set(signatureHeader, p.sign(clk.Now(), []byte(body)))
	return p.ParseEvent(t.Context(), header, []byte(body))
}

func TestParseEvent_ReturnsUnknownTypesAsTheyAre(t *testing.T) {
	t.Parallel()
	e, err := parseSigned(t, `{"id":"evt_1","type":"customer.created","data":{"object":{"metadata":{"order_id":"nobody's"}}},"more":[1]}`)
	require.NoError(t, err)
	require.Equal(t, payment.Event{ID: "evt_1", Type: "customer.created", OrderID: uuid.Nil}, e)
}

func TestParseEvent_RefusesASignedBodyThatIsNoEvent(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no id": `{"type":"customer.created"}`, "no end": `{"id":"evt_1"`, "a list": `[]`, "nothing": ``,
		"too large": `{"id":"evt_1","type":"` + strings.Repeat("x", 64<<10) + `"}`,
	} {
		_, err := parseSigned(t, body)
		require.ErrorIs(t, err, payment.ErrSignature, name)
	}
}
