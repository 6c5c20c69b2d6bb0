package graph

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/graph/generated"
	"github.com/caregraph/caregraph/internal/stream"
)

// Readers share what carries @sameForAll by the field that they select, which may be an interface's.
func TestSameForAllHoldsForEveryImplementation(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	isSame := func(f *ast.FieldDefinition) bool { return f.Directives.ForName("sameForAll") != nil }
	shared := 0
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			if !isSame(field) {
				continue
			}
			shared++
			if def.Kind != ast.Interface {
				continue
			}
			for _, possible := range schema.GetPossibleTypes(def) {
				i := slices.IndexFunc(possible.Fields, func(f *ast.FieldDefinition) bool { return f.Name == field.Name })
				require.True(t, isSame(possible.Fields[i]), "%s.%s", possible.Name, field.Name)
			}
		}
	}
	require.NotZero(t, shared)
}

func TestCursorTextIsACursor(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	var cursor ent.Cursor
	require.NoError(t, cursor.UnmarshalGQL(cursorText(&stream.Event{Stream: id, Position: 70_000})))
	position, err := stream.PositionOf(cursor, id)
	require.NoError(t, err)
	require.EqualValues(t, 70_000, position)
}
