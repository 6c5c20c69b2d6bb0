package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/store"
)

// Commands is the command line.
type Commands struct {
	Config string `help:"File with settings, one NAME=value per line." type:"existingfile" placeholder:"FILE"`

	Serve   serveCommand   `cmd:"" help:"Serve the API."`
	Demo    demoCommand    `cmd:"" help:"Serve an invented clinic on an embedded database to try things with."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to the schema of this program."`
	Admin   struct {
		Create adminCommand `cmd:"" help:"Create an administrator; the password is read from CAREGRAPH_ADMIN_PASSWORD or a line of standard input."`
	} `cmd:"" help:"Manage administrators."`
	Job struct {
		List jobListCommand `cmd:"" help:"Print the table of jobs: when they are due and what became of the last run."`
		Run  jobRunCommand  `cmd:"" help:"Run a job now, or one occurrence of it, and print what it did."`
	} `cmd:"" help:"Look at jobs and run them."`
	Ledger struct {
		Verify ledgerVerifyCommand `cmd:"" help:"Compute all balances and hash chains of the wallets again and name the first bad row."`
	} `cmd:"" help:"Look at the ledger of the wallets."`
	Schema struct {
		Print schemaCommand `cmd:"" help:"Print the API's schema."`
	} `cmd:"" help:"Look at the API's schema."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// Environment is what a command reads and writes.
type Environment struct {
	ConfigFile string
	Out, Err   io.Writer
	Environ    []string
}

func (e *Environment) load(flags map[string]string) (config.Config, error) {
	return config.Load(config.Sources{Flags: flags, Environ: e.Environ, File: e.ConfigFile})
}

func (e *Environment) logger(level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(e.Err, &slog.HandlerOptions{Level: level}))
}

// TuneRuntime lets the garbage collector trade memory for speed, up to half of a small machine, unless the environment says how much.
func TuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1 << 30)
	}
}

type serveCommand struct {
	Listen   string `help:"Address to listen on; port 0 takes a free one." placeholder:"HOST:PORT"`
	Database string `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, env *Environment) error {
	cfg, err := env.load(map[string]string{"LISTEN": c.Listen, "DATABASE_URL": c.Database})
	if err != nil {
		return err
	}
	a, listener, err := start(ctx, cfg, env.logger(cfg.LogLevel), false)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(env.Out, "Caregraph serves %s, listening on %s\n", a.cfg.PublicURL, listener.Addr())
	return a.Run(ctx, listener)
}

// start listens, migrates if it should, and builds the program; isScratch says that the database goes with it.
func start(ctx context.Context, cfg config.Config, log *slog.Logger, isScratch bool) (*App, net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot listen on %s; is something else there? (%w)", cfg.Listen, err)
	}
	if cfg.PublicURL == "" {
		cfg.PublicURL = "http://" + listener.Addr().String()
		if cfg.TLSCert != "" {
			cfg.PublicURL = "https://" + listener.Addr().String()
		}
	}
	opts := Options{Clock: clock.System{}, Log: log, IsScratch: isScratch}
	if cfg.Environment == config.Demo {
		opts.Clock, opts.HashParams = clock.NewShifted(opts.Clock), demo.HashParams
	}
	a, err := New(ctx, cfg, opts)
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	if err := a.Identity.CheckTotpKeys(ctx); err != nil {
		return nil, nil, errors.Join(err, listener.Close(), a.Close(ctx))
	}
	return a, listener, nil
}

type migrateCommand struct {
	Database string `help:"postgres://... or the path of an SQLite database." placeholder:"URL"`
}

// Run migrates the database.
func (c *migrateCommand) Run(ctx context.Context, env *Environment) error {
	cfg, err := env.load(map[string]string{"DATABASE_URL": c.Database, "ENVIRONMENT": "development"})
	if err != nil {
		return err
	}
	n, err := store.Migrate(ctx, cfg.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(env.Out, "%d migrations applied; the schema is up to date.\n", n)
	return nil
}

type schemaCommand struct{}

// Run prints the schema.
func (schemaCommand) Run(env *Environment) error {
	_, err := io.WriteString(env.Out, graph.SDL())
	return err
}

type versionCommand struct{}

// Run prints the version that the program was built from.
func (versionCommand) Run(env *Environment) error {
	version := "development"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(env.Out, "caregraph %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// newSecret makes up a secret of 32 bytes.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand crashes the program instead
	return base64.RawStdEncoding.EncodeToString(b)
}

// scratch makes a folder for a database that is thrown away.
func scratch() (database string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "caregraph-demo-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(dir, "demo.db"), func() { _ = os.RemoveAll(dir) }, nil
}
