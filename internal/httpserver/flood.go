package httpserver

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/caregraph/caregraph/internal/clock"
)

const (
	floodWindow     = 60 * time.Second
	watchedSessions = 1 << 15 // whose requests are remembered; who was not seen for longest is forgotten first
)

// floods counts the requests of sessions exactly: at most so many in any 60 seconds. Each instance counts what it sees.
type floods struct {
	most     int
	clock    clock.Clock
	mu       sync.Mutex
	sessions *simplelru.LRU[uuid.UUID, []int64] // instants of the requests within the window in Unix microseconds, oldest first
}

func newFloods(most int, clk clock.Clock) *floods {
	sessions, err := simplelru.NewLRU[uuid.UUID, []int64](watchedSessions, nil)
	if err != nil { // only for a size that is not positive
		panic(err)
	}
	return &floods{most: most, clock: clk, sessions: sessions}
}

// exceeds counts a request of the session and tells whether there were too many. Of more it remembers no more than it needs.
func (f *floods) exceeds(session uuid.UUID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now().UnixMicro()
	times, _ := f.sessions.Get(session)
	gone := 0
	for gone < len(times) && times[gone] <= now-floodWindow.Microseconds() {
		gone++
	}
	times = append(slices.Delete(times, 0, max(gone, len(times)-f.most)), now)
	f.sessions.Add(session, times)
	return len(times) > f.most
}
