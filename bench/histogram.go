package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	fineBits  = 6 // 64 fineSteps per power of two: at most 1.6 % off
	fineSteps = 1 << fineBits
)

// histogram counts durations from several goroutines without a lock.
type histogram struct {
	counts [(64 - fineBits) * fineSteps]atomic.Int64
	total  atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	h.counts[stepOf(d)].Add(1)
	h.total.Add(1)
}

// stepOf finds the step of a duration: exact below 64 ns, then by its seven leading bits.
func stepOf(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < fineSteps {
		return int(n) // #nosec G115 -- below 64
	}
	shift := bits.Len64(n) - fineBits - 1
	return shift<<fineBits + int(n>>shift) // #nosec G115 -- at most 127 above the power's fineSteps
}

// topOf is the longest duration of a step.
func topOf(step int) time.Duration {
	if step < fineSteps {
		return time.Duration(step)
	}
	shift := step>>fineBits - 1
	return time.Duration((int64(step-shift<<fineBits)+1)<<shift - 1)
}

// percentile returns the smallest duration that the share of all does not exceed, 0 when there is none.
func (h *histogram) percentile(share float64) time.Duration {
	total := h.total.Load()
	if total == 0 {
		return 0
	}
	wanted := min(total-1, int64(share*float64(total)))
	for step := range h.counts {
		if wanted -= h.counts[step].Load(); wanted < 0 {
			return topOf(step)
		}
	}
	return topOf(len(h.counts) - 1)
}
