package matrix_test

import (
	"context"
	"slices"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
)

func (m *matrix) system(ctx context.Context) context.Context {
	return access.System(ctx, "matrix test")
}

// tryPages walks through the rows page by page, and continues from cursors of hidden rows.
func (m *matrix) tryPages(ctx context.Context, e entity, viewer string) {
	every := m.of(e.name)
	seen := m.seen(every, viewer)
	if !e.query().value.MethodByName("Paginate").IsValid() {
		m.tryOffsets(ctx, e, viewer, seen)
		return
	}
	for _, id := range append([]uuid.UUID{{}}, every...) {
		var after, before *entgql.Cursor[uuid.UUID]
		if id != (uuid.UUID{}) {
			after = &entgql.Cursor[uuid.UUID]{ID: id}
		}
		rest := slices.DeleteFunc(slices.Clone(seen), func(other uuid.UUID) bool { return compareIDs(other, id) <= 0 })
		got, total, more, err := page(ctx, e, after, before, 2)
		m.same(wayCursor, viewer, e.name, "page after "+m.label([]uuid.UUID{id}), rest[:min(2, len(rest))], got, err, true)
		m.tried(wayCount, e.name)
		if err == nil && (total != len(seen) || more != (len(rest) > 2)) {
			m.violated(wayCursor, viewer, "page of %s after %s: want total %d and more %t, got %d and %t", e.name, m.names[id], len(seen), len(rest) > 2, total, more)
		}
	}
}

// page runs the generated pagination.
func page(ctx context.Context, e entity, after, before *entgql.Cursor[uuid.UUID], first int) (rows []uuid.UUID, total int, more bool, err error) {
	var none *int
	out, err := call(e.query().value, "Paginate", ctx, after, &first, before, none)
	if err != nil {
		return nil, 0, false, err
	}
	conn := out.Elem()
	edges := conn.FieldByName("Edges")
	for i := range edges.Len() {
		rows = append(rows, edges.Index(i).Elem().FieldByName("Node").Interface().(record).RecordID())
	}
	return rows, int(conn.FieldByName("TotalCount").Int()), conn.FieldByName("PageInfo").FieldByName("HasNextPage").Bool(), nil
}

// tryOffsets is for entities that the API does not list: windows over the rows in order.
func (m *matrix) tryOffsets(ctx context.Context, e entity, viewer string, seen []uuid.UUID) {
	for offset := range len(m.of(e.name)) {
		q := e.query()
		q.Order(func(s *sql.Selector) { s.OrderBy(s.C("id")) })
		q.Offset(offset)
		q.Limit(1)
		got, err := q.all(ctx)
		from := min(offset, len(seen))
		m.same(wayCursor, viewer, e.name, "window", seen[from:min(from+1, len(seen))], got, err, true)
	}
}
