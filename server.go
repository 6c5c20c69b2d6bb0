// Command caregraph is the clinic and hospital API: one program, GraphQL over HTTP, on SQLite or PostgreSQL.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/caregraph/caregraph/internal/app"
)

func main() {
	var cli app.Commands
	parsed := kong.Parse(&cli, kong.Name("caregraph"), kong.UsageOnError(),
		kong.Description("The clinic and hospital API: GraphQL over HTTP, on SQLite or PostgreSQL."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app.TuneRuntime()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(&app.Environment{ConfigFile: cli.Config, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()}); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "caregraph:", err)
		os.Exit(1) //nolint:gocritic // stop has run
	}
}
