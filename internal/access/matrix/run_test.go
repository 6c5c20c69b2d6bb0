package matrix_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// The ways in which a viewer could get at a row.
const (
	wayNode   = "node"
	wayNodes  = "nodes"
	wayList   = "list"
	wayNested = "nested"
	wayFilter = "filter"
	wayOrder  = "order"
	wayCursor = "cursor"
	wayCount  = "count"
	wayCreate = "create"
	wayMove   = "re-parent"
	wayUpdate = "update"
	wayDelete = "delete"
)

var ways = []string{
	wayNode, wayNodes, wayList, wayNested, wayFilter, wayOrder, wayCursor, wayCount, wayCreate, wayMove, wayUpdate, wayDelete,
}

// maxViolations is where a run gives up: it is red anyway.
const maxViolations = 50

// matrix is one run through the world: what was tried, and what was not as the tables say.
type matrix struct {
	*world
	limit     int    // of violations, after which the run ends
	pathDepth int    // of queries along edges
	only      string // the entity whose rows are tried; all when empty

	mu         sync.Mutex
	cells      map[string]int  // by way
	touched    map[string]bool // entities
	violations []violation
}

// violation is something that was not as the tables say.
type violation struct {
	way, viewer, text string
	undecided         bool // refused by something else than the policy
}

func (v violation) String() string { return v.way + " by " + v.viewer + ": " + v.text }

func newMatrix(w *world, limit int) *matrix {
	return &matrix{world: w, limit: limit, pathDepth: maxDepth, cells: map[string]int{}, touched: map[string]bool{}}
}

// tried counts a cell.
func (m *matrix) tried(way, entity string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells[way]++
	m.touched[entity] = true
}

func (m *matrix) total() int {
	n := 0
	for _, count := range m.cells {
		n += count
	}
	return n
}

func (m *matrix) violated(way, viewer, format string, args ...any) {
	m.note(violation{way: way, viewer: viewer, text: fmt.Sprintf(format, args...)})
}

func (m *matrix) note(v violation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.violations) < m.limit {
		m.violations = append(m.violations, v)
	}
}

// over tells whether enough has been found.
func (m *matrix) over() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.violations) >= m.limit
}

// same counts a cell and compares the rows that were found with those of the tables, in order when ordered.
func (m *matrix) same(way, viewer, entity, what string, want, got []uuid.UUID, err error, ordered bool) {
	m.tried(way, entity)
	if err != nil {
		m.violated(way, viewer, "%s of %s: %v", what, entity, err)
		return
	}
	if !ordered {
		want, got = slices.Clone(want), slices.Clone(got)
		slices.SortFunc(want, compareIDs)
		slices.SortFunc(got, compareIDs)
	}
	if !slices.Equal(want, got) {
		m.violated(way, viewer, "%s of %s: want %s, got %s", what, entity, m.label(want), m.label(got))
	}
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// each runs fn for every entity and viewer until enough has been found.
func (m *matrix) each(ctx context.Context, fn func(ctx context.Context, e entity, viewer string)) {
	for _, e := range m.entitiesTried() {
		for _, viewer := range viewerNames {
			if m.over() {
				return
			}
			fn(m.as(ctx, viewer), e, viewer)
		}
	}
}

func (m *matrix) entitiesTried() []entity {
	if m.only != "" {
		return []entity{entityOf(m.db.Client, m.only)}
	}
	return entities(m.db.Client)
}
