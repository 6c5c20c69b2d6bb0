package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

const (
	createClaims = `CREATE TABLE bench_claims (slot_id uuid PRIMARY KEY, user_id uuid NOT NULL, claimed_at text NOT NULL)`
	claimSQL     = `INSERT INTO bench_claims (slot_id, user_id, claimed_at) VALUES ($1, $2, $3) ON CONFLICT (slot_id) DO NOTHING`

	claimWon  = `{"data":{"won":true}}`
	claimLost = `{"data":{"won":false}}`
)

// runClaimServer is the floor of booking: a session is found by its id, and a slot is taken by one insert that does nothing when the unique key is there
// already. No look at calendar and patient, no price, history, events, audit, alternatives; no GraphQL, access policy and limits.
func runClaimServer(ctx context.Context, flags *flag.FlagSet, args []string) error {
	database := flags.String("database", "", "SQLite file or postgres:// URL of a database that `go run . booking` has filled")
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *database == "" {
		return errors.New("claim-server needs --database; `go run . booking` starts it")
	}
	debug.SetGCPercent(floorGC)
	debug.SetMemoryLimit(floorMem)
	db, err := openFloor(*database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	claims, err := prepareClaims(ctx, db, isPostgres(*database))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s; is something else there? (%w)", *listen, err)
	}
	fmt.Printf("claim server at http://%s; it ends with its standard input\n", listener.Addr())
	return serveFloor(ctx, listener, claims.handler())
}

// claims takes slots.
type claims struct {
	session, claim *sql.Stmt
	writer         sync.Locker // SQLite has one writer: waiting for one's turn here is quicker than asking the file again and again
	now            func() time.Time
}

type noLock struct{}

func (noLock) Lock()   {}
func (noLock) Unlock() {}

func prepareClaims(ctx context.Context, db *sql.DB, isPG bool) (*claims, error) {
	c := &claims{writer: noLock{}, now: time.Now}
	if !isPG {
		c.writer = &sync.Mutex{}
	}
	for text, into := range map[string]**sql.Stmt{sessionSQL: &c.session, claimSQL: &c.claim} {
		stmt, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("the floor's statement does not fit the database; has the product's schema changed? %w\n%s", err, text)
		}
		*into = stmt
	}
	return c, nil
}

func (c *claims) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("POST /claims/{slot}", func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		won, err := c.take(r.Context(), token, r.PathValue("slot"))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		case err != nil:
			fmt.Fprintln(os.Stderr, "floor:", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer := claimLost
		if won {
			answer = claimWon
		}
		_, _ = io.WriteString(w, answer)
	})
	return mux
}

// take tells whether the slot is the caller's now. sql.ErrNoRows says that there is no such session.
func (c *claims) take(ctx context.Context, session, slot string) (bool, error) {
	now := c.now().UTC()
	var user string
	if err := c.session.QueryRowContext(ctx, session, now).Scan(&user); err != nil {
		return false, err
	}
	c.writer.Lock()
	defer c.writer.Unlock()
	result, err := c.claim.ExecContext(ctx, slot, user, now.Format(time.RFC3339Nano))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
