package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/config"
)

// hidden holds a Config in an unexported field, where fmt calls no methods.
type hidden struct{ inner config.Config }

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Environ: []string{
		"JWT_KEYS=" + goodKey,
		"PAYMENT_SANDBOX_SECRET=" + goodKey,
		"DATABASE_URL=postgres://clinic:" + goodKey + "@db.internal/care?sslmode=verify-full&password=" + goodKey,
		"SMTP_URL=smtps://mailer:" + goodKey + "@mail.example:465",
	}})
	require.NoError(t, err)
	require.Equal(t, goodKey, c.JWTKeys.Reveal())
	require.Contains(t, c.DatabaseURL.Reveal(), goodKey)

	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
		for _, value := range []any{c, &c, hidden{c}, &hidden{c}, c.JWTKeys, &c.JWTKeys, c.DatabaseURL} {
			fmt.Fprintf(&shown, verb+"\n", value)
		}
	}
	text, err := json.Marshal(c)
	require.NoError(t, err)
	shown.Write(text)
	for _, h := range []slog.Handler{slog.NewTextHandler(&shown, nil), slog.NewJSONHandler(&shown, nil)} {
		slog.New(h).Info("start", "config", c, "pointer", &c, "secret", c.JWTKeys)
	}
	require.NotContains(t, shown.String(), goodKey)
	require.NotContains(t, shown.String(), fmt.Sprintf("%x", goodKey))

	require.Equal(t, "[redacted]", c.JWTKeys.String())
	require.Equal(t, "postgres://clinic:xxxxx@db.internal/care?password=xxxxx&sslmode=verify-full", c.DatabaseURL.String())
	require.Equal(t, "smtps://mailer:xxxxx@mail.example:465", c.SMTPURL.String())
	require.Empty(t, config.Secret{}.String())
	require.Empty(t, config.Secret{}.Reveal())
	require.True(t, config.NewSecret("").IsZero())
}
