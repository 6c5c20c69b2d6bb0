package stream_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// shelf keeps streams that need no entries: each has so many events, of which those up to cut are gone.
type shelf struct {
	mu    sync.Mutex
	heads map[uuid.UUID]int64
	cut   int64
	t     *testing.T
}

func (s *shelf) Events(ctx context.Context, id uuid.UUID, after int64, limit int) (list []*stream.Event, err error) {
	assert.True(s.t, access.From(ctx).IsSystem())
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := max(after, s.cut) + 1; p <= s.heads[id] && len(list) < limit; p++ {
		list = append(list, &stream.Event{Stream: id, Position: p, Kind: "kept"})
	}
	return list, nil
}

func (s *shelf) Heads(_ context.Context, list []uuid.UUID) (map[uuid.UUID]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heads := map[uuid.UUID]int64{}
	for _, id := range list {
		if head, ok := s.heads[id]; ok {
			heads[id] = head
		}
	}
	return heads, nil
}

func (s *shelf) grow(id uuid.UUID, head int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heads[id] = head
}

// Streams of an entity with a keeper are read from there, beside all others, and found by the same poll.
func TestKeeper(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		l, kept, plain := newLog(db), ids.New(ent.TypeWallet, testkit.Start), newStream()
		s := &shelf{heads: map[uuid.UUID]int64{}, t: t}
		l.Keep(ent.TypeWallet, s)
		a, b := open(t, stream.LogSource{Log: l, Stream: kept}, 0), open(t, stream.LogSource{Log: l, Stream: plain}, 0)
		assert.Empty(t, a.all(t), "it is not there yet")
		assert.Empty(t, b.all(t))

		s.grow(kept, 250)
		reserved(t, db, l, plain, 3)
		require.NoError(t, l.PollNow(access.System(t.Context(), "test")))
		assert.Equal(t, span(1, 250), a.await(t, 250))
		assert.Equal(t, span(1, 3), b.await(t, 3))
		head, err := l.Head(t.Context(), kept)
		require.NoError(t, err)
		assert.EqualValues(t, 250, head)

		s.grow(kept, 251)
		l.Publish(&stream.Event{Stream: kept, Position: 251, Kind: "kept"})
		assert.Equal(t, []int64{251}, a.await(t, 251))

		s.cut = 100
		_, err = l.Read(t.Context(), kept, 50, 10)
		require.ErrorIs(t, err, fault.ErrResumeExpired)
		late := open(t, stream.LogSource{Log: l, Stream: kept}, 100)
		assert.Equal(t, span(101, 251), late.await(t, 251))
	})
}
