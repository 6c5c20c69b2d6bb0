package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

const (
	floorGC   = 400     // as the product sets it: the floor is not to lose by a default
	floorMem  = 1 << 30 // likewise
	floorStop = 5 * time.Second
)

// runFloorServer serves the two answers with net/http, database/sql and encoding/json alone: one query finds the session of the bearer
// token, one joins what is asked for. No GraphQL, no access policy, no limits, no log, no audit.
func runFloorServer(ctx context.Context, flags *flag.FlagSet, args []string) error {
	database := flags.String("database", "", "SQLite file or postgres:// URL of a database that the product has filled")
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *database == "" {
		return errors.New("floor-server needs --database: the file or URL of a database that `caregraph demo` has filled")
	}
	debug.SetGCPercent(floorGC)
	debug.SetMemoryLimit(floorMem)
	db, err := openFloor(*database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	queries, err := prepareFloor(ctx, db)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s; is something else there? (%w)", *listen, err)
	}
	fmt.Printf("floor server at http://%s; it ends with its standard input\n", listener.Addr())
	return serveFloor(ctx, listener, (&floorServer{queries: queries, now: time.Now}).handler())
}

func serveFloor(ctx context.Context, listener net.Listener, handler http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // the starter's end, even a sudden one, closes the pipe
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("the floor server ended: %w", err)
	case <-ctx.Done():
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), floorStop)
		defer stop()
		return server.Shutdown(end)
	}
}

type floorServer struct {
	queries *floorQueries
	now     func() time.Time
}

func (s *floorServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /appointments/{id}", s.signedIn(func(r *http.Request) (any, error) {
		a, err := s.queries.one(r.Context(), r.PathValue("id"), s.now())
		return map[string]any{"appointment": a}, err
	}))
	mux.HandleFunc("GET /appointments", s.signedIn(func(r *http.Request) (any, error) {
		c, err := s.queries.list(r.Context(), s.now())
		return map[string]any{"appointments": c}, err
	}))
	return mux
}

// signedIn answers with data, for the token of a session that has not ended. The token is the session's id.
func (s *floorServer) signedIn(answer func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		known, err := s.queries.isSession(r.Context(), token, s.now())
		if err == nil && !known {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		var data any
		if err == nil {
			data, err = answer(r)
		}
		var body []byte
		if err == nil {
			body, err = json.Marshal(map[string]any{"data": data})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "floor:", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
}
