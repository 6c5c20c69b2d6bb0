package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/demo"
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
		"ENVIRONMENT": "demo", "LISTEN": c.Listen, "DATABASE_URL": database, "MIGRATE": "auto", "ADMISSION_FEE": env.demoFee(),
	})
	if err != nil {
		return err
	}
	var level slog.LevelVar
	level.Set(cfg.LogLevel)
	a, listener, err := start(ctx, cfg, env.logger(&level), c.Database == "")
	if err != nil {
		return err
	}
	level.Set(quiet) // what went wrong in an invented past is no news
	err = a.FillDemo(ctx)
	level.Set(cfg.LogLevel)
	if err != nil {
		return errors.Join(err, listener.Close(), a.Close(ctx))
	}
	introduce(env.Out, a.cfg.PublicURL, listener)
	return a.Run(ctx, listener)
}

// demoFee is the fee of the demo's admissions where settings do not come from a file, and the environment names no other.
func (e *Environment) demoFee() string {
	if e.ConfigFile != "" || slices.ContainsFunc(e.Environ, func(s string) bool { return strings.HasPrefix(s, "ADMISSION_FEE=") }) {
		return ""
	}
	return "150.00"
}

// quiet is above all levels.
const quiet = slog.LevelError + 1

var errNoSandbox = errors.New("the demo's visits are paid at the sandbox: fill it without STRIPE_SECRET_KEY, and set that afterwards")

// FillDemo makes the invented clinic in an empty database, with a past up to the present. It runs before anything is served, by a clock that can be set.
func (a *App) FillDemo(ctx context.Context) error {
	clk, ok := a.DB.Clock.(demo.Clock)
	if !ok {
		return errors.New("the clock of a demo can be set back")
	}
	if a.till == nil {
		return a.needsNoDemo(ctx)
	}
	err := demo.New(demo.Config{
		DB: a.DB, Clock: clk, Zone: a.cfg.PracticeZone, Identity: a.Identity, Patients: a.Patients, Booking: a.Booking, Chat: a.Chat,
		Hospital: a.Hospital, Wallets: a.Wallets, Notify: a.Notify, Till: a.till, Jobs: a.Jobs, Click: a.click,
	}).Seed(ctx)
	if shifted, ok := clk.(*clock.Shifted); ok {
		shifted.Reset()
	}
	return err
}

// needsNoDemo is for a database that was filled before.
func (a *App) needsNoDemo(ctx context.Context) error {
	filled, err := a.DB.Client.User.Query().Exist(access.System(ctx, "demo"))
	if err == nil && !filled {
		err = errNoSandbox
	}
	return err
}

// click chooses an action on a page of the sandbox, as a browser would.
func (a *App) click(ctx context.Context, page, action string) error {
	address, err := url.Parse(page)
	if err != nil {
		return err
	}
	form := strings.NewReader(url.Values{"action": {action}}.Encode())
	request, err := http.NewRequestWithContext(access.As(ctx, nil), http.MethodPost, address.Path, form)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	a.Sandbox.Handler().ServeHTTP(answer, request)
	if answer.Code != http.StatusSeeOther {
		return fmt.Errorf("the page of the sandbox answered %d to %s", answer.Code, action)
	}
	return nil
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
