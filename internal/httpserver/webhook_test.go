package httpserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/httpserver"
	"github.com/caregraph/caregraph/internal/payment"
)

type ipKey struct{}

func TestWebhook(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", 256<<10)
	cases := map[string]struct {
		body   string
		err    error
		status int
		code   string
	}{
		"taken":                       {"{\"raw\": \x00 1}", nil, 200, ""},
		"as large as allowed":         {full, nil, 200, ""},
		"too large":                   {full + "x", nil, 413, "PAYLOAD_TOO_LARGE"},
		"a wrong signature":           {"{}", fmt.Errorf("stripe: %w", payment.ErrSignature), 400, "INVALID_INPUT"},
		"an unknown provider":         {"{}", fault.ErrNotFound, 404, "NOT_FOUND"},
		"the database is away":        {"{}", fmt.Errorf("record: %w", fault.ErrUnavailable.After(1500*time.Millisecond)), 503, "UNAVAILABLE"},
		"too slow":                    {"{}", fmt.Errorf("record: %w", context.DeadlineExceeded), 503, "UNAVAILABLE"},
		"a conflict is our own fault": {"{}", fault.ErrConflict, 500, "INTERNAL"},
		"anything else":               {"{}", errors.New("pq: secret detail"), 500, "INTERNAL"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var provider, signature, raw string
			g := newRig(t, func(o *httpserver.Options) {
				o.SetClient = func(ctx context.Context, ip, _ string) context.Context { return context.WithValue(ctx, ipKey{}, ip) }
				o.Webhook = func(ctx context.Context, p string, header http.Header, body []byte) error {
					_, hasDeadline := ctx.Deadline()
					require.True(t, hasDeadline)
					require.Equal(t, "192.0.2.10", ctx.Value(ipKey{}))
					provider, signature, raw = p, header.Get("Stripe-Signature"), string(body)
					return tc.err
				}
			})
			r := request("POST", "/webhooks/payments/stripe", "Stripe-Signature", "t=1,v1=abc")
			r.Body = io.NopCloser(strings.NewReader(tc.body))
			got := g.serve(r)
			require.Equal(t, tc.status, got.StatusCode)
			text := bodyOf(t, got)
			require.NotContains(t, text, "secret")
			require.NotContains(t, g.log.String(), "v1=abc")
			if tc.status == 413 {
				require.Empty(t, provider, "nobody is bothered with it")
			} else {
				require.Equal(t, []string{"stripe", "t=1,v1=abc", tc.body}, []string{provider, signature, raw})
			}
			if tc.code == "" {
				require.Empty(t, text)
				return
			}
			require.Contains(t, text, `"code":"`+tc.code+`"`)
			if name == "the database is away" {
				require.Equal(t, "2", got.Header.Get("Retry-After"))
			}
		})
	}
}

func TestWebhook_TakesOnlyPOSTToOneProvider(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(o *httpserver.Options) {
		o.Webhook = func(context.Context, string, http.Header, []byte) error { return nil }
	})
	require.Equal(t, 405, g.do("GET", "/webhooks/payments/stripe").StatusCode)
	require.Equal(t, 404, g.do("POST", "/webhooks/payments/").StatusCode)
	require.Equal(t, 404, g.do("POST", "/webhooks/payments/stripe/more").StatusCode)
	require.Equal(t, 200, g.do("POST", "/webhooks/payments/stripe").StatusCode)
}
