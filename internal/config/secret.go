package config

import (
	"log/slog"
	"net/url"
)

const redacted = "[redacted]"

// Secret is text that does not show when it is printed, logged or marshalled: it is behind a pointer, which fmt does not follow, with
// no verb and not in unexported fields either, where no method of ours would be called. The zero Secret is empty.
type Secret struct {
	text  *string
	shown string
}

// NewSecret returns text as a secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text, shown: redacted}
}

// newSecretURL returns a URL as a secret that shows itself without the credentials in it.
func newSecretURL(text string) Secret {
	s := NewSecret(text)
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return s
	}
	query := u.Query()
	for _, name := range []string{"password", "sslpassword"} {
		if query.Has(name) {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	s.shown = u.Redacted()
	return s
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero tells whether there is no text.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns what may be shown.
func (s Secret) String() string { return s.shown }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown) }
