package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// complete sets what follows from several settings and checks what only shows when they are seen together. A setting that could not
// be read is zero here and its problem known, so no check speaks of it again.
func (c *Config) complete(isMigrateGiven bool) (problems []error) {
	if !isMigrateGiven {
		c.IsAutoMigrate = !c.IsPostgres()
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		problems = append(problems, errors.New("TLS_CERT and TLS_KEY go together: give both or none"))
	}
	if c.StripeSecretKey.IsZero() != c.StripeWebhookSecret.IsZero() {
		problems = append(problems, errors.New("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET go together: give both or none"))
	}
	for _, t := range []struct {
		name    string
		timeout time.Duration
	}{{"PATIENT_SESSION_TIMEOUT", c.PatientSessionTimeout}, {"STAFF_SESSION_TIMEOUT", c.StaffSessionTimeout}} {
		if t.timeout != 0 && c.SessionTimeoutWarning >= t.timeout {
			problems = append(problems, fmt.Errorf("SESSION_TIMEOUT_WARNING must be shorter than %s", t.name))
		}
	}
	if c.IsStaffTotpRequired && c.TotpKeys.IsZero() && c.Environment == Production {
		problems = append(problems, errors.New("REQUIRE_STAFF_TOTP needs TOTP_KEYS"))
	}
	if c.Environment == Production {
		problems = append(problems, c.checkSecrets()...)
	}
	return problems
}

func (c *Config) checkSecrets() (problems []error) {
	if c.JWTKeys.IsZero() {
		problems = append(problems, errors.New("JWT_KEYS is needed in production"))
	}
	for _, s := range []struct {
		name string
		Secret
	}{{"JWT_KEYS", c.JWTKeys}, {"TOTP_KEYS", c.TotpKeys}, {"PAYMENT_SANDBOX_SECRET", c.SandboxSecret}} {
		if !s.IsZero() && isGuessable(s.Reveal()) {
			problems = append(problems, fmt.Errorf("%s is short, or well known; production needs a random one, as `openssl rand -base64 32` makes it", s.name))
		}
	}
	return problems
}

// isGuessable tells whether a secret is too short, too uniform, or holds a word that documentation and examples use.
func isGuessable(secret string) bool {
	distinct := map[rune]bool{}
	for _, r := range secret {
		distinct[r] = true
	}
	if len(secret) < 32 || len(distinct) < 10 {
		return true
	}
	lower := strings.ToLower(secret)
	for _, word := range []string{"changeme", "change-me", "change_me", "secret", "password", "example"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}
