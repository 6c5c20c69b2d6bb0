package config

import (
	"fmt"
	"log/slog"
	"net/url"
)

const redacted = "[redacted]"

// Secret is text that does not show when it is printed, logged or marshalled. The text is behind a pointer, so that it stays hidden
// also where fmt walks over unexported fields and calls no methods. The zero Secret is empty.
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

// Format implements fmt.Formatter, because String alone does not cover every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.shown)) }

// MarshalText implements encoding.TextMarshaler: JSON shows no more than print does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown) }
