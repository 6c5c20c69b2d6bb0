package identity

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit"
)

// Activity that comes while an earlier one is being written is kept.
func TestActivityDuringAWrite(t *testing.T) {
	t.Parallel()
	a, id, start := newActivity(15*time.Second), uuid.New(), testkit.Start
	writing, isDue := a.note(id, start, time.Minute, false)
	require.True(t, isDue)
	_, isDue = a.note(id, start.Add(time.Second), time.Minute, false)
	require.False(t, isDue, "one write at a time")
	assert.Equal(t, start.Add(time.Second), a.of(id).last, "and it counts meanwhile")
	a.written(writing, start)
	assert.Equal(t, unwritten{id: id, first: start, last: start.Add(time.Second), timeout: time.Minute}, a.of(id))
	assert.Empty(t, a.due(start.Add(14*time.Second), false))
	due := a.due(start.Add(15*time.Second), false)
	require.Len(t, due, 1)
	a.written(due[0], start.Add(15*time.Second))
	assert.True(t, a.of(id).first.IsZero())
}
