package stream

import (
	"context"
	"log/slog"
	"sync"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/store"
)

const (
	maxTopic   = 200
	maxWaiting = 10_000
)

// Hint says that a stream is at a position, or, with a Topic, that something happened to that.
type Hint struct {
	Stream   uuid.UUID
	Position int64
	Topic    string
}

// Bus carries hints between the instances of one database. It may lose, double and reorder them.
type Bus interface {
	// Send takes hints for the other instances. It never waits.
	Send(hints ...Hint)
	// Receive registers who gets the hints of other instances, and who is told that some may have been lost. It is called once, before Run.
	Receive(hint func(Hint), lost func())
	// Run sends and receives until ctx ends.
	Run(ctx context.Context)
}

// NewBus returns the bus of the database: LISTEN/NOTIFY on PostgreSQL. An SQLite database has one process, so there is nobody to tell.
func NewBus(db *store.DB, logger *slog.Logger) Bus {
	if db.Dialect() == dialect.Postgres {
		return newPostgresBus(db, logger)
	}
	return noBus{}
}

type noBus struct{}

func (noBus) Send(...Hint)               {}
func (noBus) Receive(func(Hint), func()) {}
func (noBus) Run(context.Context)        {}

// outbox gathers the hints that wait to be sent; of a stream only the newest counts.
type outbox struct {
	mu      sync.Mutex
	streams map[uuid.UUID]int64
	topics  map[string]struct{}
	filled  chan struct{}
}

func newOutbox() *outbox {
	return &outbox{streams: map[uuid.UUID]int64{}, topics: map[string]struct{}{}, filled: make(chan struct{}, 1)}
}

// put adds hints. While the database is away hints beyond a bound are lost: the polls of the others find what they were about.
func (o *outbox) put(hints []Hint) {
	if len(hints) == 0 {
		return
	}
	o.mu.Lock()
	for _, h := range hints {
		known, has := o.streams[h.Stream]
		switch {
		case len(o.streams)+len(o.topics) >= maxWaiting && !has:
		case h.Topic != "":
			o.topics[h.Topic] = struct{}{}
		default:
			o.streams[h.Stream] = max(known, h.Position)
		}
	}
	o.mu.Unlock()
	signal(o.filled)
}

// take returns all that waits.
func (o *outbox) take() []Hint {
	o.mu.Lock()
	defer o.mu.Unlock()
	hints := make([]Hint, 0, len(o.streams)+len(o.topics))
	for topic := range o.topics {
		hints = append(hints, Hint{Topic: topic})
	}
	for id, position := range o.streams {
		hints = append(hints, Hint{Stream: id, Position: position})
	}
	clear(o.streams)
	clear(o.topics)
	return hints
}
