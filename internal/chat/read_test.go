package chat_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/chatread"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/ent/streamentry"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func (p *practice) state(t *testing.T, who any) chat.ReadState {
	t.Helper()
	states, err := p.ReadStates(testkit.As(t, who), []uuid.UUID{p.room.ID})
	require.NoError(t, err)
	return states[p.room.ID]
}

func (p *practice) mark(t *testing.T, who any, upTo int) error {
	t.Helper()
	_, err := p.MarkRead(testkit.As(t, who), chat.MarkRoomReadInput{RoomID: p.room.ID, UpTo: upTo})
	return err
}

func TestMarkRead(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		require.NoError(t, p.mark(t, p.patient, 0), "an empty room is read")
		requireCode(t, p.mark(t, p.patient, 1), fault.CodeInvalidInput)
		for i := range 5 {
			p.send(t, p.doctor, fmt.Sprint(i))
		}
		for _, tc := range []struct {
			name string
			upTo int
			code fault.Code
			want int64
		}{
			{"Forward", 2, "", 2},
			{"Same", 2, "", 2},
			{"Back", 1, "", 2},
			{"Zero", 0, "", 2},
			{"Negative", -1, "INVALID_INPUT", 2},
			{"BehindTheNewest", 6, "INVALID_INPUT", 2},
			{"Newest", 5, "", 5},
		} {
			err := p.mark(t, p.patient, tc.upTo)
			if tc.code != "" {
				requireCode(t, err, tc.code, tc.name)
			} else {
				require.NoError(t, err, tc.name)
			}
			require.Equal(t, chat.ReadState{UpTo: tc.want, Unread: int(5 - tc.want)}, p.state(t, p.patient), tc.name)
		}
		reads, err := db.Client.StreamEntry.Query().Where(streamentry.StreamID(p.room.ID), streamentry.Kind(chat.KindMessagesRead)).All(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, reads, 2, "one event for each move, none for no move")
		p.put(t, chatroom.StatusARCHIVED)
		require.NoError(t, p.mark(t, p.doctor, 3), "what can be read can be marked")
		for name, v := range p.outsiders(t) {
			_, err := p.MarkRead(access.As(t.Context(), v), chat.MarkRoomReadInput{RoomID: p.room.ID, UpTo: 1})
			requireCode(t, err, fault.CodeNotFound, name)
		}
		p.requireDense(t, p.room.ID)
	})
}

func TestMarkRead_AtOnceNeverGoesBack(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		second := newService(testkit.Another(t, db, clk))
		const n = 30
		for i := range n {
			p.send(t, p.doctor, fmt.Sprint(i))
		}
		marks := rand.Perm(n)
		for _, err := range atOnce(n, func(i int) error {
			s := p.Service
			if i%2 == 1 {
				s = second
			}
			_, err := s.MarkRead(testkit.As(t, p.patient), chat.MarkRoomReadInput{RoomID: p.room.ID, UpTo: marks[i] + 1})
			return err
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, chat.ReadState{UpTo: n}, p.state(t, p.patient))
		var last int64
		for after := (*int)(nil); after == nil; after = new(int) {
			hundred := 100
			page, err := p.EventPage(testkit.As(t, p.doctor), p.room.ID, nil, &hundred)
			require.NoError(t, err)
			for _, e := range page.Events {
				told, err := chat.Told(e)
				require.NoError(t, err)
				if read, ok := told.(chat.ReadStep); ok {
					require.Greater(t, read.UpTo, last, "events only go on")
					require.Equal(t, *p.patient.UserID, read.By)
					last = read.UpTo
				}
			}
		}
		require.Equal(t, int64(n), last)
		rows, err := db.Client.ChatRead.Query().Where(chatread.RoomID(p.room.ID)).Count(testkit.System(t))
		require.NoError(t, err)
		told, err := db.Client.StreamEntry.Query().Where(streamentry.StreamID(p.room.ID), streamentry.Kind(chat.KindMessagesRead)).Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, rows, told)
		p.requireDense(t, p.room.ID)
	})
}

// TestUnread_IsThatOfTheModel holds the counts against a plain model through a random conversation in several rooms.
func TestUnread_IsThatOfTheModel(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		rooms := []uuid.UUID{p.room.ID, p.open(t, p.doctor, p.patient).ID, p.open(t, p.doctor, testkit.Patient(t, db)).ID}
		sides := []any{p.patient, p.doctor}
		type state struct {
			said [][2]int // by whom each message is
			upTo [2]int
		}
		model := make([]state, len(rooms))
		random := rand.New(rand.NewPCG(1, 2)) // the same conversation every time
		for range 120 {
			n, side := random.IntN(2), random.IntN(2)
			m := &model[n]
			if random.IntN(3) > 0 {
				in := p.says("hello")
				in.RoomID = rooms[n]
				_, err := p.Send(testkit.As(t, sides[side]), in)
				require.NoError(t, err)
				m.said = append(m.said, [2]int{side})
			} else {
				upTo := random.IntN(len(m.said) + 1)
				_, err := p.MarkRead(testkit.As(t, sides[side]), chat.MarkRoomReadInput{RoomID: rooms[n], UpTo: upTo})
				require.NoError(t, err)
				m.upTo[side] = max(m.upTo[side], upTo)
			}
		}
		for side, who := range sides {
			var trips atomic.Int64
			ctx := store.CountRoundTrips(testkit.As(t, who), &trips)
			states, err := p.ReadStates(ctx, rooms)
			require.NoError(t, err)
			require.Equal(t, int64(1), trips.Load())
			total := 0
			for n, m := range model {
				unread := 0
				for i, by := range m.said {
					if by[0] != side && i+1 > m.upTo[side] {
						unread++
					}
				}
				total += unread
				require.Equal(t, chat.ReadState{UpTo: int64(m.upTo[side]), Unread: unread}, states[rooms[n]])
			}
			require.Positive(t, total, "the conversation leaves something unread")
			trips.Store(0)
			counted, err := p.UnreadTotal(ctx)
			require.NoError(t, err)
			require.Equal(t, int64(1), trips.Load())
			require.Equal(t, total, counted)
		}
	})
}
