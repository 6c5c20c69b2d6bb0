package sandbox_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/payment/sandbox"
	"github.com/caregraph/caregraph/internal/testkit"
)

// delivery is what went over the wire.
type delivery struct {
	header http.Header
	body   []byte
}

// capture returns the delivery of a payment, the clock, and the order it is about.
func capture(t *testing.T) (p *sandbox.Provider, d delivery, clk *clock.Fake, orderID uuid.UUID) {
	t.Helper()
	clk = clock.NewFake(testkit.Start.Add(700 * time.Millisecond))
	k := newKit(t, testkit.Open(t, testkit.SQLite, clk), clk)
	k.SetDeliver(func(_ context.Context, header http.Header, body []byte) (int, error) {
		d = delivery{header, body}
		return http.StatusOK, nil
	})
	orderID, c := k.open()
	k.click(c.Ref, "pay")
	return k.Provider, d, clk, orderID
}

func TestParseEvent_ReadsWhatWasSigned(t *testing.T) {
	t.Parallel()
	p, d, _, orderID := capture(t)
	e, err := p.ParseEvent(t.Context(), d.header, d.body)
	require.NoError(t, err)
	require.Regexp(t, `^evt_cs_sandbox_[a-z2-7]{26}_paid$`, e.ID)
	require.Regexp(t, `^pi_sandbox_[a-z2-7]{26}$`, e.PaymentRef)
	e.ID, e.PaymentRef = "", ""
	require.Equal(t, payment.Event{
		Type: payment.CheckoutCompleted, OrderID: orderID, IsPaid: true, Amount: money.Amount{Minor: 8000, Currency: "AUD"}, FeeMinor: 170,
	}, e)
}

func TestParseEvent_Refuses(t *testing.T) {
	t.Parallel()
	p, d, _, _ := capture(t)
	signature := d.header.Get("Sandbox-Signature")
	stamp, mac, found := strings.Cut(signature, ",")
	require.True(t, found)
	altered := slices.Clone(d.body)
	altered[len(altered)/2] ^= 1
	for name, c := range map[string]struct {
		header string
		body   []byte
	}{
		"no signature":              {"", d.body},
		"no time":                   {mac, d.body},
		"no code":                   {stamp, d.body},
		"an empty code":             {stamp + ",v1=", d.body},
		"half a code":               {signature[:len(signature)-32], d.body},
		"something behind the code": {signature + "zz", d.body},
		"another code":              {stamp + ",v1=" + strings.Repeat("00", 32), d.body},
		"another time":              {"t=1736899201," + mac, d.body},
		"another scheme":            {strings.Replace(signature, "v1=", "v0=", 1), d.body},
		"an altered body":           {signature, altered},
		"a longer body":             {signature, append(slices.Clone(d.body), ' ')},
		"no body":                   {signature, nil},
		"a body without end":        {signature, append(slices.Clone(d.body), make([]byte, 64<<10)...)},
	} {
		_, err := p.ParseEvent(t.Context(), http.Header{"Sandbox-Signature": {c.header}}, c.body)
		require.ErrorIs(t, err, payment.ErrSignature, name)
	}
	_, err := newProvider(nil, []byte("the secret of somebody else")).ParseEvent(t.Context(), d.header, d.body)
	require.ErrorIs(t, err, payment.ErrSignature, "another secret")
}

func TestParseEvent_AgeIsBoundedOnBothSides(t *testing.T) {
	t.Parallel()
	p, d, clk, _ := capture(t)
	signedAt := clk.Now()
	for _, c := range []struct {
		name  string
		later time.Duration
		good  bool
	}{
		{"five minutes old", 5 * time.Minute, true},
		{"a second older", 5*time.Minute + time.Second, false},
		{"five minutes early", -5 * time.Minute, true},
		{"a second earlier", -5*time.Minute - time.Second, false},
		{"years old", 20 * 365 * 24 * time.Hour, false},
	} {
		clk.Set(signedAt.Add(c.later))
		_, err := p.ParseEvent(t.Context(), d.header, d.body)
		if c.good {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorIs(t, err, payment.ErrSignature, c.name)
		}
	}
}
