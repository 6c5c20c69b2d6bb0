// Package clock is the only place where Caregraph asks what time it is. Instants are UTC and cut to microseconds,
// the precision that both engines keep.
package clock

import (
	"sync"
	"time"
)

// Clock tells the present instant.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now returns the present instant.
func (System) Now() time.Time { return Instant(time.Now()) }

// Instant returns t as it is stored: UTC, cut to microseconds, without a monotonic reading.
func Instant(t time.Time) time.Time { return t.Round(0).UTC().Truncate(time.Microsecond) }

// Fake is a clock that stands still until it is moved; for tests.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a clock that stands at t.
func NewFake(t time.Time) *Fake { return &Fake{now: Instant(t)} }

// Now returns the instant at which the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d and returns the new instant.
func (f *Fake) Advance(d time.Duration) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	return f.now
}

// Set moves the clock to t.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = Instant(t)
}

// AdvanceTo moves the clock to t, never back.
func (f *Fake) AdvanceTo(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := Instant(t); t.After(f.now) {
		f.now = t
	}
}
