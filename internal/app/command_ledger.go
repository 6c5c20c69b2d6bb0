package app

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/caregraph/caregraph/internal/access"
)

type ledgerVerifyCommand struct {
	Database string `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run verifies the ledger of a database, whether or not it is being served, and prints what was found. It fails when a row is bad.
func (c *ledgerVerifyCommand) Run(ctx context.Context, env *Environment) error {
	return withApp(ctx, env, c.Database, func(a *App) error {
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
