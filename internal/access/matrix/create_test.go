package matrix_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
)

// serialBase sets the usual values of new rows apart from those of the world.
const serialBase = 1000

// creationsOf makes every row of the table of creations, alone and in one statement with a row that is allowed.
func (m *matrix) creationsOf(viewer string) (tries []try) {
	allowed := map[string]creation{} // the first one of each entity
	n := serialBase
	for _, c := range creations {
		if m.only != "" && m.only != c.entity {
			continue
		}
		for _, refs := range expand(c.refs) {
			n++
			may, serial := viewers(c.may)[viewer], n
			tries = append(tries, try{
				way: wayCreate, entity: c.entity, what: "new " + c.entity + " with " + refs, may: may,
				do: func(ctx context.Context) error {
					builder := entityOf(m.db.Client, c.entity).create()
					if _, err := m.fill(builder, serial, c.entity, refs, c.values); err != nil {
						return err
					}
					return builder.exec(ctx)
				},
			})
			good, ok := allowed[c.entity]
			switch {
			case may && !ok:
				allowed[c.entity] = creation{c.entity, refs, c.values, c.may}
			case !may && ok && !isSameVisit(good.refs, refs):
				tries = append(tries, m.together(good, creation{c.entity, refs, c.values, ""}, n))
			}
		}
	}
	return tries
}

// isSameVisit tells whether both rows hang on one visit, of which there may be one row alone.
func isSameVisit(a, b string) bool {
	visit, _, _ := strings.Cut(a, " ")
	return strings.HasPrefix(visit, "appointment_id=") && strings.HasPrefix(b, visit+" ")
}

// together makes an allowed and a forbidden row in one statement, which must be refused.
func (m *matrix) together(good, bad creation, n int) try {
	return try{
		way: wayCreate, entity: bad.entity, what: "new " + bad.entity + " with " + bad.refs + " beside an allowed one",
		do: func(ctx context.Context) error {
			e := entityOf(m.db.Client, bad.entity)
			var builders []reflect.Value
			for i, c := range []creation{good, bad} {
				builder := e.create()
				if _, err := m.fill(builder, 2*serialBase+2*n+i, c.entity, c.refs, c.values); err != nil {
					return err
				}
				if c.entity == "Appointment" { // two in one slot
					if err := builder.mutation().SetField("status", dead["status"]); err != nil {
						return err
					}
				}
				builders = append(builders, builder.Value)
			}
			return write{e.client.MethodByName("CreateBulk").Call(builders)[0]}.exec(ctx)
		},
	}
}

// expand lists what a list of references with alternatives stands for.
func expand(refs string) []string {
	list := []string{""}
	for key := range strings.FieldsSeq(refs) {
		column, names, _ := strings.Cut(key, "=")
		var longer []string
		for _, begun := range list {
			for name := range strings.SplitSeq(names, "|") {
				longer = append(longer, strings.TrimSpace(begun+" "+column+"="+name))
			}
		}
		list = longer
	}
	return list
}

// Every entity is created, and every foreign key of it is tried under a parent that somebody who may create such rows cannot read.
func TestCreationsAreComplete(t *testing.T) {
	t.Parallel()
	db := testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start))
	w := build(t, db)
	for _, e := range entities(db.Client) {
		tried := map[string]bool{}
		var makers set = map[string]bool{}
		for _, c := range creations {
			if c.entity == e.name {
				tried[""] = true
				for name := range viewers(c.may) {
					makers[name] = true
				}
			}
		}
		for _, c := range creations {
			if c.entity != e.name {
				continue
			}
			for _, refs := range expand(c.refs) {
				for key := range strings.FieldsSeq(refs) {
					column, name, _ := strings.Cut(key, "=")
					tried[column] = tried[column] || len(makers) == 0 || w.isHiddenFromOne(refTargets[column], name, makers)
				}
			}
		}
		for _, column := range append([]string{""}, e.columns()...) {
			if (column == "" || refTargets[column] != "") && !tried[column] {
				t.Errorf("no creation tries %s.%s under a parent that is hidden from one of %v", e.name, column, makers)
			}
		}
	}
}

// isHiddenFromOne tells whether one of the viewers may not read the row, or all may read every row of its entity.
func (w *world) isHiddenFromOne(entity, name string, makers set) bool {
	hides := false
	for viewer := range makers {
		if !w.read[w.ids[entity+" "+name]][viewer] {
			return true
		}
		hides = hides || len(w.hidden(w.of(entity), viewer)) > 0
	}
	return !hides
}
