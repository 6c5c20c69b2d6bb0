package stream_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/stream"
)

func TestCursorsOfTheAPI(t *testing.T) {
	t.Parallel()
	id := newStream()
	for _, position := range []int64{0, 1, 127, 128, 255, 256, 65_535, 65_536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64} {
		var text bytes.Buffer
		stream.CursorOf(id, position).MarshalGQL(&text)
		var back ent.Cursor
		require.NoError(t, back.UnmarshalGQL(strings.Trim(text.String(), `"`)))
		got, err := stream.PositionOf(back, id)
		require.NoError(t, err)
		assert.Equal(t, position, got)
	}
}

func TestCursorsThatAreNone(t *testing.T) {
	t.Parallel()
	id := newStream()
	for name, bad := range map[string]ent.Cursor{
		"of another stream": stream.CursorOf(uuid.New(), 1), "negative": stream.CursorOf(id, -1), "text": {ID: id, Value: "1"},
		"of a list": {ID: id, Value: []any{int8(1)}}, "fraction": {ID: id, Value: 1.5}, "too large": {ID: id, Value: uint64(math.MaxUint64)},
	} {
		_, err := stream.PositionOf(bad, id)
		require.ErrorIs(t, err, fault.ErrInvalid, name)
		var f *fault.Error
		require.ErrorAs(t, err, &f)
		assert.Equal(t, []string{"after"}, f.Field)
	}
}
