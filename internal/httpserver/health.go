package httpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

const readyTimeout = 800 * time.Millisecond // of the second within which /readyz answers

// serveHealth says that the process runs; nothing that it depends on is asked.
func serveHealth(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

// serveReady says whether requests should be sent here.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	code := fault.Code("STOPPING")
	if !s.isStopping() {
		err := s.ready.ask(ctx)
		if err == nil {
			writeText(w, "ready\n")
			return
		}
		code = fault.CodeUnavailable
		if f := (*fault.Error)(nil); errors.As(err, &f) {
			code = f.Code
		}
	}
	text, err := json.Marshal(map[string]any{"status": "unavailable", "code": code})
	if err != nil { // cannot be: it is text
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(text)
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text))
}

// readiness asks a check that might hang. However often it is asked, one check runs at a time, so that one that hangs holds one
// goroutine and not one per question.
type readiness struct {
	check   func() error
	mu      sync.Mutex
	current *answer
}

type answer struct {
	done chan struct{}
	err  error
}

func (p *readiness) ask(ctx context.Context) error {
	p.mu.Lock()
	a := p.current
	if a == nil {
		a = &answer{done: make(chan struct{})}
		p.current = a
		go p.run(a)
	}
	p.mu.Unlock()
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return fault.ErrUnavailable
	}
}

func (p *readiness) run(a *answer) {
	defer func() {
		if reason := recover(); reason != nil {
			a.err = fmt.Errorf("the readiness check panicked: %v", reason)
		}
		p.mu.Lock()
		p.current = nil
		p.mu.Unlock()
		close(a.done)
	}()
	a.err = p.check()
}
