package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	announceTimeout = 60 * time.Second
	stopTimeout     = 20 * time.Second // the program grants running operations 15 s
	keptErrors      = 4 << 10
)

// process is a server that we started and stop. It ends with ctx, with stop, or with us: its standard input closes then.
type process struct {
	name  string
	pid   int
	cmd   *exec.Cmd
	stdin io.Closer
	url   chan string // the address that it announced
	done  chan struct{}
	err   error // why it ended; after done
	said  tail
}

var announced = regexp.MustCompile(`http://[0-9.]+:[0-9]+`)

func startProcess(ctx context.Context, name, path string, args, environ []string) (*process, error) {
	p := &process{name: name, url: make(chan string, 1), done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, path, args...) // #nosec G204 -- programs built here
	p.cmd.Env = environ
	if environ == nil {
		p.cmd.Env = os.Environ()
	}
	p.cmd.Stderr = &p.said
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	p.stdin, p.pid = stdin, p.cmd.Process.Pid
	go p.follow(stdout)
	return p, nil
}

// follow reads what the process prints until it ends.
func (p *process) follow(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url := announced.FindString(lines.Text()); url != "" {
			select {
			case p.url <- url:
			default:
			}
		}
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// address waits until the process says where it listens.
func (p *process) address(ctx context.Context) (string, error) {
	timer := time.NewTimer(announceTimeout)
	defer timer.Stop()
	select {
	case url := <-p.url:
		return url, nil
	case <-p.done:
		return "", fmt.Errorf("%s ended before it listened (%w): %s", p.name, errors.Join(p.err, ctx.Err()), p.said.String())
	case <-ctx.Done():
		return "", ctx.Err()
	case <-timer.C:
		return "", fmt.Errorf("%s did not say within %s where it listens: %s", p.name, announceTimeout, p.said.String())
	}
}

// stop asks the process to end and kills it when it does not. It may be called again.
func (p *process) stop() {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// tail keeps the end of what is written to it, for error messages.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-keptErrors):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
