package identity

import (
	"container/heap"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/session"
	"github.com/caregraph/caregraph/internal/access"
)

const (
	lookEvery   = 200 * time.Millisecond
	settleBatch = 512 // sessions read in one statement

	// How often sessions with listeners are read again, should the hint of another instance be lost: in general, and near the end.
	netEvery     = 5 * time.Second
	warningEvery = time.Second
)

// Run warns and ends sessions when their time has come, until ctx ends.
func (l *Live) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	isFailing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.kick:
		}
		err := l.look(ctx)
		if err != nil && !isFailing && ctx.Err() == nil {
			l.s.Log.WarnContext(ctx, "open sessions cannot be watched: the database does not answer", slog.Any("error", err))
		}
		isFailing = err != nil
	}
}

// look settles the sessions whose time has come, the earliest first. Those that fail stay for the next look.
func (l *Live) look(ctx context.Context) error {
	due := l.due(l.s.DB.Now())
	defer l.putBack(due)
	for batch := range slices.Chunk(due, settleBatch) {
		if err := l.settle(ctx, batch...); err != nil {
			return err
		}
	}
	return nil
}

// due takes the sessions out of the queue at which somebody has to look.
func (l *Live) due(now time.Time) (list []*liveState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 && !l.queue[0].next.After(now) {
		st := l.queue[0]
		l.queue.drop(st)
		list = append(list, st)
	}
	return list
}

func (l *Live) putBack(list []*liveState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, st := range list {
		l.queue.put(st)
	}
}

// settle reads the sessions in one statement and acts on it: it warns, tells of extensions, changed rights and ends. Sessions whose time is over are
// ended in the store first. That decides between the end and an extension that is under way on another instance: one of them comes too late.
func (l *Live) settle(ctx context.Context, list ...*liveState) error {
	now := l.s.DB.Now() // before the reading: what is told is true of an instant that the store knew all about
	ids, marks := make([]uuid.UUID, len(list)), make([]int, len(list))
	l.mu.Lock()
	for i, st := range list {
		ids[i], marks[i] = st.id, st.marks
	}
	l.mu.Unlock()
	found, err := l.s.loadAll(ctx, ids)
	if err != nil {
		return err
	}
	var lapsed []uuid.UUID
	for id, b := range found {
		if b.endedAt == nil && isOver(now, nil, expiry(b.expiresAt, b.endsAt, l.s.activity.of(id)), b.endsAt) {
			lapsed = append(lapsed, id)
		}
	}
	if len(lapsed) > 0 {
		after, err := l.s.recordEnds(ctx, lapsed)
		if err != nil {
			return err
		}
		maps.Copy(found, after)
	}
	l.change(func(out *outbox) {
		for i, st := range list {
			l.apply(out, st, found[st.id], now, marks[i])
		}
	})
	return nil
}

// recordEnds closes the books on sessions whose time is over and returns what has become of them.
func (s *Service) recordEnds(ctx context.Context, lapsed []uuid.UUID) (map[uuid.UUID]*bearer, error) {
	ctx = access.System(ctx, "record the end of a session")
	err := s.DB.WithTx(ctx, func(ctx context.Context) error {
		if err := s.DB.Lock(ctx, session.Table, padded(lapsed)...); err != nil { // instances that do the same wait for each other
			return err
		}
		_, err := s.closeBooks(ctx, padded(lapsed))
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.loadAll(ctx, lapsed)
}

// apply takes down what the store says of a session, nil when it has no such row. marks tells what the reading knew of.
func (l *Live) apply(out *outbox, st *liveState, b *bearer, now time.Time, marks int) {
	switch {
	case st.over != nil:
		return
	case b == nil:
		l.finish(out, st, SessionEnded{OccurredAt: now, Reason: session.EndReasonIDLE})
		return
	case b.endedAt != nil:
		l.finish(out, st, SessionEnded{OccurredAt: *b.endedAt, Reason: b.endReason})
		return
	case !b.isActive:
		l.finish(out, st, SessionEnded{OccurredAt: now, Reason: session.EndReasonREVOKED})
		return
	case isOver(now, nil, expiry(b.expiresAt, b.endsAt, l.s.activity.of(st.id)), b.endsAt): // a row that promises more than its absolute end
		l.finish(out, st, SessionEnded{OccurredAt: b.endsAt, Reason: session.EndReasonABSOLUTE})
		return
	}
	if st.marks == marks {
		st.isStale = false
		if st.viewer == nil || !sameRights(st.viewer, b.viewer) {
			st.viewer = b.viewer
		}
	}
	st.endsAt = b.endsAt
	l.extend(out, st, b.expiresAt)
	st.refresh()
	l.warn(out, st, now)
	l.schedule(st)
}

// schedule says when to look at the session again. Without listeners that is its end.
func (l *Live) schedule(st *liveState) {
	if st.over != nil || st.users == 0 {
		return
	}
	end := l.end(st)
	warning := end.Add(-l.s.Warning)
	now := l.s.DB.Now()
	switch {
	case st.isStale:
		st.next = time.Time{}
	case len(st.feeds) == 0:
		st.next = end
	case now.Before(warning):
		st.next = earlier(warning, now.Add(netEvery))
	default:
		st.next = earlier(end, now.Add(warningEvery))
	}
	l.queue.put(st)
}

// reasonIn reads the reason that an entry of the rights stream gives.
func reasonIn(data json.RawMessage) session.EndReason {
	var told endData
	if err := json.Unmarshal(data, &told); err != nil || session.EndReasonValidator(told.Reason) != nil {
		return session.EndReasonREVOKED
	}
	return told.Reason
}

// dueQueue holds sessions by the instant at which to look, the earliest first.
type dueQueue []*liveState

// Len implements heap.Interface.
func (q dueQueue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q dueQueue) Less(i, j int) bool { return q[i].next.Before(q[j].next) }

// Swap implements heap.Interface.
func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *dueQueue) Push(x any) {
	st := x.(*liveState)
	st.index = len(*q)
	*q = append(*q, st)
}

// Pop implements heap.Interface.
func (q *dueQueue) Pop() any {
	last := len(*q) - 1
	st := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	st.index = outside
	return st
}

// put gives a session its place, unless it has gone.
func (q *dueQueue) put(st *liveState) {
	switch {
	case st.over != nil || st.users == 0:
	case st.index == outside:
		heap.Push(q, st)
	default:
		heap.Fix(q, st.index)
	}
}

func (q *dueQueue) drop(st *liveState) {
	if st.index != outside {
		heap.Remove(q, st.index)
	}
}
