package store

import (
	"context"
	"time"

	"entgo.io/ent"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
)

// stamp gives new rows id and time, moves version and updated_at of changed ones, and cuts every instant to what both engines keep. A write
// outside a transaction is refused.
func stamp(clk clock.Clock) ent.Hook {
	return func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if current(ctx) == nil {
				return nil, errNoTransaction
			}
			if err := stampMutation(m, clk.Now()); err != nil {
				return nil, err
			}
			return next.Mutate(ctx, m)
		})
	}
}

type identified interface {
	SetID(id uuid.UUID)
	ID() (uuid.UUID, bool)
}

func stampMutation(m ent.Mutation, now time.Time) error {
	if m.Op().Is(ent.OpCreate) {
		if row, ok := m.(identified); ok {
			if _, has := row.ID(); !has {
				row.SetID(ids.New(m.Type(), now))
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
