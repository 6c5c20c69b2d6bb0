package app_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
)

// TestSockets_AFailedWriteIsNotDelivered: whichever write of a message fails, nobody is given it, the room goes on without a gap, and sending it again stores it once.
func TestSockets_AFailedWriteIsNotDelivered(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		faults := &testkit.Faults{}
		c := converse(t, engine, instances.Options{Wrap: faults.Wrap})
		feed := c.follow(at(t, c.a, c.doctor).Socket(t), nil)
		vars := func(n int) map[string]any {
			return map[string]any{"room": c.room, "body": fmt.Sprint("message ", n), "id": fmt.Sprint("id-", n)}
		}
		c.patient.Do(t, sendOperation, vars(0)).NoErrors(t)
		require.Equal(t, 1, feed.Next().Int("chatEvents.message.position"))
		faults.Watch()
		c.patient.Do(t, sendOperation, vars(1)).NoErrors(t)
		writes := len(faults.Seen())
		require.GreaterOrEqual(t, writes, 4, "counters, messages, events, commit: %v", faults.Seen())
		require.Equal(t, 2, feed.Next().Int("chatEvents.message.position"))

		for n := 1; n <= writes; n++ {
			faults.FailAt(n, errors.New("the disk is full"))
			failed := c.patient.Do(t, sendOperation, vars(n+1))
			faults.Watch()
			if failed.Code() == "" { // the write was somebody else's, as the session's, or was tried again
				failed.NoErrors(t)
			}
			again := c.patient.Do(t, sendOperation, vars(n+1)).NoErrors(t)
			require.Equal(t, n+2, again.Int("sendMessage.message.position"), "write %d", n)
			e := feed.Next()
			require.Equal(t, again.Text("sendMessage.message.id"), e.Text("chatEvents.message.id"), "write %d: what was not stored was delivered", n)
			require.Equal(t, n+2, e.Int("chatEvents.message.position"), "write %d", n)
		}
	})
}

// TestSockets_AKilledInstanceThatHadStoredTheMessage: its answer is lost, the same message sent again at another instance is the first one, and readers get it once.
func TestSockets_AKilledInstanceThatHadStoredTheMessage(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, engine string) {
		url := testkit.URL(t, engine)
		c := converse(t, engine, instances.Options{DatabaseURL: url})
		feed := c.follow(c.doctor.Socket(t), nil)
		for round, kill := range []func(f *testkit.Faults, n int){(*testkit.Faults).KillBefore, (*testkit.Faults).KillAfter} {
			for n := 1; n <= 4; n++ {
				faults := &testkit.Faults{}
				doomed := instances.Start(t, engine, 1, instances.Options{DatabaseURL: url, Wrap: faults.Wrap, IsDoomed: true, Clock: c.a.Clock})[0]
				vars := map[string]any{"room": c.room, "body": "hello", "id": fmt.Sprintf("id-%d-%d", round, n)}
				sender := at(t, doomed, c.patient)
				sender.Do(t, `{ viewer { id } }`, nil).NoErrors(t)
				kill(faults, n)
				require.NotEmpty(t, sender.Do(t, sendOperation, vars).Code(), "nobody heard of it")
				require.True(t, faults.Dead(), "%v", faults.Seen())
				answer := c.patient.Do(t, sendOperation, vars).NoErrors(t)
				e := feed.Next()
				require.Equal(t, answer.Text("sendMessage.message.id"), e.Text("chatEvents.message.id"))
				require.Equal(t, round*4+n, e.Int("chatEvents.message.position"))
			}
		}
	})
}
