package matrix_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/fault"
)

// try is one write of one viewer.
type try struct {
	way, entity, what string
	may               bool
	do                func(ctx context.Context) error
	// hasMoved tells, as the system, whether a write that was not refused had the effect. Without it no error means that it had.
	hasMoved func(ctx context.Context) (bool, error)
}

// writes tries every way of writing on the ent client.
func (m *matrix) writes(ctx context.Context) {
	for _, viewer := range viewerNames {
		var tries []try
		for _, e := range m.entitiesTried() {
			tries = append(tries, m.updatesOf(e, viewer)...)
			tries = append(tries, m.deletesOf(e, viewer)...)
			tries = append(tries, m.movesOf(e)...)
			tries = append(tries, m.adoptionsOf(e)...)
			tries = append(tries, m.bulksOf(e)...)
		}
		tries = append(tries, m.creationsOf(viewer)...)
		m.attempt(ctx, viewer, tries)
	}
}

var errRollback = errors.New("matrix: roll back")

// attempt makes the tries, each as if it were alone: a transaction goes on only as long as nothing has been written.
func (m *matrix) attempt(ctx context.Context, viewer string, tries []try) {
	for i := 0; i < len(tries) && !m.over(); {
		err := m.db.WithTx(ctx, func(ctx context.Context) error {
			for clean := true; clean && i < len(tries) && !m.over(); i++ {
				clean = m.attemptOne(ctx, viewer, tries[i])
			}
			return errRollback
		})
		if !errors.Is(err, errRollback) {
			m.violated(wayUpdate, viewer, "transaction: %v", err)
		}
	}
}

// attemptOne makes one try and tells whether the transaction is as it was before.
func (m *matrix) attemptOne(ctx context.Context, viewer string, t try) (clean bool) {
	m.tried(t.way, t.entity)
	err := t.do(m.as(ctx, viewer))
	refused := errors.Is(err, fault.ErrForbidden) || ent.IsNotFound(err)
	done := err == nil
	if done && t.hasMoved != nil {
		if done, err = t.hasMoved(m.system(ctx)); err != nil {
			m.violated(t.way, viewer, "%s: what came of it? %v", t.what, err)
			return false
		}
	}
	switch {
	case err != nil && !refused && (!t.may || t.way != wayDelete || !ent.IsConstraintError(err)): // a row that others hang on stays: the policy let it pass
		m.note(violation{way: t.way, viewer: viewer, text: fmt.Sprintf("%s: not decided by the policy: %v", t.what, err), undecided: true})
	case done && !t.may:
		m.violated(t.way, viewer, "%s: it must be refused", t.what)
	case refused && t.may:
		m.violated(t.way, viewer, "%s: it must be allowed: %v", t.what, err)
	}
	return refused && t.way != wayCreate
}

// updatesOf changes every column of every row.
func (m *matrix) updatesOf(e entity, viewer string) (tries []try) {
	kinds := kindOf(e.name)
	for _, r := range m.rows {
		if r.entity != e.name {
			continue
		}
		id := m.ids[r.entity+" "+r.name]
		for _, column := range e.columns() {
			kind := kinds[column]
			if kind == stamped || refTargets[column] != "" {
				continue
			}
			t := try{way: wayUpdate, entity: e.name, what: "change of " + m.names[id] + " " + column, may: kind != fixed && viewers(r.change[kind])[viewer]}
			t.do = func(ctx context.Context) error {
				w := e.updateOne(id)
				if err := setOrClear(w.mutation(), column, m.present[id][column]); err != nil {
					return err
				}
				return w.exec(ctx)
			}
			if kind == fixed {
				t.hasMoved = func(context.Context) (bool, error) { return false, nil } // ent leaves such a column out of the statement
			}
			tries = append(tries, t)
		}
	}
	return tries
}

// setOrClear writes the value that the column has: what counts is who may write it.
func setOrClear(mutation ent.Mutation, column string, value any) error {
	if value == nil {
		if mutation.ClearField(column) == nil {
			return nil
		}
		return fault.ErrForbidden // ent knows no way to clear it
	}
	return mutation.SetField(column, value)
}

func (m *matrix) deletesOf(e entity, viewer string) (tries []try) {
	for _, r := range m.rows {
		if r.entity != e.name {
			continue
		}
		id := m.ids[r.entity+" "+r.name]
		tries = append(tries, try{
			way: wayDelete, entity: e.name, what: "delete of " + m.names[id], may: viewers(r.remove)[viewer],
			do: func(ctx context.Context) error { return e.deleteOne(id).exec(ctx) },
		})
	}
	return tries
}

// otherParents are how many other parents a row is moved to.
const otherParents = 3

// movesOf hangs every row under other parents, by its own foreign keys. Nobody may.
func (m *matrix) movesOf(e entity) (tries []try) {
	for _, id := range m.of(e.name) {
		for _, column := range e.columns() {
			target := refTargets[column]
			if target == "" {
				continue
			}
			others := slices.DeleteFunc(m.of(target), func(other uuid.UUID) bool { return m.refs[id][column] == other })
			for _, other := range others[:min(otherParents, len(others))] {
				tries = append(tries, try{
					way: wayMove, entity: e.name, what: fmt.Sprintf("move of %s to %s by %s", m.names[id], m.names[other], column),
					do: func(ctx context.Context) error {
						w := e.updateOne(id)
						if err := w.mutation().SetField(column, other); err != nil {
							return err
						}
						return w.exec(ctx)
					},
					hasMoved: func(ctx context.Context) (bool, error) {
						now, err := e.updateOne(id).mutation().OldField(ctx, column)
						return pointee(now) == other, err
					},
				})
			}
		}
	}
	return tries
}

// adoptionsOf takes and drops children from the parents' side, where the keys are in the children. Nobody may.
func (m *matrix) adoptionsOf(e entity) (tries []try) {
	for _, l := range links[e.name] {
		if !l.back {
			continue
		}
		stem := strings.TrimSuffix(l.name, "s")
		for _, parent := range m.of(e.name) {
			own := m.follow(parent, l)
			others := slices.DeleteFunc(m.of(l.target), func(id uuid.UUID) bool { return slices.Contains(own, id) })
			child := others[:1]
			for _, way := range []struct {
				method string
				ids    []uuid.UUID
			}{
				{"Add" + stem + "IDs", child}, {"Add" + l.name + "IDs", child}, {"Set" + l.name + "ID", child},
				{"Remove" + stem + "IDs", own}, {"Remove" + l.name + "IDs", own}, {"Clear" + l.name, nil},
			} {
				if !e.updateOne(parent).onEdge(way.method, way.ids...) {
					continue
				}
				tries = append(tries, try{
					way: wayMove, entity: l.target, what: fmt.Sprintf("%s of %s %s", way.method, m.names[parent], m.label(way.ids)),
					do: func(ctx context.Context) error {
						w := e.updateOne(parent)
						w.onEdge(way.method, way.ids...)
						return w.exec(ctx)
					},
				})
			}
		}
	}
	return tries
}

// bulksOf writes all rows at once, and all of another viewer's at once. Nobody may.
func (m *matrix) bulksOf(e entity) []try {
	first := m.of(e.name)[0]
	one := func(w write) write {
		w.mutation().(interface{ SetID(uuid.UUID) }).SetID(first)
		return w
	}
	update := func(w write) func(context.Context) error {
		return func(ctx context.Context) error {
			for column, kind := range kindOf(e.name) {
				if kind != fixed && kind != stamped {
					if err := setOrClear(w.mutation(), column, m.present[first][column]); err != nil {
						return err
					}
				}
			}
			return w.exec(ctx)
		}
	}
	return []try{
		{way: wayUpdate, entity: e.name, what: "change of all " + e.name, do: func(ctx context.Context) error { return update(e.updateAll())(ctx) }},
		{way: wayUpdate, entity: e.name, what: "change of all with an id " + e.name, do: func(ctx context.Context) error { return update(one(e.updateAll()))(ctx) }},
		{way: wayDelete, entity: e.name, what: "delete of all " + e.name, do: func(ctx context.Context) error { return e.deleteAll().exec(ctx) }},
	}
}

// kindOf gives the kind of every column of the entity.
func kindOf(entity string) map[string]string {
	kinds := map[string]string{}
	for kind, columns := range columnKinds[entity] {
		for column := range strings.FieldsSeq(columns) {
			kinds[column] = kind
		}
	}
	return kinds
}
