// Package process runs the real program as a process of its own, so that tests can kill it.
package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
)

// build makes the program once per test process.
var build = sync.OnceValues(func() (binary string, err error) {
	dir, err := os.MkdirTemp("", "caregraph-process-")
	if err != nil {
		return "", err
	}
	testkit.AtEnd(func() { _ = os.RemoveAll(dir) })
	binary = filepath.Join(dir, "caregraph")
	started := clock.System{}.Now()
	output, err := exec.Command("go", "build", "-o", binary, "github.com/caregraph/caregraph").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, output)
	}
	fmt.Printf("built the program in %s\n", clock.System{}.Now().Sub(started).Round(100*time.Millisecond))
	return binary, nil
})

const (
	startTime = 30 * time.Second
	stopTime  = 15 * time.Second
)

// Server is the program serving. It can be killed and started again on the same address and database.
type Server struct {
	URL string

	binary, address string
	environ         []string
	log             *tail
	process         *exec.Cmd
	guard           *exec.Cmd
	leash           io.Closer
	printed         chan struct{} // closed when its output has been read to the end
}

// Start serves the database on a free port, with settings on top of testkit.Settings, and returns once the server is ready. It is killed at the end of the test; the test's log
// has the end of its output when the test fails.
func Start(tb testing.TB, databaseURL string, settings map[string]string) *Server {
	tb.Helper()
	binary, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{binary: binary, address: "127.0.0.1:0", log: &tail{}}
	for _, line := range os.Environ() {
		if strings.HasPrefix(line, "PATH=") || strings.HasPrefix(line, "HOME=") || strings.HasPrefix(line, "TMPDIR=") {
			s.environ = append(s.environ, line) // others could be settings
		}
	}
	all := testkit.Settings()
	maps.Copy(all, settings)
	for name, value := range all {
		s.environ = append(s.environ, name+"="+value)
	}
	s.environ = append(s.environ, "DATABASE_URL="+databaseURL)
	tb.Cleanup(func() {
		s.Kill()
		if tb.Failed() {
			tb.Logf("end of the output of the server at %s:\n%s", s.URL, s.log)
		}
	})
	s.Restart(tb)
	return s
}

// Restart starts a killed or stopped server again and returns, once it is ready, how long that took.
func (s *Server) Restart(tb testing.TB) time.Duration {
	tb.Helper()
	started := clock.System{}.Now()
	if err := s.start(); err != nil {
		tb.Fatalf("start the program: %v\n%s", err, s.log)
	}
	return clock.System{}.Now().Sub(started)
}

func (s *Server) start() error {
	s.process = exec.Command(s.binary, "serve", "--listen", s.address)
	s.process.Env = s.environ
	s.process.Stderr = s.log
	output, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	if err := s.watch(); err != nil {
		s.Kill()
		return err
	}
	listens := make(chan string, 1)
	s.printed = make(chan struct{})
	go s.read(output, listens, s.printed)
	select {
	case address := <-listens:
		s.address, s.URL = address, "http://"+address
		return s.ready()
	case <-s.printed:
		return fmt.Errorf("it ended")
	case <-time.After(startTime):
		return fmt.Errorf("it did not listen within %s", startTime)
	}
}

// watch makes a process that kills the server when this one is gone, however it went.
func (s *Server) watch() (err error) {
	s.guard = exec.Command("sh", "-c", `read -r _; kill -9 "$1"`, "guard", strconv.Itoa(s.process.Process.Pid))
	if s.leash, err = s.guard.StdinPipe(); err != nil {
		return err
	}
	return s.guard.Start()
}

// read keeps what the program prints and finds the address in it.
func (s *Server) read(output io.Reader, listens chan<- string, end chan<- struct{}) {
	defer close(end)
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		_, _ = fmt.Fprintln(s.log, lines.Text())
		if _, address, ok := strings.Cut(lines.Text(), "listening on "); ok {
			select {
			case listens <- address:
			default:
			}
		}
	}
	_, _ = io.Copy(s.log, output) // after a line that is too long
}

// ready asks until the server says so; it listens already.
func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
		if err != nil {
			return err
		}
		request.Close = true
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not get ready within %s", startTime)
		case <-tick.C:
		}
	}
}

// Kill ends the server by SIGKILL and returns the instant at which it was sent. A server that does not run stays so.
func (s *Server) Kill() time.Time {
	at := clock.System{}.Now()
	if s.process == nil {
		return at
	}
	_ = s.process.Process.Kill()
	_ = s.gone() // by the signal
	return at
}

// Stop asks the server to end, as an operator does, and returns how it ended.
func (s *Server) Stop() error {
	if err := s.process.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	patience := time.AfterFunc(stopTime, func() { _ = s.process.Process.Kill() })
	defer patience.Stop()
	return s.gone()
}

// gone waits for the end of the process and lets its guard go first: the number of a dead process may be given to another.
func (s *Server) gone() error {
	if s.guard != nil && s.guard.Process != nil {
		_ = s.guard.Process.Kill()
		_ = s.guard.Wait()
		_ = s.leash.Close()
	}
	if s.printed != nil {
		<-s.printed
	}
	err := s.process.Wait()
	s.process, s.guard, s.printed = nil, nil, nil
	return err
}

// Log returns the end of what the server printed.
func (s *Server) Log() string { return s.log.String() }

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailLength = 64 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailLength; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
