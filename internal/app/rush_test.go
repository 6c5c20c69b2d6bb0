package app_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

const (
	keyedBooking = `mutation($slot: ID!, $key: String!) { bookAppointment(input: {slotId: $slot, idempotencyKey: $key}) {
		appointment { id status } userErrors { code ... on SlotTaken { alternatives { id } } } } }`
	mostTries = 50 // of one caller whom a busy machine turns away
)

// rush is 200 patients, each signed in, half of them at either instance.
type rush struct {
	a, b    *instances.Instance
	doctor  *ent.Practitioner
	callers []*testkit.Client
	slots   []*ent.Slot
	spare   []uuid.UUID // slots that nobody asks for
}

func newRush(t *testing.T, engine string, slots int) *rush {
	t.Helper()
	all := instances.Start(t, engine, 2, instances.Options{Settings: map[string]string{"OPERATION_TIMEOUT": "5m"}})
	r := &rush{a: all[0], b: all[1], doctor: testkit.Practitioner(t, all[0].DB)}
	for n := range slots + 3 {
		s := testkit.Slot(t, r.a.DB, r.doctor, r.a.Clock.Now().Add(24*time.Hour+time.Duration(n)*30*time.Minute))
		if n < slots {
			r.slots = append(r.slots, s)
		} else {
			r.spare = append(r.spare, s.ID)
		}
	}
	for n := range 200 {
		at := all[n%2]
		r.callers = append(r.callers, at.Client(t).SignIn(t, testkit.Patient(t, at.DB).Email, testkit.Password))
	}
	return r
}

// look watches the doctor's free slots at an instance.
func (r *rush) look(t *testing.T, i *instances.Instance) looking {
	t.Helper()
	client := i.Client(t).SignIn(t, testkit.Patient(t, i.DB).Email, testkit.Password)
	from := i.Clock.Now()
	l := looking{client.Socket(t).Subscribe(watchSlots, map[string]any{
		"of": r.doctor.ID, "from": from.Format(time.RFC3339Nano), "to": from.Add(7 * 24 * time.Hour).Format(time.RFC3339Nano),
	}), t}
	require.Len(t, idsIn(l.Next()), len(r.slots)+len(r.spare))
	return l
}

// book asks until the answer is about the slot: a busy machine may turn a caller away, who then comes back with the same key.
func book(t *testing.T, client *testkit.Client, slot uuid.UUID, key string) *answer.Answer {
	for range mostTries {
		got := client.Do(t, keyedBooking, map[string]any{"slot": slot, "key": key})
		if code := got.Code(); code != "UNAVAILABLE" && code != "TIMEOUT" {
			return &got.Answer
		}
	}
	t.Errorf("%s was turned away %d times", key, mostTries)
	return &answer.Answer{}
}

// TestBook_ARushOverTwoInstances: of 200 callers over two instances, each slot has one winner, all others are told SLOT_TAKEN, and who looks at the free slots
// sees the outcome at both.
func TestBook_ARushOverTwoInstances(t *testing.T) {
	testkit.Long(t)
	for _, slots := range []int{1, 50} {
		for _, engine := range testkit.Engines() { // one after the other: 200 are enough at once
			t.Run(fmt.Sprintf("%dSlots/%s", slots, engine), func(t *testing.T) {
				r := newRush(t, engine, slots)
				lookers := []looking{r.look(t, r.a), r.look(t, r.b)}
				answers := make([]*answer.Answer, len(r.callers))
				var all sync.WaitGroup
				start := make(chan struct{})
				for n, client := range r.callers {
					all.Go(func() {
						<-start
						answers[n] = book(t, client, r.slots[n/2%slots].ID, fmt.Sprint("key ", n))
					})
				}
				close(start)
				all.Wait()
				won := map[uuid.UUID]string{} // the visit of each slot
				for n, got := range answers {
					wanted := r.slots[n/2%slots].ID
					if id := got.Text("bookAppointment.appointment.id"); id != "" {
						require.Empty(t, won[wanted], "one winner of each slot")
						won[wanted] = id
						continue
					}
					require.Equal(t, "SLOT_TAKEN", got.Text("bookAppointment.userErrors.0.code"), got)
					require.LessOrEqual(t, got.Len("bookAppointment.userErrors.0.alternatives"), 3)
				}
				require.Len(t, won, slots)
				for _, l := range lookers {
					l.sees(r.spare...)
				}
				r.requireStored(t, won)
			})
		}
	}
}

// requireStored checks that the visits which were answered are the ones that stand.
func (r *rush) requireStored(t *testing.T, won map[uuid.UUID]string) {
	t.Helper()
	rows, err := r.b.DB.Client.Appointment.Query().WithHistory().All(testkit.System(t))
	require.NoError(t, err)
	require.Len(t, rows, len(won))
	for _, a := range rows {
		require.Equal(t, won[a.SlotID], a.ID.String())
		require.Equal(t, appointment.StatusPENDING, a.Status)
		require.Len(t, a.Edges.History, 1)
	}
}
