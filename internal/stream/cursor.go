package stream

import (
	"math"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/fault"
)

// CursorOf returns the API's cursor of a position.
func CursorOf(stream uuid.UUID, position int64) ent.Cursor {
	return ent.Cursor{ID: stream, Value: position}
}

var errCursor = fault.InvalidAt("This is not a cursor of this stream.", "after")

// PositionOf returns the position that a cursor of the stream holds. Errors: INVALID_INPUT at "after".
func PositionOf(cursor ent.Cursor, stream uuid.UUID) (int64, error) {
	position, ok := integer(cursor.Value)
	if !ok || position < 0 || cursor.ID != stream {
		return 0, errCursor
	}
	return position, nil
}

// integer reads a number as msgpack decodes it, in the smallest type that holds it; a zero is left out by the encoder.
func integer(value any) (int64, bool) {
	switch n := value.(type) {
	case nil:
		return 0, true
	case int:
		return int64(n), true
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint64:
		return int64(n), n <= math.MaxInt64
	}
	return 0, false
}
