package chat_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestNewest(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		empty, foreign := p.open(t, p.doctor, p.patient).ID, p.open(t, p.doctor, testkit.Patient(t, db)).ID
		for i := range 5 {
			p.send(t, p.doctor, fmt.Sprint(i))
			_, err := p.Send(testkit.As(t, p.doctor), chat.SendMessageInput{RoomID: foreign, Body: "secret"})
			require.NoError(t, err)
		}
		rooms := []uuid.UUID{p.room.ID, empty, foreign}
		bodies := func(list []*ent.ChatMessage) (texts []string) {
			for _, m := range list {
				texts = append(texts, m.Body)
			}
			return texts
		}
		for n, want := range map[int][]string{1: {"4"}, 3: {"4", "3", "2"}, 9: {"4", "3", "2", "1", "0"}} {
			var trips atomic.Int64
			found, err := p.Newest(store.CountRoundTrips(testkit.As(t, p.patient), &trips), rooms, n)
			require.NoError(t, err)
			require.Equal(t, int64(1), trips.Load())
			require.Equal(t, want, bodies(found[p.room.ID]))
			require.Empty(t, found[empty])
			require.Empty(t, found[foreign])
		}
		counts, err := p.Count(testkit.As(t, p.patient), rooms)
		require.NoError(t, err)
		require.Equal(t, map[uuid.UUID]int{p.room.ID: 5}, counts)
		for name, v := range p.outsiders(t) {
			found, err := p.Newest(access.As(t.Context(), v), rooms, 5)
			require.NoError(t, err)
			require.Empty(t, found, name)
			counts, err := p.Count(access.As(t.Context(), v), rooms)
			require.NoError(t, err)
			require.Empty(t, counts, name)
			states, err := p.ReadStates(access.As(t.Context(), v), rooms)
			require.NoError(t, err)
			require.Empty(t, states, name)
			total, err := p.UnreadTotal(access.As(t.Context(), v))
			require.NoError(t, err)
			require.Zero(t, total, name)
		}
	})
}

func TestCanSend(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		r := *p.room
		for _, status := range []chatroom.Status{chatroom.StatusACTIVE, chatroom.StatusINACTIVE, chatroom.StatusSUSPENDED, chatroom.StatusARCHIVED} {
			r.Status = status
			want := status == chatroom.StatusACTIVE
			require.Equal(t, want, chat.CanSend(testkit.Viewer(p.patient), &r))
			require.Equal(t, want, chat.CanSend(testkit.Viewer(p.doctor), &r))
			for name, v := range p.outsiders(t) {
				require.False(t, chat.CanSend(v, &r), name)
			}
		}
		require.False(t, chat.CanSend(nil, p.room))
	})
}
