package stream_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

// subscriber is a model of a client: it knows its last position and must be given exactly what follows it.
type subscriber struct {
	*reader
	at int64
}

// read takes one page and checks that it follows.
func (s *subscriber) read(t *testing.T, rt *rapid.T) bool {
	events, err := s.Next(t.Context())
	require.NoError(rt, err)
	for _, e := range events {
		if e.Kind == stream.Opened {
			require.GreaterOrEqual(rt, e.Position, s.at)
			s.at = e.Position
			continue
		}
		require.Equal(rt, s.at+1, e.Position)
		require.Equal(rt, e.Position, e.Value)
		s.at = e.Position
	}
	return len(events) > 0
}

func TestEveryReaderGetsEveryEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		rapid.Check(t, func(rt *rapid.T) {
			l, id := newLog(db), newStream()
			source := stream.LogSource{Log: l, Stream: id, Loader: loadPositions}
			var readers []*subscriber
			var late []*stream.Event // written but not published yet
			head := int64(0)
			start := func(after, at int64) {
				r, err := tryOpen(t.Context(), source, after)
				require.NoError(rt, err)
				readers = append(readers, &subscriber{r, at})
			}
			pick := func() int {
				if len(readers) == 0 {
					rt.Skip("no reader")
				}
				return rapid.IntRange(0, len(readers)-1).Draw(rt, "reader")
			}
			rt.Repeat(map[string]func(*rapid.T){
				"append": func(rt *rapid.T) {
					n := rapid.SampledFrom([]int{1, 1, 2, 7, 120, 600}).Draw(rt, "n")
					appendTo(t, db, l, id, n)
					head += int64(n)
				},
				"write": func(rt *rapid.T) {
					n := rapid.IntRange(1, 4).Draw(rt, "n")
					late = append(late, reserved(t, db, l, id, n)...)
					head += int64(n)
				},
				"publish late": func(rt *rapid.T) {
					if len(late) == 0 {
						rt.Skip("nothing")
					}
					l.Publish(rapid.Permutation(late).Draw(rt, "order")[:rapid.IntRange(1, len(late)).Draw(rt, "n")]...)
				},
				"hint": func(rt *rapid.T) {
					l.Hint(stream.Hint{Stream: id, Position: rapid.Int64Range(0, head+2).Draw(rt, "at")})
				},
				"poll":   func(rt *rapid.T) { require.NoError(rt, l.PollNow(t.Context())) },
				"forget": func(*rapid.T) { l.ForgetOld() },
				"open":   func(*rapid.T) { start(-1, 0) },
				"open behind": func(rt *rapid.T) {
					after := rapid.Int64Range(0, head).Draw(rt, "after")
					start(after, after)
				},
				"read": func(rt *rapid.T) { readers[pick()].read(t, rt) },
				"reopen": func(rt *rapid.T) {
					i := pick()
					s := readers[i]
					readers = append(readers[:i], readers[i+1:]...)
					s.Close()
					start(s.at, s.at)
				},
				"close": func(rt *rapid.T) {
					i := pick()
					readers[i].Close()
					readers = append(readers[:i], readers[i+1:]...)
				},
			})
			for _, s := range readers {
				for s.read(t, rt) {
				}
				s.isWoken()
			}
			require.NoError(rt, l.PollNow(t.Context()))
			for _, s := range readers {
				require.Equal(rt, s.at < head, s.isWoken(), "woken when there is something")
				for s.read(t, rt) {
				}
				require.Equal(rt, head, s.at)
				s.Close()
			}
			require.Zero(rt, l.Topics())
		})
	})
}
