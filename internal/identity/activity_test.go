package identity

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/testkit"
)

// Activity that comes while an earlier one is being written is kept.
func TestActivityDuringAWrite(t *testing.T) {
	t.Parallel()
	a, id, start := newActivity(15*time.Second, 5*time.Second), uuid.New(), testkit.Start
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

// Property: activity in the warning time is written at once, however the writes before it fell.
func TestActivityInTheWarningTimeIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		second := func(from, to int, label string) time.Duration {
			return time.Duration(rapid.IntRange(from*1000, to*1000).Draw(rt, label)) * time.Millisecond
		}
		timeout := second(60, 1200, "timeout")
		warning := min(second(1, 1200, "warning"), timeout)
		a, id, now := newActivity(min(maxLag, timeout/4), warning), uuid.New(), testkit.Start
		a.opened(id, now)
		row := now.Add(timeout) // as the store has it
		write := func(w unwritten) {
			row = w.last.Add(timeout)
			a.written(w, now)
		}
		for range 50 {
			now = now.Add(second(0, 20, "pause"))
			for _, w := range a.due(now, false) {
				write(w)
			}
			if rapid.IntRange(0, 3).Draw(rt, "quiet") == 0 {
				now = later(now, row.Add(-warning))
			}
			isWarning := row.Sub(now) <= warning
			w, isDue := a.note(id, now, timeout, false)
			require.True(rt, isDue || !isWarning, "%s after the last write", now.Sub(row.Add(-timeout)))
			if isDue {
				write(w)
			}
		}
	})
}
