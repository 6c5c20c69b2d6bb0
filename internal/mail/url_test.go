package mail

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFromURL(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]sender{
		"smtp://mx.test?from=a@b.test":                                  {host: "mx.test", port: "587", domain: "b.test"},
		"smtp://u:p%40ss@mx.test:25?from=Dr+A+<a@b.test>&tls=require":   {host: "mx.test", port: "25", user: "u", password: "p@ss", domain: "b.test", policy: tlsRequire},
		"smtps://mx.test?from=%22Practice%20%C3%9C%22%20%3Ca@b.test%3E": {host: "mx.test", port: "465", domain: "b.test", implicit: true},
		"smtp://[::1]:2525?from=a@b.test&tls=off":                       {host: "::1", port: "2525", domain: "b.test", policy: tlsOff},
	} {
		m, err := FromURL(name)
		require.NoError(t, err, name)
		got := m.(*sender)
		assert.Equal(t, "a@b.test", got.from.Address)
		assert.Equal(t, want.host, got.tls.ServerName)
		assert.Equal(t, defaultTimeout, got.timeout)
		got.from, got.tls, got.timeout = nil, nil, 0
		assert.Equal(t, want, *got, name)
	}
}

// A wrong URL is refused with a sentence that does not show the password.
func TestFromURLRefuses(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"http://u:secret@mx.test?from=a@b.test":               "starts with smtp",
		"smtp://u:secret@?from=a@b.test":                      "no host",
		"smtp://u:secret@mx.test":                             "from in SMTP_URL",
		"smtp://u:secret@mx.test?from=nobody":                 "from in SMTP_URL",
		"smtp://u:secret@mx.test?from=%22a%20b%22@b.test":     "from in SMTP_URL",
		"smtp://u:secret@mx.test?from=a@b.test%0d%0aBcc:+c@d": "from in SMTP_URL",
		"smtp://u:secret@mx.test?from=a@b.test&tls=maybe":     "tls in SMTP_URL",
		"smtp://u:secret@mx.test?from=a@b.test&timeout=1":     `unknown setting "timeout"`,
		"smtps://u:secret@mx.test?from=a@b.test&tls=off":      "at once",
		"smtp://u:secret@mx.test:port?from=a@b.test":          "not a URL",
		"smtp://u:sec\nret@mx.test?from=a@b.test":             "not a URL",
	} {
		_, err := FromURL(url)
		require.ErrorContains(t, err, says, url)
		assert.NotContains(t, err.Error(), "secret")
	}
}
