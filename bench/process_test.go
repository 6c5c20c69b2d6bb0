package main

import (
	"strings"
	"testing"
	"time"
)

func TestProcessIsStoppedWithoutDelay(t *testing.T) {
	t.Parallel()
	p, err := startProcess(t.Context(), "a shell", "/bin/sh", []string{"-c", "echo listening at http://127.0.0.1:7 now; exec sleep 100"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	url, err := p.address(t.Context())
	if err != nil || url != "http://127.0.0.1:7" {
		t.Fatalf("%q, %v", url, err)
	}
	begun := time.Now()
	p.stop()
	p.stop()
	if took := time.Since(begun); took > stopTimeout/2 {
		t.Errorf("it took %s", took)
	}
}

func TestProcessThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	p, err := startProcess(t.Context(), "a shell", "/bin/sh", []string{"-c", "echo no such port >&2; exit 3"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if _, err := p.address(t.Context()); err == nil || !strings.Contains(err.Error(), "no such port") {
		t.Errorf("%v", err)
	}
}
