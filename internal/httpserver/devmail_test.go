package httpserver_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/httpserver"
)

func mails(items []httpserver.DevMailItem, err error) func(*httpserver.Options) {
	return func(o *httpserver.Options) {
		o.DevMail = func(context.Context) ([]httpserver.DevMailItem, error) { return items, err }
	}
}

func TestDevMail(t *testing.T) {
	t.Parallel()
	g := newRig(t, mails([]httpserver.DevMailItem{
		{At: start, To: "ann@example.com", Subject: "Verify <b>now</b>", Text: "Open (https://clinic.example/verify?token=a&b=1), or http://localhost:8080/x.\nBye"},
		{At: start, To: "<script>alert(1)</script>@example.com", Subject: "javascript:alert(1)", Text: `"https://x.example"onmouseover="alert(1) <img src=x>` + " javascript:alert(2)"},
	}, nil))
	got := g.do("GET", "/dev/mail")
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", got.Header.Get("Content-Type"))
	page := bodyOf(t, got)
	for _, want := range []string{
		`Verify &lt;b&gt;now&lt;/b&gt;`, `ann@example.com`, `1 Mar 2026 09:00:00 UTC`,
		`(<a href="https://clinic.example/verify?token=a&amp;b=1" rel="noopener noreferrer">https://clinic.example/verify?token=a&amp;b=1</a>), or `,
		`<a href="http://localhost:8080/x" rel="noopener noreferrer">http://localhost:8080/x</a>.`,
		`&lt;script&gt;alert(1)&lt;/script&gt;@example.com`,
		`&#34;<a href="https://x.example" rel="noopener noreferrer">https://x.example</a>&#34;onmouseover=&#34;alert(1) &lt;img src=x&gt; javascript:alert(2)`,
	} {
		require.Contains(t, page, want)
	}
	require.Equal(t, 3, len(regexp.MustCompile(`<a `).FindAllString(page, -1)))
	require.NotContains(t, page, "<script")

	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)[1]
	sum := sha256.Sum256([]byte(style))
	require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", got.Header.Get("Content-Security-Policy"), "the page's own style is allowed, nothing else")
}

func TestDevMail_NoneAndFailure(t *testing.T) {
	t.Parallel()
	require.Contains(t, bodyOf(t, newRig(t, mails(nil, nil)).do("GET", "/dev/mail")), "No mail yet.")
	got := newRig(t, mails(nil, errors.New("secret detail"))).do("GET", "/dev/mail")
	require.Equal(t, 500, got.StatusCode)
	require.NotContains(t, bodyOf(t, got), "secret")
}
