package notify

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// A mail that is due goes out once, and leaves its text behind nowhere.
func TestDeliver(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{}
		s, m := service(db, box), someMail(uuid.New())
		written := clk.Now()
		enqueue(t, s, m)
		sentAt := clk.Advance(time.Minute)
		sent, failed := deliver(t, s)
		assert.Equal(t, []int{1, 0}, []int{sent, failed})
		d := one(t, db)
		assert.Equal(t, []mail.Message{{ID: d.ID.String(), To: m.To, Subject: m.Subject, Body: m.Body, Date: written}}, box.mails())
		assert.Equal(t, []any{delivery.StatusSENT, "", "250 taken", 1, sentAt}, []any{d.Status, d.Body, d.Answer, d.Attempts, *d.SentAt})
		assert.Nil(t, d.LeasedUntil)

		clk.Advance(soon)
		sent, failed = deliver(t, s)
		assert.Equal(t, []int{0, 0}, []int{sent, failed})
		assert.Len(t, box.mails(), 1)
	})
}

// More mails than a batch go out in one step.
func TestDeliverMany(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		box := &postbox{}
		s, mails := service(db, box), make([]Mail, 3*batchSize+1)
		for i := range mails {
			mails[i] = someMail(uuid.New())
		}
		enqueue(t, s, mails...)
		sent, _ := deliver(t, s)
		assert.Equal(t, len(mails), sent)
		assert.Len(t, box.mails(), len(mails))
	})
}

// A mail that fails for now is tried again later and later, and given up after eight tries, with the last answer.
func TestDeliverFails(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{answer: func(mail.Message) error { return &mail.Error{Answer: "451 " + strings.Repeat("ü", maxAnswer)} }}
		s, m := service(db, box), someMail(uuid.New())
		enqueue(t, s, m)
		for try := 1; try <= maxAttempts; try++ {
			sent, failed := deliver(t, s)
			require.Equal(t, []int{0, 1}, []int{sent, failed})
			d := one(t, db)
			require.Equal(t, try, d.Attempts)
			require.Nil(t, d.LeasedUntil)
			require.True(t, strings.HasPrefix(d.Answer, "451 ü"))
			require.LessOrEqual(t, len(d.Answer), maxAnswer)
			if try == maxAttempts {
				assert.Equal(t, delivery.StatusDEAD, d.Status)
				assert.Equal(t, m.Body, d.Body, "for a try by hand")
				break
			}
			assert.Equal(t, delivery.StatusQUEUED, d.Status)
			clk.Set(d.NextAttemptAt.Add(-time.Microsecond))
			_, failed = deliver(t, s)
			assert.Zero(t, failed, "not before its time")
			clk.Set(d.NextAttemptAt)
		}
		clk.Advance(soon)
		deliver(t, s)
		assert.Len(t, box.mails(), maxAttempts)
		assert.Len(t, distinct(box.mails()), 1, "the same id every time")
	})
}

func distinct(mails []mail.Message) map[string]int {
	ids := map[string]int{}
	for _, m := range mails {
		ids[m.ID]++
	}
	return ids
}

// A mail that the server refuses for good is not tried again, and others are not held up by it.
func TestDeliverRefused(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{answer: func(m mail.Message) error {
			if m.To == "nobody@b.test" {
				return fmt.Errorf("wrapped: %w", &mail.Error{Permanent: true, Answer: "550 no such user"})
			}
			return nil
		}}
		s, bad := service(db, box), someMail(uuid.New())
		bad.To = "nobody@b.test"
		enqueue(t, s, bad, someMail(uuid.New()))
		sent, failed := deliver(t, s)
		assert.Equal(t, []int{1, 1}, []int{sent, failed})
		clk.Advance(soon)
		deliver(t, s)
		assert.Len(t, box.mails(), 2)
		all := outbox(t, db)
		assert.Equal(t, []any{delivery.StatusDEAD, "550 no such user", delivery.StatusSENT}, []any{all[0].Status, all[0].Answer, all[1].Status})
	})
}

// The log tells which mail failed, never to whom it went or what it said.
func TestDeliverLog(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		var log bytes.Buffer
		s := service(db, &postbox{answer: func(mail.Message) error { return errors.New("550 <noor@b.test> unknown") }})
		s.log = slog.New(slog.NewTextHandler(&log, nil))
		enqueue(t, s, someMail(uuid.New()))
		deliver(t, s)
		assert.Contains(t, log.String(), one(t, db).ID.String())
		assert.NotContains(t, log.String(), "noor@b.test")
		assert.NotContains(t, log.String(), "token")
	})
}

// Without a mail server mails are kept with their text, for /dev/mail, newest first.
func TestDeliverWithoutServer(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s := service(db, nil)
		for range 3 {
			enqueue(t, s, someMail(uuid.New()))
			clk.Advance(time.Second)
		}
		sent, failed := deliver(t, s)
		assert.Equal(t, []int{3, 0}, []int{sent, failed})
		recent, err := s.Recent(t.Context(), 2)
		require.NoError(t, err)
		require.Len(t, recent, 2)
		all := outbox(t, db)
		assert.Equal(t, []uuid.UUID{all[2].ID, all[1].ID}, []uuid.UUID{recent[0].ID, recent[1].ID})
		assert.Equal(t, delivery.StatusKEPT, recent[0].Status)
		assert.Contains(t, recent[0].Body, "token")

		later := service(db, &postbox{})
		clk.Advance(soon)
		sent, _ = deliver(t, later)
		assert.Zero(t, sent, "a server that comes later does not send what is old")
	})
}

// The pauses grow from half a minute to six hours, about fifteen hours in all.
func TestPause(t *testing.T) {
	t.Parallel()
	var all time.Duration
	for n, want := range []time.Duration{30 * time.Second, 2 * time.Minute, 8 * time.Minute, 32 * time.Minute, 128 * time.Minute, 6 * time.Hour, 6 * time.Hour} {
		assert.Equal(t, want, pause(n+1, 0.5))
		assert.Equal(t, want*8/10, pause(n+1, 0))
		assert.Equal(t, want*12/10, pause(n+1, 1))
		all += want
	}
	assert.InDelta(t, 15, all.Hours(), 1)
	assert.Equal(t, longest, pause(1000, 0.5))
}
