// Package matrix_test tries every way in which a viewer could get at a row, for every viewer and row of one fixed world, and compares what happens
// with tables (people, rows, columns, creations, links, operations) that were written from the specification. It shares no rule with the policy.
//
// Entities, edges and columns come from ent, types and operations from the schema: what is new and has no entry fails.
package matrix_test

import (
	"fmt"
	"slices"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestMatrix tries every cell of entity, viewer and way on the ent client: on SQLite, and in the long tests on PostgreSQL too.
func TestMatrix(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		isPostgres := db.Dialect() == dialect.Postgres
		if isPostgres {
			testkit.Long(t)
		}
		m := newMatrix(build(t, db), maxViolations)
		if isPostgres || !testkit.IsLong() {
			m.pathDepth = 2 // planning longer joins takes PostgreSQL seconds; SQLite walks them all in the long tests, and loading along goes to the full depth always
		}
		m.reads(t.Context())
		m.writes(t.Context())
		for _, v := range m.violations {
			t.Error(v)
		}
		least := len(entities(db.Client)) * (len(access.Roles) + 1) * len(ways)
		fmt.Printf("access matrix (%s): %d cells, at least %d: %v\n", db.Dialect(), m.total(), least, m.cells)
		if !t.Failed() && m.total() < least {
			t.Errorf("%d cells are fewer than entities x roles x ways = %d", m.total(), least)
		}
		for _, e := range entities(db.Client) {
			if !m.touched[e.name] {
				t.Errorf("no cell of %s was tried", e.name)
			}
		}
		for _, way := range ways {
			if m.cells[way] == 0 {
				t.Errorf("no cell of the way %q was tried", way)
			}
		}
	})
}

// The tables must know every entity, edge and column, and every entity has at least two rows.
func TestTablesAreComplete(t *testing.T) {
	t.Parallel()
	db := testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start))
	for _, e := range entities(db.Client) {
		if n := len(slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.entity != e.name })); n < 2 {
			t.Errorf("%s has %d rows: the table needs two or more", e.name, n)
		}
		if _, ok := access.Policy[e.name]; !ok {
			t.Errorf("the policy does not name %s", e.name)
		}
		checkEdges(t, e)
		checkColumns(t, e)
	}
}

func checkEdges(t *testing.T, e entity) {
	t.Helper()
	var known []string
	for _, l := range links[e.name] {
		known = append(known, l.name)
	}
	slices.Sort(known)
	if found := edgesOf(e.query()); !slices.Equal(found, known) {
		t.Errorf("edges of %s: the table has %v, ent has %v", e.name, known, found)
	}
}

func checkColumns(t *testing.T, e entity) {
	t.Helper()
	kinds := kindOf(e.name)
	for _, column := range e.columns() {
		if _, ok := kinds[column]; !ok {
			t.Errorf("no entry says who may change %s.%s", e.name, column)
		}
		delete(kinds, column)
	}
	for column := range kinds {
		t.Errorf("the table has a column that %s has not: %s", e.name, column)
	}
	for _, r := range rows {
		if r.entity != e.name {
			continue
		}
		for kind := range columnKinds[e.name] {
			if _, ok := r.change[kind]; !ok && kind != fixed && kind != stamped {
				t.Errorf("no entry says who may change the %q columns of %s %s", kind, r.entity, r.name)
			}
		}
	}
}
