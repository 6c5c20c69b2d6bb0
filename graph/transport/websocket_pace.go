package transport

import "time"

// pace tells how well a subscription's reader keeps up, by the wheel's clock. It is under the socket's mu.
type pace struct {
	caughtUp bool // the reader had everything that there was, at least once
	isBehind bool
	since    time.Duration // the instant of which the reader has everything

	goal   int64         // the newest event when somebody looked
	goalAt time.Duration // when that was
}

// woken notes that there may be something to read.
func (p *pace) woken(now time.Duration) {
	if !p.isBehind {
		p.isBehind, p.since = true, now
	}
}

// read notes that a reader asked for events, got so many, up to the position, and that the log stood at head then: fewer than a full batch are all.
// A reader of full batches has everything of an instant once it has what was the newest then.
func (p *pace) read(asked time.Duration, events int, position, head int64, after time.Duration) {
	switch {
	case events < fullBatch:
		*p = pace{caughtUp: true, isBehind: events > 0, since: asked}
	case p.goal == 0:
		p.goal, p.goalAt = head, asked
	case position >= p.goal:
		if p.caughtUp || asked-p.goalAt < after/2 {
			p.caughtUp, p.since = true, p.goalAt
		}
		p.goal, p.goalAt = head, asked
	}
}

// isSlow tells whether the reader has been behind for longer than it may. One who catches up with what lies before its subscription, or with
// what could not be read for a while, has all the time it needs.
func (p *pace) isSlow(now, after time.Duration) bool {
	return p.caughtUp && p.isBehind && now-p.since > after
}
