package stream

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	entstream "github.com/caregraph/caregraph/ent/stream"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
)

// Keeper keeps the logs of some streams. Positions are dense from 1 and in the order of commits, and rows are never changed: whoever writes them holds the
// stream's own row, and publishes after the commit.
type Keeper interface {
	// Events returns what follows a position, oldest first, at most limit.
	Events(ctx context.Context, stream uuid.UUID, after int64, limit int) ([]*Event, error)
	// Heads returns the positions of the newest events; a stream without events may be left out.
	Heads(ctx context.Context, streams []uuid.UUID) (map[uuid.UUID]int64, error)
}

// Keep has the streams whose ids are those of an entity read from its keeper: records that are a log already need no second one. Such streams are
// not appended to. Register keepers before the first reader.
func (l *Log) Keep(entity string, k Keeper) { l.keepers.Store(entity, k) }

func (l *Log) keeper(stream uuid.UUID) Keeper {
	if k, ok := l.keepers.Load(ids.Entity(stream)); ok {
		return k.(Keeper) // Keep stores nothing else
	}
	return entries{l.db}
}

// headsOf asks each keeper for the heads of its streams.
func (l *Log) headsOf(ctx context.Context, streams []uuid.UUID) (map[uuid.UUID]int64, error) {
	heads := make(map[uuid.UUID]int64, len(streams))
	byKeeper := map[Keeper][]uuid.UUID{}
	for _, id := range streams {
		k := l.keeper(id)
		byKeeper[k] = append(byKeeper[k], id)
	}
	for k, list := range byKeeper {
		some, err := k.Heads(access.System(ctx, "read the heads of streams"), padded(list))
		if err != nil {
			return nil, err
		}
		for id, head := range some {
			heads[id] = head
		}
	}
	return heads, nil
}

// padded repeats the first id until their number is a power of two, so that few texts of statements are prepared.
func padded(list []uuid.UUID) []uuid.UUID {
	size := 1
	for size < len(list) {
		size *= 2
	}
	return slices.Concat(list, slices.Repeat(list[:1], size-len(list)))
}

// entries is the keeper of all other streams.
type entries struct{ db *store.DB }

// Events implements Keeper.
func (k entries) Events(ctx context.Context, stream uuid.UUID, after int64, limit int) ([]*Event, error) {
	rows, err := k.db.Client.StreamEntry.Query().
		Where(streamentry.StreamID(stream), streamentry.PositionGT(after)).
		Order(streamentry.ByPosition()).Limit(limit).All(ctx)
	if err != nil {
		return nil, err
	}
	events := make([]*Event, len(rows))
	for i, row := range rows {
		events[i] = eventOf(row)
	}
	return events, nil
}

func eventOf(row *ent.StreamEntry) *Event {
	e := &Event{Stream: row.StreamID, Position: row.Position, Kind: row.Kind, OccurredAt: row.CreatedAt}
	if row.SubjectID != nil {
		e.Subject = *row.SubjectID
	}
	if row.Data != "" {
		e.Data = json.RawMessage(row.Data)
	}
	return e
}

// Heads implements Keeper.
func (k entries) Heads(ctx context.Context, streams []uuid.UUID) (map[uuid.UUID]int64, error) {
	rows, err := k.db.Client.Stream.Query().Where(entstream.IDIn(streams...)).All(ctx)
	if err != nil {
		return nil, err
	}
	heads := make(map[uuid.UUID]int64, len(rows))
	for _, row := range rows {
		heads[row.ID] = row.Position
	}
	return heads, nil
}
