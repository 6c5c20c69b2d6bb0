package config

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoad_Stripe(t *testing.T) {
	t.Parallel()
	const key, hook = "sk_test_a1b2", "whsec_c3d4"
	c, err := Load(Sources{Flags: map[string]string{"ENVIRONMENT": "development", "STRIPE_SECRET_KEY": key, "STRIPE_WEBHOOK_SECRET": hook}})
	require.NoError(t, err)
	require.Equal(t, []string{key, hook, "https://api.stripe.com"}, []string{c.StripeSecretKey.Reveal(), c.StripeWebhookSecret.Reveal(), c.StripeAPIURL})
	require.NotContains(t, fmt.Sprintf("%+v", c), key)
	require.NotContains(t, fmt.Sprintf("%+v", c), hook)
	for name, flags := range map[string]map[string]string{
		"STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET go together":  {"STRIPE_SECRET_KEY": key},
		"STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET go together ": {"STRIPE_WEBHOOK_SECRET": hook},
		"STRIPE_SECRET_KEY must begin with sk_ or rk_":             {"STRIPE_SECRET_KEY": hook, "STRIPE_WEBHOOK_SECRET": hook},
		"STRIPE_WEBHOOK_SECRET must begin with whsec_":             {"STRIPE_SECRET_KEY": key, "STRIPE_WEBHOOK_SECRET": "we_1"},
		"STRIPE_API_URL must be an https address":                  {"STRIPE_API_URL": "http://stripe.example"},
		"STRIPE_API_URL must be an address":                        {"STRIPE_API_URL": "stripe"},
		"SMS_URL must be":                                          {"SMS_URL": "https://api.sms.example/Messages?from=1"},
		"SMS_URL must be ":                                         {"SMS_URL": "https://AC1:topsecret@api.sms.example/Messages"},
	} {
		flags["ENVIRONMENT"] = "development"
		_, err := Load(Sources{Flags: flags})
		require.ErrorContains(t, err, trimmed(name))
		require.NotContains(t, err.Error(), "topsecret")
		require.NotContains(t, err.Error(), key)
		require.NotContains(t, err.Error(), hook)
	}
	for _, good := range []map[string]string{{"STRIPE_API_URL": "http://127.0.0.1:12111"}, {"SMS_URL": "https://AC1:topsecret@api.sms.example/Messages.json?from=%2B61400000000"}} {
		good["ENVIRONMENT"] = "development"
		c, err := Load(Sources{Flags: good})
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprintf("%+v", c), "topsecret")
	}
}

// trimmed lets two cases have one text.
func trimmed(text string) string {
	if text[len(text)-1] == ' ' {
		return text[:len(text)-1]
	}
	return text
}
