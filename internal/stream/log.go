package stream

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	page      = 100
	maxRead   = 1000
	headChunk = 1024 // ids per statement of the poll
	retryPoll = time.Second
)

// Log writes and delivers the streams of one database. An instance of the program has one; its methods may be called from any goroutine.
type Log struct {
	Rights *Rights

	db     *store.DB
	bus    Bus
	log    *slog.Logger
	every  time.Duration
	topics topics
	latest latest
	told   told
	poll   chan struct{} // asks for a poll out of turn

	keepers sync.Map // Keeper, by entity; Run may have begun when one is registered
}

// Option changes what New makes.
type Option func(*Log)

// PollEvery sets the intervals of the slow polls, of the streams that have readers and of the rights; for tests.
func PollEvery(streams, rights time.Duration) Option {
	return func(l *Log) { l.every, l.Rights.every = streams, rights }
}

// New returns the log of the database. bus may be nil. Without Run it delivers what this instance publishes, and nothing of others.
func New(db *store.DB, bus Bus, logger *slog.Logger, opts ...Option) *Log {
	if bus == nil {
		bus = noBus{}
	}
	l := &Log{db: db, bus: bus, log: logger, every: 5 * time.Second, poll: make(chan struct{}, 1)}
	l.topics.byStream = map[uuid.UUID]*topic{}
	l.latest.states = map[latestKey]*latestState{}
	l.Rights = newRights(l)
	for _, opt := range opts {
		opt(l)
	}
	bus.Receive(l.receive, func() { signal(l.poll); l.Rights.hint() })
	return l
}

// Run follows hints and polls until ctx ends.
func (l *Log) Run(ctx context.Context) {
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { l.bus.Run(ctx) })
	parts.Go(func() { l.Rights.follow(ctx) })
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	due := time.NewTicker(dueEvery)
	defer due.Stop()
	var again <-chan time.Time
	var said sayOnce
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
			l.latest.due(l.db.Now())
			continue
		case <-tick.C:
			l.topics.forgetOld()
		case <-l.poll:
		case <-again:
		}
		again = nil
		l.latest.all()
		err := l.pollHeads(ctx)
		said.say(ctx, l.log, "streams cannot be polled", err)
		if err != nil {
			again = time.After(min(l.every, retryPoll))
		}
	}
}

// pollHeads asks how far the streams with readers are. It also wakes readers whose last Next failed.
func (l *Log) pollHeads(ctx context.Context) error {
	for chunk := range slices.Chunk(l.topics.streams(), headChunk) {
		heads, err := l.headsOf(ctx, chunk)
		if err != nil {
			return err
		}
		for id, head := range heads {
			l.topics.hint(id, head)
		}
	}
	return nil
}

func (l *Log) receive(h Hint) {
	switch {
	case h.Topic != "":
		l.told.call(h.Topic)
		l.Refresh(h.Topic)
	case h.Stream == RightsStream:
		l.Rights.hint()
		fallthrough
	default:
		l.topics.hint(h.Stream, h.Position)
	}
}

// Publish hands events that are committed to the readers and tells other instances. Values may be loaded already; the sources load those that are
// nil. Events may come in any order, twice, or never: the log is what counts.
func (l *Log) Publish(events ...*Event) {
	byStream := map[uuid.UUID][]*Event{}
	for _, e := range events {
		byStream[e.Stream] = append(byStream[e.Stream], e)
	}
	hints := make([]Hint, 0, len(byStream))
	for id, list := range byStream {
		slices.SortFunc(list, func(a, b *Event) int { return cmp.Compare(a.Position, b.Position) })
		l.topics.publish(id, list)
		hints = append(hints, Hint{Stream: id, Position: list[len(list)-1].Position})
		if id == RightsStream {
			l.Rights.hint()
		}
	}
	l.bus.Send(hints...)
}

// Read returns the events of a stream behind a position, oldest first, at most limit (itself bounded by 1,000); what keeps them may have set their Values.
// Whoever calls it has decided that the viewer may. Errors: RESUME_EXPIRED when the log does not hold what follows the position.
func (l *Log) Read(ctx context.Context, stream uuid.UUID, after int64, limit int) ([]*Event, error) {
	events, err := l.events(ctx, stream, after, limit)
	if err == nil && len(events) == 0 {
		var head int64
		if head, err = l.Head(ctx, stream); err == nil && head == after {
			return nil, nil
		}
		if err == nil && head > after { // committed meanwhile, unless the log was cut
			events, err = l.events(ctx, stream, after, limit)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(events) == 0 || events[0].Position != after+1 {
		return nil, fault.ErrResumeExpired
	}
	return events, nil
}

func (l *Log) events(ctx context.Context, stream uuid.UUID, after int64, limit int) ([]*Event, error) {
	return l.keeper(stream).Events(access.System(ctx, "read a stream"), stream, after, min(max(limit, 1), maxRead))
}

// Head returns the position of a stream's newest event; 0 when it has none.
func (l *Log) Head(ctx context.Context, stream uuid.UUID) (int64, error) {
	heads, err := l.headsOf(ctx, []uuid.UUID{stream})
	return heads[stream], err
}

// signal asks a loop for another round.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// sayOnce logs the first of several failures in a row.
type sayOnce struct{ failed bool }

func (s *sayOnce) say(ctx context.Context, log *slog.Logger, what string, err error) {
	if err != nil && !s.failed && ctx.Err() == nil {
		log.Warn(what, "error", err)
	}
	s.failed = err != nil
}
