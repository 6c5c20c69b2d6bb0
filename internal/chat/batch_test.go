package chat_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/chatmessage"
	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestGroup_BadOnesDoNotFailTheirNeighbours(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		closed := p.open(t, p.doctor, p.patient)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.ChatRoom.UpdateOne(closed).SetStatus(chatroom.StatusINACTIVE).Exec(ctx)
		})
		before, err := p.Send(testkit.As(t, p.patient), p.says("zero", "m0"))
		require.NoError(t, err)
		patient, doctor, stranger := testkit.Viewer(p.patient), testkit.Viewer(p.doctor), testkit.Viewer(testkit.Patient(t, db))
		elsewhere := func(room uuid.UUID) chat.SendMessageInput {
			return chat.SendMessageInput{RoomID: room, Body: "elsewhere"}
		}
		var trips atomic.Int64
		messages, errs := p.Group(store.CountRoundTrips(t.Context(), &trips), []chat.Sending{
			{By: patient, In: p.says("one", "m1")},
			{By: stranger, In: p.says("not mine")},
			{By: patient, In: p.says("zero again", "m0")},
			{By: doctor, In: elsewhere(closed.ID)},
			{By: patient, In: p.says("one again", "m1")},
			{By: stranger, In: p.says("not mine, with an id", "m1")},
			{By: doctor, In: p.says("two", "m1")},
			{By: doctor, In: elsewhere(ids.New("ChatRoom", testkit.Start))},
			{By: patient, In: p.says("three")},
		}...)
		for i, code := range []fault.Code{"", "NOT_FOUND", "", "ROOM_NOT_WRITABLE", "", "NOT_FOUND", "", "NOT_FOUND", ""} {
			if code == "" {
				require.NoError(t, errs[i], i)
			} else {
				requireCode(t, errs[i], code, i)
				require.Nil(t, messages[i])
			}
		}
		require.LessOrEqual(t, trips.Load(), int64(10), "one transaction, with the messages that are repeated read back")
		require.Equal(t, before.ID, messages[2].ID)
		require.Equal(t, messages[0].ID, messages[4].ID)
		var bodies []string
		for _, m := range p.requireDense(t, p.room.ID) {
			bodies = append(bodies, m.Body)
		}
		require.Equal(t, []string{"zero", "one", "two", "three"}, bodies)
		require.Empty(t, p.requireDense(t, closed.ID))
	})
}

// A sender whose account is not there is refused by the database: a foreign key fails the whole group.
func TestGroup_ThatFailsIsStoredOneByOne(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		patient, ghost := testkit.Viewer(p.patient), testkit.Viewer(p.patient)
		ghost.UserID = ids.New("User", testkit.Start)
		var list []chat.Sending
		for i := range 10 {
			by := patient
			if i%4 == 1 {
				by = ghost
			}
			list = append(list, chat.Sending{By: by, In: p.says(fmt.Sprint(i), fmt.Sprint("m", i/2))})
		}
		_, errs := p.Group(t.Context(), list...)
		for i, err := range errs {
			if i%4 == 1 {
				require.Error(t, err, i)
			} else {
				require.NoError(t, err, i)
			}
		}
		var bodies []string
		for _, m := range p.requireDense(t, p.room.ID) {
			bodies = append(bodies, m.Body)
		}
		require.Equal(t, []string{"0", "2", "4", "6", "8"}, bodies, "the odd ones repeat, or are refused")
	})
}

// A database that is away may have committed: nothing is tried again.
func TestGroup_OfADatabaseThatIsAwayFailsAsAWhole(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		var trips atomic.Int64
		patient := testkit.Viewer(p.patient)
		_, errs := p.Group(store.CountRoundTrips(ended, &trips), chat.Sending{By: patient, In: p.says("a")}, chat.Sending{By: patient, In: p.says("b")})
		for _, err := range errs {
			requireCode(t, err, fault.CodeTimeout)
		}
		require.LessOrEqual(t, trips.Load(), int64(1))
		require.Empty(t, p.requireDense(t, p.room.ID))
	})
}

func TestGroup_NumberOfStatements(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		rooms := []uuid.UUID{p.room.ID}
		for range 3 {
			rooms = append(rooms, p.open(t, p.doctor, p.patient).ID)
		}
		p.send(t, p.patient, "the first message of a service costs one statement more")
		patient := testkit.Viewer(p.patient)
		count := func(n int, withID bool) int64 {
			list := make([]chat.Sending, n)
			for i := range list {
				list[i] = chat.Sending{By: patient, In: chat.SendMessageInput{RoomID: rooms[i%len(rooms)], Body: "hello"}}
				if withID {
					id := uuid.NewString()
					list[i].In.ClientMessageID = &id
				}
			}
			var trips atomic.Int64
			_, errs := p.Group(store.CountRoundTrips(t.Context(), &trips), list...)
			for _, err := range errs {
				require.NoError(t, err)
			}
			return trips.Load()
		}
		one := count(1, false)
		require.LessOrEqual(t, one, int64(8), "begin, lock, rooms, numbers, messages, events, audit, commit")
		require.Equal(t, one+1, count(1, true), "the look for messages that are sent again")
		require.Equal(t, one, count(8, false))
		require.Equal(t, one+1, count(chat.MaxBatch, true))
		require.Equal(t, one, count(chat.MaxBatch, false))
		stored, err := db.Client.ChatMessage.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Greater(t, stored, 2*chat.MaxBatch)
		require.Equal(t, one, count(1, false), "however much has been said")
		t.Logf("%d statements, brackets included", one)
	})
}

func TestSend_Audit(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		p := newPractice(t, db, clk)
		resume := p.Hold()
		results := make(chan error, 2)
		secret := "I have had this rash since Monday"
		for i, v := range []*access.Viewer{testkit.Viewer(p.patient), testkit.Viewer(p.doctor)} {
			v.IP = fmt.Sprint("203.0.113.", i)
			ctx := audit.WithRequest(access.As(t.Context(), v), audit.Request{ID: fmt.Sprint("request-", i), Operation: "sendMessage", IP: v.IP})
			go func() { _, err := p.Send(ctx, p.says(secret, "m1")); results <- err }()
			p.AwaitWaiting(i + 1)
		}
		resume()
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		list := p.requireDense(t, p.room.ID)
		sum := sha256.Sum256([]byte(secret))
		for i, m := range list {
			e, err := db.Client.AuditEvent.Query().Where(auditevent.EntityID(m.ID)).Only(testkit.System(t))
			require.NoError(t, err)
			require.Equal(t, auditevent.ActionCREATE, e.Action)
			require.Equal(t, "ChatMessage", e.Entity)
			require.Equal(t, m.SenderID, *e.ActorID)
			require.NotNil(t, e.SessionID)
			require.Equal(t, p.patient.ID, *e.PatientID)
			require.Equal(t, fmt.Sprint("request-", i), e.RequestID)
			require.Equal(t, fmt.Sprint("203.0.113.", i), e.IP)
			require.Equal(t, "sendMessage", e.Cause)
			var fields []string
			for _, c := range e.Changes {
				fields = append(fields, c.Field)
				require.Empty(t, c.Old)
				require.NotContains(t, c.New, "rash")
				if c.Field == chatmessage.FieldBody {
					require.Equal(t, "sha256:"+hex.EncodeToString(sum[:]), c.New)
				}
			}
			columns := slices.DeleteFunc(slices.Clone(chatmessage.Columns), func(c string) bool {
				return c == chatmessage.FieldID || c == chatmessage.FieldCreatedAt || c == chatmessage.FieldSearchKey // which follows from the body
			})
			require.ElementsMatch(t, columns, fields, "every column is in the event, as if the row had been written by ent")
		}
		entries, err := db.Client.StreamEntry.Query().All(testkit.System(t))
		require.NoError(t, err)
		for _, e := range entries {
			require.False(t, strings.Contains(e.Data, "rash"), "the log holds no medical text")
			require.Equal(t, p.patient.ID, *e.PatientID)
		}
	})
}
