package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestSend_Validate(t *testing.T) {
	t.Parallel()
	id := func(s string) *string { return &s }
	for _, tc := range []struct {
		name string
		body string
		id   *string
		code []fault.Code
	}{
		{"OneCharacter", "a", nil, nil},
		{"Empty", "", nil, []fault.Code{"MESSAGE_EMPTY"}},
		{"OnlyWhiteSpaceOfAllKinds", " \t\r\n\u00a0\u2003\u3000\u0085", nil, []fault.Code{"MESSAGE_EMPTY"}},
		{"4000OneByteCharacters", strings.Repeat("x", 4000), nil, nil},
		{"4001OneByteCharacters", strings.Repeat("x", 4001), nil, []fault.Code{"MESSAGE_TOO_LONG"}},
		{"4000FourByteCharacters", strings.Repeat("😀", 4000), nil, nil},
		{"4001FourByteCharacters", strings.Repeat("😀", 4001), nil, []fault.Code{"MESSAGE_TOO_LONG"}},
		{"4000WithWhiteSpaceAround", "  " + strings.Repeat("é", 4000) + "\u00a0\n", nil, nil},
		{"NotUTF8", "caf\xe9", nil, []fault.Code{"INVALID_INPUT"}},
		{"NulByte", "a\x00b", nil, []fault.Code{"INVALID_INPUT"}},
		{"ClientIDOf100Bytes", "a", id(strings.Repeat("i", 100)), nil},
		{"ClientIDOf101Bytes", "a", id(strings.Repeat("i", 101)), []fault.Code{"INVALID_INPUT"}},
		{"EmptyClientID", "a", id(""), []fault.Code{"INVALID_INPUT"}},
		{"ClientIDWithNul", "a", id("a\x00"), []fault.Code{"INVALID_INPUT"}},
		{"AllAtOnce", "", id(""), []fault.Code{"MESSAGE_EMPTY", "INVALID_INPUT"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			list, ok := fault.All(chat.SendMessageInput{Body: tc.body, ClientMessageID: tc.id}.Validate())
			require.True(t, ok)
			var codes []fault.Code
			for _, e := range list {
				codes = append(codes, e.Code)
				require.NotEmpty(t, e.Field)
			}
			require.Equal(t, tc.code, codes)
		})
	}
}

func TestSend_StoresWhatWasSaid(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		for i, body := range []string{
			"plain", `"quotes" and \ back slashes \u0000 \n`, "<script>alert(1)</script> & co", "two\nlines\tand a tab", "a\u2028b\u200bc\ufeff",
			"😀👩‍⚕️ café Ünïcödé 漢字 \u202e", "\x01\x1f\x7f controls", strings.Repeat("😀", 4000), "null", "{}", "'; DROP TABLE chat_messages; --",
		} {
			var who any = p.patient
			if i%2 == 1 {
				who = p.doctor
			}
			in := p.says(" \u3000" + body + "\u00a0\n")
			if i%3 == 2 {
				in = p.says(in.Body, fmt.Sprint("m", i, ` "quoted"`))
			}
			m, err := p.Send(testkit.As(t, who), in)
			require.NoError(t, err)
			require.Equal(t, in.ClientMessageID, m.ClientMessageID)
			require.Equal(t, body, m.Body)
			stored, err := db.Client.ChatMessage.Get(testkit.As(t, p.patient), m.ID)
			require.NoError(t, err)
			stored.CreatedAt = stored.CreatedAt.UTC()
			require.JSONEq(t, encoded(t, stored), encoded(t, m), "what is answered is the row as the store returns it")
			require.Equal(t, int64(i+1), m.Position)
		}
		list := p.requireDense(t, p.room.ID)
		require.Equal(t, chatmessage.SenderRolePATIENT, list[0].SenderRole)
		require.Equal(t, *p.patient.UserID, list[0].SenderID)
		require.Equal(t, chatmessage.SenderRolePRACTITIONER, list[1].SenderRole)
		require.Equal(t, p.doctor.UserID, list[1].SenderID)
		room, err := list[0].QueryRoom().Only(testkit.As(t, p.patient))
		require.NoError(t, err)
		require.Equal(t, p.room.ID, room.ID)
		m := p.send(t, p.patient, "edges of what is answered can be followed")
		room, err = m.QueryRoom().Only(testkit.As(t, p.patient))
		require.NoError(t, err)
		require.Equal(t, p.room.ID, room.ID)
	})
}

func encoded(t *testing.T, row any) string {
	t.Helper()
	text, err := json.Marshal(row)
	require.NoError(t, err)
	return string(text)
}

func TestSend_WhoMay(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		p.send(t, p.patient, "first")
		for name, v := range p.outsiders(t) {
			_, err := p.Send(access.As(t.Context(), v), p.says("let me in", "m1"))
			requireCode(t, err, fault.CodeNotFound, name)
			_, err = p.Send(access.As(t.Context(), v), chat.SendMessageInput{RoomID: uuid.New(), Body: "hello"})
			requireCode(t, err, fault.CodeNotFound, name, "the same answer as for a room that is not there")
		}
		_, err := p.Send(testkit.As(t, p.patient), chat.SendMessageInput{RoomID: stream.RightsStream, Body: "hello"})
		requireCode(t, err, fault.CodeNotFound, "a stream that is no room")
		_, err = p.Send(t.Context(), p.says("nobody"))
		requireCode(t, err, fault.CodeUnauthenticated)
		_, err = p.Send(testkit.System(t), p.says("the system"))
		requireCode(t, err, fault.CodeNotFound)
		require.Len(t, p.requireDense(t, p.room.ID), 1)
	})
}

func TestSend_RoomStatus(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		first, err := p.Send(testkit.As(t, p.patient), p.says("before", "m1"))
		require.NoError(t, err)
		for _, status := range []chatroom.Status{chatroom.StatusINACTIVE, chatroom.StatusSUSPENDED, chatroom.StatusARCHIVED} {
			p.put(t, status)
			for _, who := range []any{p.patient, p.doctor} {
				_, err := p.Send(testkit.As(t, who), p.says("after"))
				requireCode(t, err, "ROOM_NOT_WRITABLE", status)
			}
			again, err := p.Send(testkit.As(t, p.patient), p.says("before", "m1"))
			require.NoError(t, err, "what was stored before is answered again")
			require.Equal(t, first.ID, again.ID)
			_, err = p.Send(testkit.As(t, testkit.Patient(t, db)), p.says("after"))
			requireCode(t, err, fault.CodeNotFound, "a stranger does not learn the status")
		}
		p.put(t, chatroom.StatusACTIVE)
		p.send(t, p.doctor, "again")
		require.Len(t, p.requireDense(t, p.room.ID), 2)
	})
}

func TestSend_ClientMessageIDIsOfSenderAndRoom(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		other := p.open(t, p.doctor, p.patient)
		first, err := p.Send(testkit.As(t, p.patient), p.says("one", "m1"))
		require.NoError(t, err)
		again, err := p.Send(testkit.As(t, p.patient), p.says("one, edited", "m1"))
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		require.Equal(t, "one", again.Body)
		byDoctor, err := p.Send(testkit.As(t, p.doctor), p.says("two", "m1"))
		require.NoError(t, err)
		require.NotEqual(t, first.ID, byDoctor.ID)
		in := p.says("three", "m1")
		in.RoomID = other.ID
		elsewhere, err := p.Send(testkit.As(t, p.patient), in)
		require.NoError(t, err)
		require.NotEqual(t, first.ID, elsewhere.ID)
		p.send(t, p.patient, "same text")
		p.send(t, p.patient, "same text")
		require.Len(t, p.requireDense(t, p.room.ID), 4)
		require.Len(t, p.requireDense(t, other.ID), 1)
	})
}

func TestSend_SameClientMessageID50TimesAtOnceIsOneMessage(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		second := newService(testkit.Another(t, db, clk))
		ids := make([]uuid.UUID, 50)
		for _, err := range atOnce(len(ids), func(i int) error {
			s := p.Service
			if i%2 == 1 {
				s = second
			}
			m, err := s.Send(testkit.As(t, p.patient), p.says("once", "m1"))
			if err == nil {
				ids[i] = m.ID
			}
			return err
		}) {
			require.NoError(t, err)
		}
		list := p.requireDense(t, p.room.ID)
		require.Len(t, list, 1)
		for _, id := range ids {
			require.Equal(t, list[0].ID, id)
		}
	})
}

func TestSend_200AtOnceFromBothSidesOverTwoInstances(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		rooms := []uuid.UUID{p.room.ID, p.open(t, p.doctor, p.patient).ID, p.open(t, p.doctor, p.patient).ID}
		second := newService(testkit.Another(t, db, clk))
		acknowledged := make([]uuid.UUID, 200)
		for i, err := range atOnce(len(acknowledged), func(i int) error {
			s, who := p.Service, any(p.patient)
			if i%2 == 1 {
				s = second
			}
			if i/2%2 == 1 {
				who = p.doctor
			}
			in := p.says(fmt.Sprint("message ", i))
			in.RoomID = rooms[min(i/100*(1+i%2), 2)] // the first hundred into one room
			m, err := s.Send(testkit.As(t, who), in)
			if err == nil {
				acknowledged[i] = m.ID
			}
			return err
		}) {
			require.NoError(t, err, i)
		}
		stored := map[uuid.UUID]string{}
		for _, room := range rooms {
			for _, m := range p.requireDense(t, room) {
				stored[m.ID] = m.Body
			}
		}
		require.Len(t, stored, len(acknowledged))
		for i, id := range acknowledged {
			require.Equal(t, fmt.Sprint("message ", i), stored[id])
		}
	})
}

func TestSend_CallerGone(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		resume := p.Hold()
		leaving, leave := context.WithCancel(testkit.As(t, p.patient))
		results := make(chan error, 2)
		go func() { _, err := p.Send(leaving, p.says("gone before its turn")); results <- err }()
		p.AwaitWaiting(1)
		leave()
		requireCode(t, <-results, fault.CodeTimeout)
		go func() { _, err := p.Send(testkit.As(t, p.doctor), p.says("patient enough")); results <- err }()
		p.AwaitWaiting(2)
		resume()
		require.NoError(t, <-results)
		list := p.requireDense(t, p.room.ID)
		require.Len(t, list, 1)
		require.Equal(t, "patient enough", list[0].Body)
	})
}

func TestSend_FullQueueRefuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		p.LimitWaiting(3)
		resume := p.Hold()
		results := make(chan error, 3)
		for i := range 3 {
			go func() { _, err := p.Send(testkit.As(t, p.patient), p.says(fmt.Sprint(i))); results <- err }()
		}
		p.AwaitWaiting(3)
		_, err := p.Send(testkit.As(t, p.patient), p.says("one too many"))
		requireCode(t, err, fault.CodeUnavailable)
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Positive(t, e.RetryAfter)
		resume()
		for range 3 {
			require.NoError(t, <-results)
		}
		p.send(t, p.patient, "there is room again")
		require.Len(t, p.requireDense(t, p.room.ID), 4)
	})
}

func TestSend_StopDrains(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		resume := p.Hold()
		results := make(chan error, 200)
		for i := range cap(results) {
			go func() { _, err := p.Send(testkit.As(t, p.patient), p.says(fmt.Sprint(i))); results <- err }()
		}
		p.AwaitWaiting(cap(results))
		expired, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, p.Stop(expired), context.Canceled)
		stopped := make(chan error)
		go func() { stopped <- p.Stop(t.Context()) }()
		p.AwaitClosed()
		_, err := p.Send(testkit.As(t, p.patient), p.says("too late"))
		requireCode(t, err, fault.CodeUnavailable)
		resume()
		require.NoError(t, <-stopped)
		for range cap(results) {
			require.NoError(t, <-results)
		}
		require.Len(t, p.requireDense(t, p.room.ID), cap(results))
		require.NoError(t, p.Stop(t.Context()), "stopping again is harmless")
	})
}

func TestSend_NotInsideATransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		err := db.WithTx(testkit.As(t, p.patient), func(ctx context.Context) error {
			_, err := p.Send(ctx, p.says("a part of something else"))
			return err
		})
		require.ErrorContains(t, err, "inside a transaction")
		var e *fault.Error
		require.False(t, errors.As(err, &e))
	})
}
