package matrix_test

import (
	"context"
	"fmt"
	"reflect"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
)

// maxDepth is how many edges a nested way follows.
const maxDepth = 4

// reads tries every way of reading on the ent client.
func (m *matrix) reads(ctx context.Context) {
	m.each(ctx, m.tryNode)
	m.each(ctx, m.tryLists)
	m.each(ctx, m.tryCounts)
	m.each(ctx, m.tryPages)
	m.each(ctx, m.tryEager)
	m.each(ctx, m.tryPaths)
	m.tryColumns(ctx)
}

// tryNode gets every row by its id.
func (m *matrix) tryNode(ctx context.Context, e entity, viewer string) {
	for _, id := range m.of(e.name) {
		m.tried(wayNode, e.name)
		out, err := call(e.client, "Get", ctx, id)
		switch allowed := m.read[id][viewer]; {
		case allowed && err != nil:
			m.violated(wayNode, viewer, "get of %s: %v", m.names[id], err)
		case allowed && out.Interface().(record).RecordID() != id:
			m.violated(wayNode, viewer, "get of %s gave another row", m.names[id])
		case !allowed && !ent.IsNotFound(err):
			m.violated(wayNode, viewer, "get of %s: it is hidden, but %v", m.names[id], err)
		}
	}
}

// tryLists asks for all rows: by their ids, without a condition, and one by one by id and condition.
func (m *matrix) tryLists(ctx context.Context, e entity, viewer string) {
	every := m.of(e.name)
	seen := m.seen(every, viewer)
	args := make([]any, len(every))
	for i, id := range every {
		args[i] = id
	}
	q := e.query()
	q.WhereP(func(s *sql.Selector) { s.Where(sql.In(s.C("id"), args...)) })
	got, err := q.all(ctx)
	m.same(wayNodes, viewer, e.name, "rows by their ids", seen, got, err, false)

	got, err = e.query().all(ctx)
	m.same(wayList, viewer, e.name, "list", seen, got, err, false)
	for _, id := range every {
		q := e.query()
		q.WhereP(func(s *sql.Selector) { s.Where(sql.Or(sql.EQ(s.C("id"), id), sql.False())) })
		got, err := q.ids(ctx)
		m.same(wayFilter, viewer, e.name, "row by a condition on the id", m.seen([]uuid.UUID{id}, viewer), got, err, false)
	}
}

// tryCounts counts in every way that ent knows.
func (m *matrix) tryCounts(ctx context.Context, e entity, viewer string) {
	want := len(m.seen(m.of(e.name), viewer))
	count := func(what string, got int, err error) {
		m.tried(wayCount, e.name)
		if err != nil || got != want {
			m.violated(wayCount, viewer, "%s of %s: want %d, got %d %v", what, e.name, want, got, err)
		}
	}
	out, err := call(e.query().value, "Count", ctx)
	count("count", int(out.Int()), err)

	list, err := e.query().ids(ctx)
	count("ids", len(list), err)

	out, err = call(e.query().value, "Exist", ctx)
	m.tried(wayCount, e.name)
	if err != nil || out.Bool() != (want > 0) {
		m.violated(wayCount, viewer, "existence of %s: want %t, got %t %v", e.name, want > 0, out.Bool(), err)
	}

	var sums []int
	selected := e.query().value.MethodByName("Aggregate").Call([]reflect.Value{reflect.ValueOf(ent.Count())})[0]
	_, err = call(selected, "Scan", ctx, &sums)
	count("aggregate", append(sums, -1)[0], err)

	var groups []struct {
		ID    uuid.UUID `json:"id"`
		Count int       `json:"count"`
	}
	grouped := e.query().value.MethodByName("GroupBy").Call([]reflect.Value{reflect.ValueOf("id")})[0]
	grouped.MethodByName("Aggregate").Call([]reflect.Value{reflect.ValueOf(ent.Count())})
	_, err = call(grouped, "Scan", ctx, &groups)
	count("groups", len(groups), err)
}

// tryColumns looks for hidden rows by the value of every column, and sorts by every column. The system's own answer says which rows have the value,
// and in which order; the tables say which of them the viewer sees.
func (m *matrix) tryColumns(ctx context.Context) {
	type sorting struct{ entity, column string }
	orders := map[sorting][]uuid.UUID{}
	for _, e := range m.entitiesTried() {
		for _, column := range e.columns() {
			sorted, err := sortedBy(e, column).all(m.system(ctx))
			if err != nil {
				m.violated(wayOrder, "the system", "%s by %s: %v", e.name, column, err)
			}
			orders[sorting{e.name, column}] = sorted
		}
	}
	m.each(ctx, func(ctx context.Context, e entity, viewer string) {
		for _, column := range e.columns() {
			m.tryColumn(ctx, e, viewer, column, orders[sorting{e.name, column}])
		}
	})
}

func sortedBy(e entity, column string) query {
	q := e.query()
	q.Order(func(s *sql.Selector) { s.OrderBy(s.C(column), s.C("id")) })
	return q
}

func (m *matrix) tryColumn(ctx context.Context, e entity, viewer, column string, inOrder []uuid.UUID) {
	got, err := sortedBy(e, column).all(ctx)
	m.same(wayOrder, viewer, e.name, "order by "+column, m.seen(inOrder, viewer), got, err, true)

	hidden := m.hidden(m.of(e.name), viewer)
	if len(hidden) == 0 {
		return
	}
	args := make([]any, len(hidden))
	for i, id := range hidden {
		args[i] = id
	}
	alike := func(s *sql.Selector) {
		s.Where(sql.In(s.C(column), sql.Dialect(s.Dialect()).Select(column).From(sql.Table(ent.Tables[e.name]).As("hidden")).Where(sql.In("id", args...))))
	}
	asked, told := e.query(), e.query()
	asked.WhereP(alike)
	told.WhereP(alike)
	every, err := told.ids(m.system(ctx))
	if err != nil {
		m.violated(wayFilter, "the system", "%s by %s: %v", e.name, column, err)
	}
	got, err = asked.ids(ctx)
	m.same(wayFilter, viewer, e.name, "filter by "+column, m.seen(every, viewer), got, err, false)
}

// tryEager loads every tree of edges along with the rows.
func (m *matrix) tryEager(ctx context.Context, e entity, viewer string) {
	if len(links[e.name]) == 0 {
		return
	}
	q := e.query()
	grow(q, e.name, maxDepth)
	list, err := q.records(ctx)
	if err != nil {
		m.violated(wayNested, viewer, "%s with its edges: %v", e.name, err)
		return
	}
	for _, r := range list {
		m.compareEdges(r, e.name, viewer, m.names[r.RecordID()], maxDepth)
	}
}

func grow(q query, entity string, depth int) {
	if depth == 0 {
		return
	}
	for _, l := range links[entity] {
		q.with(l.name, func(inner query) { grow(inner, l.target, depth-1) })
	}
}

func (m *matrix) compareEdges(r record, entity, viewer, path string, depth int) {
	if depth == 0 || m.over() {
		return
	}
	for _, l := range links[entity] {
		found := loaded(r, l.name)
		got := make([]uuid.UUID, len(found))
		for i, other := range found {
			got[i] = other.RecordID()
		}
		m.same(wayNested, viewer, l.target, path+"."+l.name, m.seen(m.follow(r.RecordID(), l), viewer), got, nil, false)
		for _, other := range found {
			m.compareEdges(other, l.target, viewer, path+"."+l.name, depth-1)
		}
	}
}

// tryPaths follows every path of edges by queries that start from all rows of the entity.
func (m *matrix) tryPaths(ctx context.Context, e entity, viewer string) {
	m.walk(ctx, e.query, e.name, viewer, e.name, m.seen(m.of(e.name), viewer), m.pathDepth)
}

func (m *matrix) walk(ctx context.Context, start func() query, entity, viewer, path string, from []uuid.UUID, depth int) {
	for _, l := range links[entity] {
		if m.over() {
			return
		}
		next := func() query { return start().edge(l.name) }
		want := m.seen(m.followAll(from, l), viewer)
		here := fmt.Sprintf("%s.%s", path, l.name)
		got, err := next().ids(ctx)
		m.same(wayNested, viewer, l.target, here, want, got, err, false)
		if depth > 1 && len(want)+len(got) > 0 {
			m.walk(ctx, next, l.target, viewer, here, want, depth-1)
		}
	}
}
