package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/identity"
)

type adminCommand struct {
	Email    string `required:"" help:"E-mail address of the administrator."`
	Given    string `required:"" help:"Given name."`
	Family   string `required:"" help:"Family name."`
	Database string `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run creates an administrator. The password never stands on the command line, where other users of the machine could read it.
func (c *adminCommand) Run(ctx context.Context, env *Environment) (err error) {
	cfg, err := env.load(map[string]string{"DATABASE_URL": c.Database, "ENVIRONMENT": "development"})
	if err != nil {
		return err
	}
	password := os.Getenv("CAREGRAPH_ADMIN_PASSWORD")
	if password == "" {
		_, _ = fmt.Fprint(env.Err, "Password: ")
		line, readErr := bufio.NewReader(os.Stdin).ReadString('\n')
		if readErr != nil && line == "" {
			return errors.New("no password was given on standard input")
		}
		password = strings.TrimRight(line, "\r\n")
	}
	a, err := New(ctx, cfg, Options{Clock: clock.System{}, Log: env.logger(cfg.LogLevel)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(ctx)) }()
	u, err := a.Identity.CreateUser(access.System(ctx, "command: admin create"), identity.CreateUserInput{
		Email: c.Email, Password: password, GivenName: c.Given, FamilyName: c.Family, Roles: []access.Role{access.Admin},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "The administrator %s can sign in now.\n", u.Email)
	return err
}
