package transport

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	slots   = 64
	maxTick = 250 * time.Millisecond
	minTick = time.Millisecond
)

// wheel looks after all sockets with one goroutine, which runs while there are any. Its time is the time that this program was running: a
// machine that was suspended does not find all its clients dead.
type wheel struct {
	every time.Duration
	now   atomic.Int64

	mu      sync.Mutex
	slots   [slots]map[*socket]struct{}
	at      int
	count   int
	running bool
}

// newWheel returns a wheel that is precise enough for delays from shortest up.
func newWheel(shortest time.Duration) *wheel {
	return &wheel{every: min(max(shortest/32, minTick), maxTick)}
}

// time returns how long the wheel has run.
func (w *wheel) time() time.Duration { return time.Duration(w.now.Load()) }

// add takes a socket in.
func (w *wheel) add(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.isOffWheel {
		return
	}
	w.count++
	w.put(s, w.every)
	if !w.running {
		w.running = true
		go w.run()
	}
}

// put has the socket looked at after the delay, or earlier when that is more than a turn. It is called under mu.
func (w *wheel) put(s *socket, delay time.Duration) {
	ahead := int(min(max(delay/w.every, 1), slots-1))
	s.slot = (w.at + ahead) % slots
	if w.slots[s.slot] == nil {
		w.slots[s.slot] = map[*socket]struct{}{}
	}
	w.slots[s.slot][s] = struct{}{}
}

// remove takes the socket out for good.
func (w *wheel) remove(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.isOffWheel {
		return
	}
	s.isOffWheel = true
	if s.slot >= 0 {
		w.count--
		delete(w.slots[s.slot], s)
	}
}

func (w *wheel) run() {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	last := <-ticker.C
	for at := range ticker.C {
		passed := at.Sub(last)
		last = at
		if !w.tick(w.advance(passed)) {
			return
		}
	}
}

// advance moves the wheel's time on. What is more than two ticks was no time in which this program ran.
func (w *wheel) advance(passed time.Duration) time.Duration {
	return time.Duration(w.now.Add(int64(min(passed, 2*w.every))))
}

// tick looks after the sockets of the next slot; false when there are none left at all.
func (w *wheel) tick(now time.Duration) bool {
	w.mu.Lock()
	if w.count == 0 {
		w.running = false
		w.mu.Unlock()
		return false
	}
	w.at = (w.at + 1) % slots
	due := w.slots[w.at]
	w.slots[w.at] = nil
	w.mu.Unlock()
	for s := range due {
		delay := s.look(now)
		w.mu.Lock()
		if !s.isOffWheel {
			w.put(s, delay)
		}
		w.mu.Unlock()
	}
	return true
}
