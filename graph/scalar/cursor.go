package scalar

import (
	"entgo.io/contrib/entgql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/fault"
)

const maxCursor = 1 << 10

// MarshalCursor writes a cursor.
func MarshalCursor(c entgql.Cursor[uuid.UUID]) graphql.Marshaler { return c }

// UnmarshalCursor reads a cursor that was given out before.
func UnmarshalCursor(v any) (c entgql.Cursor[uuid.UUID], err error) {
	text, ok := v.(string)
	if !ok || len(text) > maxCursor || c.UnmarshalGQL(v) != nil {
		return c, fault.ErrInvalid.Says("A Cursor is one that was given out before.")
	}
	return c, nil
}
