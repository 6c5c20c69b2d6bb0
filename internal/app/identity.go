package app

import (
	"fmt"

	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/limit"
)

func (a *App) newIdentity(opts Options, signing string) (*identity.Service, error) {
	cfg := a.cfg
	keys, err := identity.ParseKeys(signing)
	if err != nil {
		return nil, fmt.Errorf("JWT_KEYS: %w", err)
	}
	totpKeys, err := identity.ParseTotpKeys(sealingKeys(cfg))
	if err != nil {
		return nil, fmt.Errorf("TOTP_KEYS: %w", err)
	}
	return identity.New(identity.Config{
		DB: a.DB, Limits: limit.New(a.DB), Mail: mailTo(a.Notify), Notice: noticeTo(a.Notify), Patients: a.Patients, Streams: a.Streams, Log: a.log,
		Keys: keys, TotpKeys: totpKeys, RequireStaffTotp: cfg.IsStaffTotpRequired,
		PatientTimeout: cfg.PatientSessionTimeout, StaffTimeout: cfg.StaffSessionTimeout, Warning: cfg.SessionTimeoutWarning,
		LoginsPerMinute: cfg.Limits.LoginAttemptsPerMinute, RegistrationsPerHour: cfg.Limits.RegistrationsPerHour,
		VerificationsPerMinute: cfg.Limits.VerificationsPerMinute, ResetMailsPerHour: cfg.Limits.ResetMailsPerHour,
		PublicURL: cfg.PublicURL, PracticeName: cfg.PracticeName, Zone: cfg.PracticeZone, Identifiers: cfg.IdentifierChecks, HashParams: opts.HashParams,
	})
}

// signingKeys are the keys of access tokens; outside production, which refuses to start without, they are made up.
func signingKeys(cfg config.Config) string {
	if cfg.JWTKeys.IsZero() {
		return "made-up:HS256:" + newSecret()
	}
	return cfg.JWTKeys.Reveal()
}

// wellKnown encrypts second factors outside production: one that was made up would lock their owners out at the next start.
const wellKnown = "no secret: for development and demos only"

// sealingKeys are the keys of second factors, of which production has none unless it is given some.
func sealingKeys(cfg config.Config) string {
	if cfg.TotpKeys.IsZero() && cfg.Environment != config.Production {
		return wellKnown
	}
	return cfg.TotpKeys.Reveal()
}
