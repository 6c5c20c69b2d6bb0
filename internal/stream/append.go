package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	maxKind = 60
	maxData = 2000
	// SQLite takes 32,766 parameters in a statement.
	needsPerStatement   = 32_766 / 4
	entriesPerStatement = 32_766 / 8
)

// Entry is an event to be written.
type Entry struct {
	Stream    uuid.UUID
	Kind      string    // at most 60 bytes
	Subject   uuid.UUID // uuid.Nil: none
	Data      any       // what becomes at most 2,000 bytes of JSON; nil: none. Never medical text
	PatientID uuid.UUID // to whose record the event belongs; uuid.Nil: nobody's
	Position  int64     // for Write alone: a position that Reserve gave
	Value     any       // for Write alone: the Value of the event
}

type encoded string

// encode checks the entry and returns its data as they are stored.
func (e *Entry) encode() (encoded, error) {
	if done, ok := e.Data.(encoded); ok {
		return done, nil
	}
	if e.Stream == uuid.Nil || e.Kind == "" || len(e.Kind) > maxKind {
		return "", fmt.Errorf("stream: an entry needs a stream and a kind of at most %d bytes: %q", maxKind, e.Kind)
	}
	if e.Data == nil {
		return "", nil
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return "", fmt.Errorf("stream: data of %s: %w", e.Kind, err)
	}
	if len(data) > maxData {
		return "", fmt.Errorf("stream: data of %s are longer than %d bytes", e.Kind, maxData)
	}
	return encoded(data), nil
}

type pendingKey struct{ *Log }

// pending are the entries of one transaction.
type pending struct {
	entries   []Entry
	scheduled bool
}

// Append adds an event to the transaction of ctx and publishes it after the commit. Any service may call it, for its own streams; it fails outside a
// transaction and for an entry that cannot be stored.
func (l *Log) Append(ctx context.Context, e Entry) error {
	p, err := store.Buffer(ctx, pendingKey{l}, func() *pending { return &pending{} })
	if err != nil {
		return err
	}
	if e.Data, err = e.encode(); err != nil {
		return err
	}
	p.entries = append(p.entries, e)
	if p.scheduled {
		return nil
	}
	p.scheduled = true
	// The second round lets other steps before the commit go first: the streams' rows, which all writers want, are locked as late as can be.
	return store.BeforeCommit(ctx, func(ctx context.Context) error {
		return store.BeforeCommit(ctx, func(ctx context.Context) error { return l.flush(ctx, p) })
	})
}

// flush writes the entries of the transaction.
func (l *Log) flush(ctx context.Context, p *pending) error {
	p.scheduled = false // a later step before the commit may append again
	entries := p.entries
	p.entries = nil
	needs := make([]Need, len(entries))
	for i, e := range entries {
		needs[i] = Need{Stream: e.Stream, Events: 1}
	}
	places, err := l.Reserve(ctx, needs)
	if err != nil {
		return err
	}
	for i := range entries {
		place := places[entries[i].Stream]
		entries[i].Position = place.Position
		place.Position++
		places[entries[i].Stream] = place
	}
	events, err := l.Write(ctx, entries)
	if err != nil {
		return err
	}
	store.AfterCommit(ctx, func(context.Context) { l.Publish(events...) })
	return nil
}

// Need tells how many numbers of a stream to reserve. Several needs of one stream add up.
type Need struct {
	Stream uuid.UUID
	Events int
	Items  int
}

// Place holds the first of the reserved numbers of a stream; the others follow it.
type Place struct{ Position, Items int64 }

// Reserve locks the streams until the transaction of ctx ends and gives it the numbers that follow. All reserved positions must be written in the same
// transaction; see Write. It is for the writer that numbers its own records, others use Append.
func (l *Log) Reserve(ctx context.Context, needs []Need) (map[uuid.UUID]Place, error) {
	if !store.InTx(ctx) {
		return nil, errNoTransaction
	}
	places := make(map[uuid.UUID]Place, len(needs))
	sums := make(map[uuid.UUID]Need, len(needs))
	for _, n := range needs {
		sum := sums[n.Stream]
		sums[n.Stream] = Need{Stream: n.Stream, Events: sum.Events + n.Events, Items: sum.Items + n.Items}
	}
	sorted := make([]Need, 0, len(sums))
	for _, sum := range sums {
		sorted = append(sorted, sum)
	}
	slices.SortFunc(sorted, func(a, b Need) int { return bytes.Compare(a.Stream[:], b.Stream[:]) })
	for chunk := range slices.Chunk(sorted, needsPerStatement) {
		err := l.db.Query(access.System(ctx, "append to streams"), "number events", l.raise(chunk), func(row *entsql.Rows) error {
			var id uuid.UUID
			var last Place
			if err := row.Scan(&id, &last.Position, &last.Items); err != nil {
				return err
			}
			sum := sums[id]
			places[id] = Place{Position: last.Position - int64(sum.Events) + 1, Items: last.Items - int64(sum.Items) + 1}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return places, nil
}

var errNoTransaction = errors.New("stream: a log is written in a transaction")

// raise is the statement that raises the counters; both engines lock the rows in the order in which they stand in it.
func (l *Log) raise(needs []Need) store.Statement {
	insert := l.db.Build().Insert(entstream.Table).
		Columns(entstream.FieldID, entstream.FieldCreatedAt, entstream.FieldPosition, entstream.FieldItems)
	now := l.db.Now()
	for _, n := range needs {
		insert.Values(n.Stream, now, n.Events, n.Items)
	}
	return insert.OnConflict(entsql.ConflictColumns(entstream.FieldID), entsql.ResolveWith(func(u *entsql.UpdateSet) {
		for _, counter := range []string{entstream.FieldPosition, entstream.FieldItems} {
			u.Set(counter, entsql.Expr(entstream.Table+"."+counter+" + excluded."+counter))
		}
	})).Returning(entstream.FieldID, entstream.FieldPosition, entstream.FieldItems)
}

// Write stores entries at the positions that Reserve gave to the same transaction and returns their events, in the given order. The caller publishes them
// after the commit, when it has loaded their Values or left that to the sources.
func (l *Log) Write(ctx context.Context, entries []Entry) ([]*Event, error) {
	now := l.db.Now()
	events := make([]*Event, 0, len(entries))
	for chunk := range slices.Chunk(entries, entriesPerStatement) {
		insert := l.db.Build().Insert(streamentry.Table).Columns(streamentry.FieldID, streamentry.FieldCreatedAt, streamentry.FieldStreamID,
			streamentry.FieldPosition, streamentry.FieldKind, streamentry.FieldSubjectID, streamentry.FieldData, streamentry.FieldPatientID)
		for _, e := range chunk {
			data, err := e.encode()
			if err != nil {
				return nil, err
			}
			insert.Values(l.db.NewID(ent.TypeStreamEntry), now, e.Stream, e.Position, e.Kind, nullable(e.Subject), string(data), nullable(e.PatientID))
			event := &Event{Stream: e.Stream, Position: e.Position, Kind: e.Kind, Subject: e.Subject, OccurredAt: now, Value: e.Value}
			if data != "" {
				event.Data = json.RawMessage(data)
			}
			events = append(events, event)
		}
		if _, err := l.db.Exec(access.System(ctx, "append to streams"), "write events", insert); err != nil {
			return nil, err
		}
	}
	return events, nil
}

func nullable(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}
