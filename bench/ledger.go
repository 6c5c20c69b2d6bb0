package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

// maxMessages bounds what one server is sent, whatever the clock says.
const maxMessages = 2 << 20

// ledger follows every message from its sending to the last of its readers.
type ledger struct {
	clock   time.Time // all instants count from here
	readers int32     // of each room
	entries []entry

	sent        atomic.Int64 // messages; also the number of the next
	deliveries  atomic.Int64
	outstanding atomic.Int64 // messages that are not through
	phase       atomic.Pointer[phase]
}

// entry is one message.
type entry struct {
	sentAt atomic.Int64 // nanoseconds by the ledger's clock; negative while warming up
	sender atomic.Int32 // index of the socket
	seen   atomic.Int32 // deliveries, and the acknowledgement
}

// phase is one kind of load.
type phase struct {
	own, other histogram          // from sending to delivery at the sender's own socket and at another
	isWarm     atomic.Bool        // whether what is sent now counts
	through    func() (err error) // called when a message is acknowledged and delivered to all readers; may be nil
}

func newLedger(readers int) *ledger {
	return &ledger{clock: time.Now(), readers: int32(readers), entries: make([]entry, maxMessages)} // #nosec G115 -- a thousand
}

// opened takes down that a message is about to be sent and returns its number; false when there are too many.
func (l *ledger) opened(sender int) (n int, ok bool) {
	n = int(l.sent.Add(1)) - 1
	if n >= len(l.entries) {
		l.sent.Add(-1)
		return 0, false
	}
	e := &l.entries[n]
	at := int64(time.Since(l.clock)) + 1
	if !l.phase.Load().isWarm.Load() {
		at = -at
	}
	e.sender.Store(int32(sender)) // #nosec G115 -- ten thousand
	e.sentAt.Store(at)
	l.outstanding.Add(1)
	return n, true
}

// delivered takes down that the socket was told of the message.
func (l *ledger) delivered(n, socket int) error {
	if n >= int(l.sent.Load()) {
		return fmt.Errorf("message %d was delivered before it was sent", n)
	}
	e, p := &l.entries[n], l.phase.Load()
	if at := e.sentAt.Load(); at > 0 {
		to := &p.other
		if int(e.sender.Load()) == socket {
			to = &p.own
		}
		to.add(time.Since(l.clock) - time.Duration(at))
	}
	l.deliveries.Add(1)
	return l.saw(e, n)
}

// acknowledged takes down that the sender was told that the message is stored.
func (l *ledger) acknowledged(n int) error {
	if n < 0 || n >= int(l.sent.Load()) {
		return fmt.Errorf("message %d was acknowledged before it was sent", n)
	}
	return l.saw(&l.entries[n], n)
}

func (l *ledger) saw(e *entry, n int) error {
	switch seen := e.seen.Add(1); {
	case seen < l.readers+1:
		return nil
	case seen > l.readers+1:
		return fmt.Errorf("message %d was delivered or acknowledged once more than it should be", n)
	}
	l.outstanding.Add(-1)
	if p := l.phase.Load(); p.through != nil {
		return p.through()
	}
	return nil
}
