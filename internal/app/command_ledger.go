package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

type ledgerVerifyCommand struct {
	Database string `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run verifies the ledger of a database, whether or not it is being served, and prints what was found. It fails when a row is bad. It looks only: a database
// that is not there is not made, and one of another program's schema is left as it is.
func (c *ledgerVerifyCommand) Run(ctx context.Context, env *Environment) error {
	cfg, err := env.load(map[string]string{"DATABASE_URL": c.Database})
	if err != nil {
		return err
	}
	if err := isReadable(ctx, cfg.DatabaseURL.Reveal()); err != nil {
		return err
	}
	cfg.IsAutoMigrate = false
	return withAppOf(ctx, env, cfg, func(a *App) error {
		found, err := a.Wallets.Verify(access.System(ctx, "ledger verify"))
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintf(table, "wallets\t%d\ntransactions\t%d\n", found.Wallets, found.Transactions)
		if bad := found.Fault; bad != nil {
			_, _ = fmt.Fprintf(table, "first bad row\twallet %s, position %d\nproblem\t%s\n", bad.WalletID, bad.Position, bad.Problem)
			_ = table.Flush()
			return fmt.Errorf("the ledger is broken: wallet %s, position %d", bad.WalletID, bad.Position)
		}
		_, _ = fmt.Fprintln(table, "first bad row\tnone: the ledger is whole")
		return table.Flush()
	})
}

// isReadable tells why the database cannot be looked at.
func isReadable(ctx context.Context, url string) error {
	if !store.IsPostgres(url) {
		file, _, _ := strings.Cut(strings.TrimPrefix(url, "file:"), "?")
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("there is no database to verify: name the file of one with --database (%w)", err)
		}
	}
	current, err := store.IsCurrent(ctx, url)
	if err == nil && !current {
		err = errors.New("the database does not have this program's schema: run caregraph migrate, or verify it with the program that serves it")
	}
	return err
}
