package httpserver

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
)

const (
	maxCallers       = 1 << 16 // about 20 MB; who was not seen for longest is forgotten first
	perMinuteSeconds = 60
	anonymousShare   = 10 // clinics share an address, and sign-ins have a limit of their own
)

// caller is whom the limit counts: a user, or the network of those who are not signed in.
type caller struct {
	user    uuid.UUID
	network netip.Prefix
}

// limiter is the general request limit: so many requests in any 60 seconds. A request that is refused does not count.
type limiter struct {
	perMinute int
	clock     clock.Clock
	mu        sync.Mutex
	callers   *simplelru.LRU[caller, *window]
}

func newLimiter(perMinute int, clk clock.Clock) *limiter {
	callers, err := simplelru.NewLRU[caller, *window](maxCallers, nil)
	if err != nil { // only for a size that is not positive
		panic(err)
	}
	return &limiter{perMinute: perMinute, clock: clk, callers: callers}
}

// admit counts a request, or returns how long to wait for the next one that will be admitted.
func (l *limiter) admit(who caller) (wait time.Duration, ok bool) {
	allowed := l.perMinute
	if who.user == uuid.Nil {
		allowed *= anonymousShare
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	w, known := l.callers.Get(who)
	if !known {
		w = &window{last: now.Unix()}
		l.callers.Add(who, w)
	}
	return w.admit(allowed, now)
}

// window counts requests by the second. One second more than a minute, because the oldest one may be half over: the sum is never
// less than what the last 60 seconds saw.
type window struct {
	counts [perMinuteSeconds + 1]uint32
	total  int
	last   int64 // the second that was counted last, of Unix time
}

func (w *window) admit(allowed int, now time.Time) (wait time.Duration, ok bool) {
	w.advance(now.Unix())
	if w.total < allowed {
		w.counts[w.slot(w.last)]++
		w.total++
		return 0, true
	}
	oldest := w.last - perMinuteSeconds
	for w.counts[w.slot(oldest)] == 0 {
		oldest++
	}
	return time.Unix(oldest+perMinuteSeconds+1, 0).Sub(now), false
}

// advance forgets the seconds that are a minute past. A clock that goes back counts on in the second it has reached.
func (w *window) advance(second int64) {
	if second-w.last > perMinuteSeconds {
		*w = window{last: second}
		return
	}
	for w.last < second {
		w.last++
		slot := w.slot(w.last)
		w.total -= int(w.counts[slot])
		w.counts[slot] = 0
	}
}

// slot returns the place of a second, also of one before 1970.
func (w *window) slot(second int64) int {
	n := int64(len(w.counts))
	return int((second%n + n) % n)
}

// Admit counts one more operation of the request that ctx belongs to and returns THROTTLED, with the time to wait, when there were too
// many. The server counts each HTTP request itself; this is for the operations on a websocket.
func Admit(ctx context.Context) error {
	c := callOf(ctx)
	if c.server == nil {
		return nil
	}
	return c.server.admit(ctx)
}

// admit counts a request by both limits. A flood is more than being throttled: the requests that the general limit refuses count in it.
func (s *Server) admit(ctx context.Context) error {
	wait, ok := s.limiter.admit(callerOf(ctx, callOf(ctx)))
	if v := access.From(ctx).Person(); s.floods != nil && v.Has(access.Patient) && s.floods.exceeds(v.SessionID) {
		return s.options.OnFlood(ctx, v)
	}
	if !ok {
		return fault.ErrThrottled.After(wait)
	}
	return nil
}

func callerOf(ctx context.Context, c *call) caller {
	if person := access.From(ctx).Person(); person != nil {
		return caller{user: person.UserID}
	}
	bits := c.client.BitLen()
	if c.client.Is6() {
		bits = 64 // one customer's network; its addresses cost nothing
	}
	network, _ := c.client.Prefix(bits) // zero, and so shared, when the address is not known
	return caller{network: network}
}

// limit refuses requests beyond the limits.
func (s *Server) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := s.admit(r.Context())
		if err == nil {
			next.ServeHTTP(w, r)
			return
		}
		known, status := s.refusal(r.Context(), err)
		writeError(w, r, status, known)
	})
}

// refusal is how a request is answered that was not let in.
func (s *Server) refusal(ctx context.Context, err error) (*fault.Error, int) {
	var known *fault.Error
	if !errors.As(err, &known) {
		s.options.Log.ErrorContext(ctx, "a session that floods the server could not be ended", "request_id", RequestID(ctx), "error", err)
		known = fault.ErrUnavailable
	}
	switch known.Kind {
	case fault.Limit:
		return known, http.StatusTooManyRequests
	case fault.Unauthenticated:
		return known, http.StatusUnauthorized
	default:
		return known, http.StatusServiceUnavailable
	}
}
