package app_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/chatroom"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

const watchSlots = `subscription($of: ID!, $from: DateTime!, $to: DateTime!) {
	slotsChanged(practitionerId: $of, from: $from, to: $to) { occurredAt hasMore slots { id isFree } } }`

// looking is a patient who looks at the free slots of a doctor.
type looking struct {
	*testkit.Feed
	t *testing.T
}

// sees waits until the free slots are these, and no others were told after them.
func (l looking) sees(want ...uuid.UUID) {
	l.t.Helper()
	ids := []string{}
	for _, id := range want {
		ids = append(ids, id.String())
	}
	for {
		got := idsIn(l.Next())
		if slices.Equal(got, ids) {
			return
		}
	}
}

func idsIn(a *answer.Answer) []string {
	list := []string{}
	for i := range a.Len("slotsChanged.slots") {
		list = append(list, a.Text("slotsChanged.slots."+strconv.Itoa(i)+".id"))
	}
	return list
}

// TestSlotsChanged: whatever happens to a slot, at whichever instance and by time alone, who looks sees what is free.
func TestSlotsChanged(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		all := instances.Start(t, engine, 2, instances.Options{})
		a, b := all[0], all[1]
		alice, bob, doctor := testkit.Patient(t, a.DB), testkit.Patient(t, a.DB), testkit.Practitioner(t, a.DB)
		start := a.Clock.Now()
		first, second := testkit.Slot(t, a.DB, doctor, start.Add(2*time.Hour)), testkit.Slot(t, a.DB, doctor, start.Add(3*time.Hour))
		testkit.Slot(t, a.DB, doctor, start.Add(32*24*time.Hour)) // beyond the range
		patient := a.Client(t).SignIn(t, alice.Email, testkit.Password)
		other := b.Client(t).SignIn(t, bob.Email, testkit.Password)
		l := looking{other.Socket(t).Subscribe(watchSlots, map[string]any{
			"of": doctor.ID, "from": start.Format(time.RFC3339Nano), "to": start.Add(31 * 24 * time.Hour).Format(time.RFC3339Nano),
		}), t}
		l.sees(first.ID, second.ID)

		patient.Do(t, bookOperation, map[string]any{"slot": first.ID}).NoErrors(t)
		l.sees(second.ID)
		third := testkit.Slot(t, a.DB, doctor, start.Add(4*time.Hour))
		l.sees(second.ID, third.ID)
		a.Clock.Advance(15 * time.Minute) // the time to pay is over, though nobody writes so
		l.sees(first.ID, second.ID, third.ID)
		require.NoError(t, a.DB.WithTx(testkit.System(t), func(ctx context.Context) error { return a.DB.Client.Slot.DeleteOneID(third.ID).Exec(ctx) }))
		l.sees(first.ID, second.ID)
	})
}

// TestSlotsChanged_StartPasses: a slot vanishes when it starts.
func TestSlotsChanged_StartPasses(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{})[0]
		doctor, start := testkit.Practitioner(t, i.DB), i.Clock.Now()
		first, second := testkit.Slot(t, i.DB, doctor, start.Add(5*time.Minute)), testkit.Slot(t, i.DB, doctor, start.Add(time.Hour))
		client := i.Client(t).SignIn(t, testkit.Patient(t, i.DB).Email, testkit.Password)
		l := looking{client.Socket(t).Subscribe(watchSlots, map[string]any{
			"of": doctor.ID, "from": start.Format(time.RFC3339Nano), "to": start.Add(time.Hour + time.Minute).Format(time.RFC3339Nano),
		}), t}
		l.sees(first.ID, second.ID)
		i.Clock.Advance(5 * time.Minute)
		l.sees(second.ID)
	})
}

func TestSlotsChanged_Refusals(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		i := instances.Start(t, engine, 1, instances.Options{})[0]
		doctor, start := testkit.Practitioner(t, i.DB), i.Clock.Now()
		socket := i.Client(t).SignIn(t, testkit.Patient(t, i.DB).Email, testkit.Password).Socket(t)
		for name, c := range map[string]struct {
			of   uuid.UUID
			long time.Duration
			code string
		}{
			"31 days and a bit": {doctor.ID, 31*24*time.Hour + time.Microsecond, "INVALID_INPUT"},
			"nothing":           {doctor.ID, 0, "INVALID_INPUT"},
			"nobody":            {uuid.New(), time.Hour, "NOT_FOUND"},
		} {
			code, before := socket.Subscribe(watchSlots, map[string]any{
				"of": c.of, "from": start.Format(time.RFC3339Nano), "to": start.Add(c.long).Format(time.RFC3339Nano),
			}).End()
			require.Equal(t, c.code, code, name)
			require.Empty(t, before)
		}
	})
}

const (
	watchTyping = `subscription($room: ID!) { typing(roomId: $room) { isTyping userId expiresAt } }`
	setTyping   = `mutation($room: ID!, $is: Boolean!) { setTyping(input: {roomId: $room, isTyping: $is}) { isTold userErrors { code } } }`
)

// types says that the client's user types, or not, and returns whether it was told and why not.
func (c *conversation) types(t *testing.T, client *testkit.Client, is bool) (told bool, code string) {
	t.Helper()
	r := client.Do(t, setTyping, map[string]any{"room": c.room, "is": is})
	require.Empty(t, r.Errors)
	told, _ = r.Get("setTyping.isTold").(bool)
	return told, r.Text("setTyping.userErrors.0.code")
}

// TestTyping: one signal in 3 seconds counts, for 6; the other participant sees it at whichever instance, the typist does not.
func TestTyping(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		vars := map[string]any{"room": c.room}
		theirs, mine := c.doctor.Socket(t).Subscribe(watchTyping, vars), c.patient.Socket(t).Subscribe(watchTyping, vars)
		require.Equal(t, false, theirs.Next().Get("typing.isTyping"))
		require.Equal(t, false, mine.Next().Get("typing.isTyping"))
		start := c.a.Clock.Now()
		ends := func(d time.Duration) string { return start.Add(d).UTC().Format(time.RFC3339Nano) }

		told, _ := c.types(t, c.patient, true)
		require.True(t, told)
		seen := theirs.Next()
		require.Equal(t, true, seen.Get("typing.isTyping"))
		require.Equal(t, c.patientRow.UserID.String(), seen.Text("typing.userId"))
		require.Equal(t, ends(6*time.Second), seen.Text("typing.expiresAt"))

		c.a.Clock.Advance(3*time.Second - time.Microsecond)
		told, code := c.types(t, c.patient, true)
		require.False(t, told, "less than 3 s later")
		require.Empty(t, code, "which is no error")
		c.a.Clock.Advance(time.Microsecond)
		told, _ = c.types(t, c.patient, true)
		require.True(t, told)
		require.Equal(t, ends(9*time.Second), theirs.Next().Text("typing.expiresAt"))

		c.a.Clock.Advance(6 * time.Second)
		require.Equal(t, false, theirs.Next().Get("typing.isTyping"), "forgotten")
		told, _ = c.types(t, c.doctor, true)
		require.True(t, told)
		require.Equal(t, true, mine.Next().Get("typing.isTyping"), "and of oneself nothing was told before")
		c.a.Clock.Advance(3 * time.Second)
		told, _ = c.types(t, c.doctor, false)
		require.True(t, told)
		require.Equal(t, false, mine.Next().Get("typing.isTyping"))
	})
}

// TestTyping_DoesNotExtendTheSession, nor is anything stored.
func TestTyping_DoesNotExtendTheSession(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		const status = `{ sessionStatus { session { expiresAt } } }`
		before := c.patient.Do(t, status, nil).NoErrors(t).Text("sessionStatus.session.expiresAt")
		stored := c.a.DB.Client.StreamEntry.Query().CountX(testkit.System(t))
		c.a.Clock.Advance(time.Minute)
		told, _ := c.types(t, c.patient, true)
		require.True(t, told)
		require.Equal(t, before, c.patient.Do(t, status, nil).NoErrors(t).Text("sessionStatus.session.expiresAt"))
		require.Equal(t, stored, c.a.DB.Client.StreamEntry.Query().CountX(testkit.System(t)), "nothing is stored")
	})
}

// TestTyping_OnlyInActiveRooms, and only of who takes part.
func TestTyping_OnlyInActiveRooms(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		c := converse(t, engine, instances.Options{})
		id := uuid.MustParse(c.room)
		require.NoError(t, c.a.DB.WithTx(testkit.System(t), func(ctx context.Context) error {
			return c.a.DB.Client.ChatRoom.UpdateOneID(id).SetStatus(chatroom.StatusINACTIVE).Exec(ctx)
		}))
		_, code := c.types(t, c.patient, true)
		require.Equal(t, "ROOM_NOT_WRITABLE", code)
		stranger := c.a.Client(t).SignIn(t, testkit.Patient(t, c.a.DB).Email, testkit.Password)
		_, code = c.types(t, stranger, true)
		require.Equal(t, "NOT_FOUND", code)
	})
}
