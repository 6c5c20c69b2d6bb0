package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
)

func TestShifted(t *testing.T) {
	t.Parallel()
	start := time.Date(2025, time.January, 15, 0, 0, 0, 0, time.UTC)
	base := clock.NewFake(start)
	shown := clock.NewShifted(base)
	require.Equal(t, start, shown.Now())
	shown.Set(start.Add(-48 * time.Hour))
	base.Advance(time.Minute)
	require.Equal(t, start.Add(time.Minute-48*time.Hour), shown.Now(), "set back, it goes on from there")
	shown.AdvanceTo(start.Add(-72 * time.Hour))
	require.Equal(t, start.Add(time.Minute-48*time.Hour), shown.Now(), "it is not advanced backwards")
	shown.AdvanceTo(start.Add(-time.Hour))
	require.Equal(t, start.Add(-time.Hour), shown.Now())
	shown.Reset()
	require.Equal(t, base.Now(), shown.Now())
}
