package transport

import "time"

// pace tells how well a subscription's reader keeps up, by the wheel's clock. It is under the socket's mu.
type pace struct {
	caughtUp bool // the reader had everything that there was, at least once
	isBehind bool
	since    time.Duration // when it last had everything
}

// woken notes that there may be something to read.
func (p *pace) woken(now time.Duration) {
	if !p.isBehind {
		p.isBehind, p.since = true, now
	}
}

// read notes how many events there were when they were asked for: fewer than a full batch are all.
func (p *pace) read(asked time.Duration, events int) {
	if events < fullBatch {
		*p = pace{caughtUp: true, isBehind: events > 0, since: asked}
	}
}

// isSlow tells whether the reader has been behind for longer than it may. One who catches up with what lies before its subscription, or with
// what could not be read for a while, has all the time it needs.
func (p *pace) isSlow(now, after time.Duration) bool {
	return p.caughtUp && p.isBehind && now-p.since > after
}
