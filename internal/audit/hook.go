package audit

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
)

// bookkeeping are the entities without events: the audit itself, histories of their own, and what only serves the machinery.
var bookkeeping = map[string]bool{
	ent.TypeAuditEvent:      true,
	ent.TypeCounter:         true,
	ent.TypeDelivery:        true,
	ent.TypeIdempotencyKey:  true,
	ent.TypeLoginAttempt:    true,
	ent.TypeRateEvent:       true,
	ent.TypeSandboxCheckout: true,
	ent.TypeStream:          true,
	ent.TypeStreamEntry:     true,
	ent.TypeJobRun:          true,
}

// activity are the fields of a session that every request moves.
var activity = []string{session.FieldLastActivityAt, session.FieldExpiresAt}

func isBookkeeping(m ent.Mutation) bool {
	if m.Type() == ent.TypeSession && m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) {
		return !slices.ContainsFunc(written(m), func(f string) bool { return !slices.Contains(activity, f) })
	}
	return bookkeeping[m.Type()]
}

func written(m ent.Mutation) []string {
	return slices.Concat(m.Fields(), m.AddedFields(), m.ClearedFields())
}

// hook records every written row. It is the innermost hook: policy and stamps come before it.
func (r *Recorder) hook(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if isBookkeeping(m) {
			return next.Mutate(ctx, m)
		}
		if writesOthers(m) {
			return nil, fmt.Errorf("audit: a write of %s through an edge would leave no trace of the other row", m.Type())
		}
		before, err := r.before(ctx, m)
		if err != nil {
			return nil, err
		}
		value, err := next.Mutate(ctx, m)
		if err != nil {
			return value, err
		}
		after, err := r.after(ctx, m, value)
		if err != nil {
			return nil, err
		}
		if event, ok := describe(m, before, after); ok {
			err = r.Record(ctx, event)
		}
		return value, err
	})
}

func writesOthers(m ent.Mutation) bool {
	touched := slices.Concat(m.AddedEdges(), m.RemovedEdges(), m.ClearedEdges())
	return slices.ContainsFunc(touched, func(e string) bool { return slices.Contains(ent.ForeignEdges[m.Type()], e) })
}

type lockKey struct{}

// before reads the row that is about to be changed, as nobody else can change it any more; nil when there is none. The lock is no stronger than
// the one that the change itself takes.
func (r *Recorder) before(ctx context.Context, m ent.Mutation) (any, error) {
	strength := sql.LockNoKeyUpdate
	switch {
	case m.Op().Is(ent.OpDeleteOne):
		strength = sql.LockUpdate
	case !m.Op().Is(ent.OpUpdateOne):
		return nil, nil
	}
	id := idOf(m)
	if id == uuid.Nil {
		return nil, fmt.Errorf("audit: a change of one %s without its id", m.Type())
	}
	row, err := load(context.WithValue(access.System(ctx, "audit"), lockKey{}, strength), r.db.Client, m.Type(), id)
	if ent.IsNotFound(err) {
		return nil, nil // the change will find the same
	}
	return row, err
}

// after returns the row that the mutation answers, read again when a Select has left columns out of it.
func (r *Recorder) after(ctx context.Context, m ent.Mutation, value any) (any, error) {
	if row := rowOf(value); !m.Op().Is(ent.OpUpdateOne) || row.IsValid() && !row.FieldByName("CreatedAt").IsZero() {
		return value, nil
	}
	return load(access.System(ctx, "audit"), r.db.Client, m.Type(), idOf(m))
}

func idOf(m ent.Mutation) uuid.UUID {
	if row, ok := m.(interface{ ID() (uuid.UUID, bool) }); ok {
		id, _ := row.ID()
		return id
	}
	return uuid.Nil
}

// describe makes the event of a mutation that has been done; false when it has touched no row.
func describe(m ent.Mutation, before, value any) (Event, bool) {
	e := Event{Entity: m.Type()}
	switch {
	case m.Op().Is(ent.OpCreate):
		e.Action, e.EntityID, e.PatientID, e.Changes = auditevent.ActionCREATE, idOf(m), patientOf(value), diff(m.Type(), nil, value)
	case m.Op().Is(ent.OpUpdateOne):
		e.Action, e.EntityID, e.PatientID, e.Changes = auditevent.ActionUPDATE, idOf(m), patientOf(before), diff(m.Type(), before, value)
	case m.Op().Is(ent.OpDeleteOne):
		e.Action, e.EntityID, e.PatientID, e.Changes = auditevent.ActionDELETE, idOf(m), patientOf(before), diff(m.Type(), before, nil)
	default:
		return describeMany(m, value)
	}
	return e, true
}

// describeMany makes the one event of a write of many rows: its fields with their new values, and in "#rows" how many they were.
func describeMany(m ent.Mutation, value any) (Event, bool) {
	rows, _ := value.(int)
	e := Event{Action: auditevent.ActionDELETE, Entity: m.Type()}
	if m.Op().Is(ent.OpUpdate) {
		e.Action = auditevent.ActionUPDATE
		for _, name := range written(m) {
			if slices.Contains(unaudited, name) {
				continue
			}
			c := Change{Field: name}
			if v, ok := m.Field(name); ok {
				c.New = text(reflect.ValueOf(v))
			} else if v, ok := m.AddedField(name); ok {
				c.New = fmt.Sprintf("%+d", v)
			}
			e.Changes = append(e.Changes, c)
		}
	}
	e.Changes = append(e.Changes, Change{Field: "#rows", New: strconv.Itoa(rows)})
	return e, rows > 0
}

// record is a row that belongs to a patient.
type record interface{ PatientRef() uuid.UUID }

// patientOf returns the patient to whose record the row belongs; zero when it is nobody's.
func patientOf(row any) uuid.UUID {
	if p, ok := row.(record); ok {
		return p.PatientRef()
	}
	return uuid.Nil
}
