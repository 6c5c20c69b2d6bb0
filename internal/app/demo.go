package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/alexedwards/argon2id"

	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/identity"
)

type demoCommand struct {
	Listen   string `help:"Address to listen on; port 0 takes a free one." placeholder:"HOST:PORT"`
	Database string `help:"Database to fill and keep; without it everything is gone at the end." placeholder:"URL"`
}

// Run serves the demo until ctx ends.
func (c *demoCommand) Run(ctx context.Context, env *Environment) (err error) {
	database := c.Database
	if database == "" {
		var remove func()
		if database, remove, err = scratch(); err != nil {
			return err
		}
		defer remove()
	}
	cfg, err := env.load(map[string]string{
		"ENVIRONMENT": "demo", "LISTEN": c.Listen, "DATABASE_URL": database, "MIGRATE": "auto",
	})
	if err != nil {
		return err
	}
	a, listener, err := start(ctx, cfg, env)
	if err != nil {
		return err
	}
	if err := fill(ctx, a); err != nil {
		return errors.Join(err, listener.Close(), a.Close(ctx))
	}
	introduce(env.Out, a.cfg.PublicURL, listener)
	return a.Run(ctx, listener)
}

// fill makes the invented clinic in an empty database.
func fill(ctx context.Context, a *App) error {
	hash := func() (string, error) { return argon2id.CreateHash(demo.Password, identity.HashParams) }
	return (&demo.Seeder{DB: a.DB, Hash: hash, Zone: a.cfg.PracticeZone, Chat: a.Chat}).Seed(ctx)
}

// introduce prints what a newcomer needs.
func introduce(out io.Writer, url string, listener net.Listener) {
	_, _ = fmt.Fprintf(out, "Caregraph demo at %s (explorer), mails at %s/dev/mail\nlistening on %s; press Ctrl-C to stop\n\nSign-ins:\n", url, url, listener.Addr())
	for _, account := range demo.Accounts() {
		_, _ = fmt.Fprintf(out, "  %-11s %-34s %s\n", strings.ToLower(string(account.Role)), account.Email, demo.Password)
	}
	_, _ = fmt.Fprint(out, `
Three operations to paste. The first answers an accessToken: put it into the header {"Authorization": "Bearer <accessToken>"}.

1. Sign in:
  mutation { login(input: {email: "alice@demo.caregraph.test", password: "`+demo.Password+`"}) { accessToken viewer { patient { givenName } } } }
2. Find free times and book one:
  query { slots(isFree: true, first: 3) { edges { node { id startsAt practitioner { name specialty } } } } }
  mutation { bookAppointment(input: {slotId: "<slot id>"}) { appointment { id status expiresAt price { amount currency } } userErrors { code message } } }
3. Pay for it on the page that this answers:
  mutation { createOrder(input: {appointmentId: "<appointment id>"}) { checkoutUrl userErrors { code message } } }
`)
}
