package notify

import "time"

const (
	maxAttempts = 8
	firstPause  = 30 * time.Second
	longest     = 6 * time.Hour
)

// pause returns how long after its n-th try, counted from 1, a mail is tried again. spread, 0 to 1, shifts it by up to a fifth either way,
// so that what failed together does not come back together.
func pause(n int, spread float64) time.Duration {
	p := firstPause
	for i := 1; i < n && p < longest; i++ {
		p *= 4
	}
	p = min(p, longest)
	return p + time.Duration((spread-0.5)*0.4*float64(p))
}
