package clock

import (
	"sync"
	"time"
)

// Shifted is a clock that goes like another one and can be advanced; for the demo.
type Shifted struct {
	base  Clock
	mu    sync.RWMutex
	ahead time.Duration
}

// NewShifted returns a clock that shows what base shows until it is advanced.
func NewShifted(base Clock) *Shifted { return &Shifted{base: base} }

// Now returns the present instant.
func (s *Shifted) Now() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.base.Now().Add(s.ahead)
}

// AdvanceTo sets the clock to t, from where it goes on; never back.
func (s *Shifted) AdvanceTo(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if by := Instant(t).Sub(s.base.Now().Add(s.ahead)); by > 0 {
		s.ahead += by
	}
}

// Set sets the clock to t, also back, from where it goes on. It is for who fills an empty database with a past, before anything runs by the clock.
func (s *Shifted) Set(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead = Instant(t).Sub(s.base.Now())
}

// Reset lets the clock show again what its base shows.
func (s *Shifted) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead = 0
}
