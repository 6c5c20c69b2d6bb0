package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// buildProduct builds the program of the parent module as it is released, without cgo, into dir.
func buildProduct(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "caregraph")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".") // #nosec G204 -- a path of our own
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the program in .. does not build; run this from the folder bench/ and fix what the compiler says: %w\n%s", err, out)
	}
	return binary, nil
}

// startProduct starts a command of the program with nothing of our own environment but the search path, so that settings of the
// caller's shell do not change what is measured.
func startProduct(ctx context.Context, binary string, args []string, settings ...string) (*process, error) {
	limits := []string{"API_REQUESTS_PER_MINUTE=1000000", "PATIENT_SUSPICIOUS_REQUESTS=1000000", "BOOKINGS_PER_HOUR=1000", "LOG_LEVEL=error", "PATH=" + os.Getenv("PATH")}
	return startProcess(ctx, "caregraph "+args[0], binary, args, append(limits, settings...))
}

// startFloor starts this program again as the floor server.
func startFloor(ctx context.Context, database string, args ...string) (*process, error) {
	return startOwn(ctx, "the floor server", append([]string{"floor-server", "--database", database}, args...)...)
}

// startPeer starts this program again as the peer server.
func startPeer(ctx context.Context, settings ...string) (*process, error) {
	self, err := ownFile()
	if err != nil {
		return nil, err
	}
	return startProcess(ctx, "the peer server", self, []string{"peer-server"}, append([]string{"PATH=" + os.Getenv("PATH")}, settings...))
}

// startOwn starts a command of this program as a process of its own.
func startOwn(ctx context.Context, name string, args ...string) (*process, error) {
	self, err := ownFile()
	if err != nil {
		return nil, err
	}
	return startProcess(ctx, name, self, args, nil)
}

func ownFile() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find this program's own file: %w", err)
	}
	return self, nil
}

// source tells which code was measured.
type source struct{ commit, goVersion string }

// sourceOf reads the checkout's commit; "-dirty" says that files differed from it, "unknown" that there is no checkout.
func sourceOf(ctx context.Context) source {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", ".."}, args...)...).Output() // #nosec G204 -- fixed words
		return strings.TrimSpace(string(out)), err
	}
	s := source{commit: "unknown", goVersion: runtime.Version()}
	if commit, err := git("rev-parse", "--short=12", "HEAD"); err == nil {
		s.commit = commit
	}
	if changes, err := git("status", "--porcelain", "--", ".", ":!bench", ":!docs"); err == nil && changes != "" {
		s.commit += "-dirty"
	}
	return s
}
