package store

import (
	"context"
	"database/sql"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
)

const maxStatements = 400

// statements is a bounded cache of prepared statements by text.
type statements struct {
	db      *sql.DB
	breaker *breaker
	cache   *lru.Cache[string, *sql.Stmt]
	wanted  chan string // texts first met inside a transaction
	cancel  context.CancelFunc
	done    chan struct{}
}

func newStatements(db *sql.DB, b *breaker) *statements {
	cache, err := lru.NewWithEvict(maxStatements, func(_ string, s *sql.Stmt) { _ = s.Close() })
	if err != nil {
		panic(err) // only for a size below one
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &statements{db: db, breaker: b, cache: cache, wanted: make(chan string, 64), cancel: cancel, done: make(chan struct{})}
	go s.prepareWanted(ctx)
	return s
}

// get returns the prepared statement. Preparing takes a connection of the pool; a caller inside a transaction holds one already and
// would wait for itself, so it gets nil for a text that is new, which is then prepared in the background.
func (s *statements) get(ctx context.Context, query string, inTransaction bool) (*sql.Stmt, error) {
	if stmt, ok := s.cache.Get(query); ok {
		return stmt, nil
	}
	if inTransaction {
		select {
		case s.wanted <- query:
		default: // busy: the next use asks again
		}
		return nil, nil
	}
	return s.prepare(ctx, query)
}

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if before, found, _ := s.cache.PeekOrAdd(query, stmt); found {
		_ = stmt.Close() //nolint:sqlclosecheck // somebody else prepared it first
		return before, nil
	}
	return stmt, nil
}

func (s *statements) prepareWanted(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-ctx.Done():
			return
		case query := <-s.wanted:
			s.prepareOne(ctx, query)
		}
	}
}

// prepareOne prepares the statement on a connection of its own.
func (s *statements) prepareOne(ctx context.Context, query string) {
	if s.cache.Contains(query) {
		return
	}
	leave, err := s.breaker.admit(ctx)
	if err != nil {
		return
	}
	defer leave()
	_, _ = s.prepare(ctx, query) //nolint:sqlclosecheck // the cache closes it; a failure shows where the statement is used
}

func (s *statements) close() {
	s.cancel()
	<-s.done
	s.cache.Purge()
}

// isClosed tells whether the cache closed the statement between get and its use.
func isClosed(err error) bool {
	return err != nil && strings.Contains(err.Error(), "sql: statement is closed") // database/sql has no value for it
}
