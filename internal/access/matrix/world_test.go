package matrix_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

const password = "nine slow kettles"

// passwordHash is cheap to check: no test here is about its cost.
var passwordHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return hash
})

// world is the rows of the table in one database.
type world struct {
	db      *store.DB
	rows    []row
	ids     map[string]uuid.UUID // by entity and name, as "Slot dora.free"
	names   map[uuid.UUID]string
	refs    map[uuid.UUID]map[string]uuid.UUID // foreign keys of each row, by column
	present map[uuid.UUID]values               // columns of each row as stored
	read    map[uuid.UUID]set                  // who may read the row
	viewers map[string]*access.Viewer
}

func build(tb testing.TB, db *store.DB) *world {
	tb.Helper()
	w := &world{db: db, rows: rows, ids: map[string]uuid.UUID{}, names: map[uuid.UUID]string{}, refs: map[uuid.UUID]map[string]uuid.UUID{},
		present: map[uuid.UUID]values{}, read: map[uuid.UUID]set{}, viewers: map[string]*access.Viewer{}}
	testkit.Write(tb, db, func(ctx context.Context) error {
		for n, r := range w.rows {
			if err := w.add(ctx, n, r); err != nil {
				return fmt.Errorf("%s %s: %w", r.entity, r.name, err)
			}
		}
		return nil
	})
	testkit.Write(tb, db, w.remember)
	for _, p := range people {
		w.viewers[p.name] = &access.Viewer{
			UserID: w.ids["User "+p.name], SessionID: ids.New("Session", at(0)), PatientID: w.ids["Patient "+p.name],
			PractitionerID: w.ids["Practitioner "+p.name], Roles: p.roles, IP: "203.0.113.7", UserAgent: "matrix",
		}
	}
	return w
}

// add stores one row of the table.
func (w *world) add(ctx context.Context, n int, r row) error {
	builder := entityOf(w.db.Client, r.entity).create()
	refs, err := w.fill(builder, n, r.entity, r.refs, r.values)
	if err != nil {
		return err
	}
	for _, p := range people {
		if r.entity == "User" && p.name == r.name {
			err = builder.mutation().SetField("roles", roleNames(p.roles))
		}
	}
	if err == nil {
		err = builder.exec(ctx)
	}
	if err != nil {
		return err
	}
	id, _ := builder.mutation().(interface{ ID() (uuid.UUID, bool) }).ID()
	w.ids[r.entity+" "+r.name], w.names[id], w.refs[id], w.read[id] = id, r.entity+" "+r.name, refs, viewers(r.read)
	return nil
}

// fill sets the columns of a new row: the entity's usual ones, the time of the slot that it takes, those of the row, and its foreign keys.
func (w *world) fill(builder write, n int, entity, keys string, own values) (map[string]uuid.UUID, error) {
	m := builder.mutation()
	for _, set := range []values{usual(entity, n), timeOfSlot(keys), own} {
		for column, value := range set {
			if err := m.SetField(column, value); err != nil {
				return nil, err
			}
		}
	}
	refs := map[string]uuid.UUID{}
	for key := range strings.FieldsSeq(keys) {
		column, name, _ := strings.Cut(key, "=")
		id, ok := w.ids[refTargets[column]+" "+name]
		if !ok {
			return nil, fmt.Errorf("no row %s %q", refTargets[column], name)
		}
		refs[column] = id
		if err := m.SetField(column, id); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

// timeOfSlot is the time of a visit: its slot's. Nothing where the row takes none.
func timeOfSlot(keys string) values {
	for key := range strings.FieldsSeq(keys) {
		name, takesOne := strings.CutPrefix(key, "slot_id=")
		i := slices.IndexFunc(rows, func(r row) bool { return takesOne && r.entity == "Slot" && r.name == name })
		if i >= 0 {
			return values{"starts_at": rows[i].values["starts_at"], "ends_at": rows[i].values["ends_at"]}
		}
	}
	return nil
}

// remember keeps every column of every row as it is stored.
func (w *world) remember(ctx context.Context) error {
	for id, name := range w.names {
		entity, _, _ := strings.Cut(name, " ")
		e := entityOf(w.db.Client, entity)
		m := e.updateOne(id).mutation()
		w.present[id] = values{}
		for _, column := range e.columns() {
			value, err := m.OldField(ctx, column)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", name, column, err)
			}
			w.present[id][column] = pointee(value)
		}
	}
	return nil
}

// pointee takes the pointer off a nullable column's value; nil for null.
func pointee(value any) any {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Pointer {
		return value
	}
	if v.IsNil() {
		return nil
	}
	return v.Elem().Interface()
}

func roleNames(roles []access.Role) []string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return names
}

// as returns a ctx in which the viewer asks.
func (w *world) as(ctx context.Context, viewer string) context.Context {
	if v := w.viewers[viewer]; v != nil {
		return access.As(ctx, v)
	}
	return ctx
}

// of lists the rows of an entity, in the order of their ids, which is that of the table.
func (w *world) of(entity string) []uuid.UUID {
	var list []uuid.UUID
	for _, r := range w.rows {
		if r.entity == entity {
			list = append(list, w.ids[r.entity+" "+r.name])
		}
	}
	return list
}

// seen keeps the rows that the viewer may read.
func (w *world) seen(list []uuid.UUID, viewer string) []uuid.UUID {
	return slices.DeleteFunc(slices.Clone(list), func(id uuid.UUID) bool { return !w.read[id][viewer] })
}

// hidden keeps the others.
func (w *world) hidden(list []uuid.UUID, viewer string) []uuid.UUID {
	return slices.DeleteFunc(slices.Clone(list), func(id uuid.UUID) bool { return w.read[id][viewer] })
}

// label names rows for messages.
func (w *world) label(list []uuid.UUID) string {
	names := make([]string, len(list))
	for i, id := range list {
		if names[i] = w.names[id]; names[i] == "" {
			names[i] = "a row from outside the world (" + ids.Entity(id) + ")"
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}
