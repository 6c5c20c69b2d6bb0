package chat

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// Signals of rooms in which nobody types any more are let go, those of others stay.
func TestSignals_AreForgotten(t *testing.T) {
	t.Parallel()
	var s signals
	say := func(room, user uuid.UUID, at time.Time) {
		require.True(t, s.note(typist{room, user}, signal{at, true}, typingEvery))
	}
	busy, idle, other := uuid.New(), uuid.New(), uuid.New()
	say(busy, other, noon.Add(-typingFor))
	say(busy, idle, noon.Add(-time.Second))
	for range manyRooms - 1 {
		say(uuid.New(), other, noon.Add(-typingFor))
	}
	say(idle, other, noon)
	require.Len(t, s.rooms, 2)
	require.True(t, s.others(busy, other, noon).IsTyping)
	require.False(t, s.others(busy, idle, noon).IsTyping, "what was said six seconds ago")
	require.True(t, s.isEarly(typist{busy, idle}, noon))
}

// What a signal costs, and the look at who types, must not rise with the number of rooms in which somebody does.
func BenchmarkSignals_ManyRooms(b *testing.B) {
	var s signals
	rooms := make([]uuid.UUID, 10_000)
	for i := range rooms {
		rooms[i] = uuid.New()
	}
	user := uuid.New()
	for i := 0; b.Loop(); i++ {
		at := noon.Add(time.Duration(i) * time.Second / 2000) // each room again after 5 seconds
		s.note(typist{rooms[i%len(rooms)], user}, signal{at, true}, typingEvery)
		s.others(rooms[i%len(rooms)], uuid.Nil, at)
	}
}
