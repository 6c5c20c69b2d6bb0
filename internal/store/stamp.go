package store

import (
	"context"
	"time"

	"entgo.io/ent"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/clock"
)

// stamp gives new rows id and time, moves version and updated_at of changed ones, and cuts every instant to what both engines keep. A write
// outside a transaction is refused.
func (db *DB) stamp(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if current(ctx) == nil {
			return nil, errNoTransaction
		}
		if err := db.stampMutation(m); err != nil {
			return nil, err
		}
		return next.Mutate(ctx, m)
	})
}

type identified interface {
	SetID(id uuid.UUID)
	ID() (uuid.UUID, bool)
}

func (db *DB) stampMutation(m ent.Mutation) error {
	now := db.Now()
	if m.Op().Is(ent.OpCreate) {
		if row, ok := m.(identified); ok {
			if _, has := row.ID(); !has {
				row.SetID(db.NewID(m.Type()))
			}
		}
		if _, has := m.Field("created_at"); !has {
			if err := m.SetField("created_at", now); err != nil {
				return err
			}
		}
	}
	if v, ok := m.(interface{ SetUpdatedAt(time.Time) }); ok && !m.Op().Is(ent.OpDelete|ent.OpDeleteOne) {
		v.SetUpdatedAt(now)
		if bump, ok := m.(interface{ AddVersion(int) }); ok && m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) {
			bump.AddVersion(1)
		}
	}
	for _, name := range m.Fields() {
		if value, ok := m.Field(name); ok {
			if t, is := value.(time.Time); is {
				if err := m.SetField(name, clock.Instant(t)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// NewID returns a new id for the entity, stamped by the injected clock.
func (db *DB) NewID(entity string) uuid.UUID { return db.ids.New(entity, db.Now()) }
