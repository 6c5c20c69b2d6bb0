package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
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

// Many workers of two services send every mail once.
func TestDeliverByMany(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{}
		one, two := service(db, box), New(Config{DB: testkit.OpenURL(t, store.Config{URL: db.URL()}, clk), Mailer: box, Log: slog.New(slog.DiscardHandler)})
		mails := make([]Mail, 60)
		for i := range mails {
			mails[i] = someMail(uuid.New())
		}
		enqueue(t, one, mails...)
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			sent int
		)
		for range 4 {
			for _, s := range []*Service{one, two} {
				wg.Go(func() {
					n, failed, err := s.Deliver(t.Context())
					assert.NoError(t, err)
					assert.Zero(t, failed)
					mu.Lock()
					defer mu.Unlock()
					sent += n
				})
			}
		}
		wg.Wait()
		assert.Equal(t, len(mails), sent)
		ids := distinct(box.mails())
		assert.Len(t, ids, len(mails))
		for id, n := range ids {
			assert.Equal(t, 1, n, id)
		}
	})
}

// A worker that dies between taking a row and writing down what became of it: nobody touches the row until its lease runs out, then
// another sends it with the same id. What the first one writes afterwards does no harm.
func TestDeliverAfterCrash(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{}
		dying, other := service(db, box), service(db, box)
		enqueue(t, dying, someMail(uuid.New()))
		taken, err := dying.claim(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, taken, 1)

		clk.Advance(3*dying.timeout - time.Microsecond)
		deliver(t, other)
		assert.Empty(t, box.mails(), "the lease holds")
		clk.Advance(time.Microsecond)
		sent, _ := deliver(t, other)
		assert.Equal(t, 1, sent)
		d := one(t, db)
		assert.Equal(t, []any{delivery.StatusSENT, 2}, []any{d.Status, d.Attempts})

		require.NoError(t, dying.failed(testkit.System(t), taken[0], errors.New("late")))
		assert.Equal(t, d.String(), one(t, db).String())
		_, err = dying.deliver(testkit.System(t), taken[0])
		require.NoError(t, err)
		assert.Equal(t, d.String(), one(t, db).String())
		assert.Len(t, distinct(box.mails()), 1)
	})
}

// A worker that is late with a failure does not take the row from the one that has it now.
func TestDeliverLateFailure(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s := service(db, &postbox{})
		enqueue(t, s, someMail(uuid.New()))
		first, err := s.claim(testkit.System(t))
		require.NoError(t, err)
		clk.Advance(3 * s.timeout)
		second, err := s.claim(testkit.System(t))
		require.NoError(t, err)
		require.Len(t, second, 1)
		require.NoError(t, s.failed(testkit.System(t), first[0], errors.New("late")))
		assert.Equal(t, second[0].LeasedUntil, one(t, db).LeasedUntil)
		assert.Empty(t, one(t, db).Answer)
	})
}

// A mail that kills every worker that takes it ends as well.
func TestDeliverDeadlyMail(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{}
		s := service(db, box)
		enqueue(t, s, someMail(uuid.New()))
		for range maxAttempts {
			taken, err := s.claim(testkit.System(t))
			require.NoError(t, err)
			require.Len(t, taken, 1)
			clk.Advance(3 * s.timeout)
		}
		_, failed := deliver(t, s)
		assert.Equal(t, 1, failed)
		assert.Equal(t, delivery.StatusDEAD, one(t, db).Status)
		assert.Empty(t, box.mails())
	})
}

// A mail that was withdrawn while the server took it has been sent, and the row says so.
func TestDeliverWithdrawnMeanwhile(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		box := &postbox{}
		s, m := service(db, box), someMail(uuid.New())
		withdraw := func() {
			testkit.Write(t, db, func(ctx context.Context) error { return s.Withdraw(ctx, m.Kind, m.SubjectID, m.Occurrence) })
		}
		box.answer = func(mail.Message) error {
			withdraw()
			return nil
		}
		enqueue(t, s, m)
		deliver(t, s)
		assert.Equal(t, delivery.StatusSENT, one(t, db).Status)

		m.SubjectID = uuid.New()
		box.answer = func(mail.Message) error {
			withdraw()
			return errors.New("451 not now")
		}
		enqueue(t, s, m)
		deliver(t, s)
		assert.Equal(t, delivery.StatusWITHDRAWN, outbox(t, db)[1].Status)
	})
}

// The worker is woken by a commit and finishes what it is sending when it is told to stop.
func TestRun(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		sending, release := make(chan struct{}), make(chan struct{})
		s := New(Config{DB: db, Log: slog.New(slog.DiscardHandler), Poll: time.Hour, Mailer: &postbox{answer: func(mail.Message) error {
			close(sending)
			<-release
			return nil
		}}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Run(ctx)
		}()
		enqueue(t, s, someMail(uuid.New()))
		<-sending
		stop()
		close(release)
		<-ended
		assert.Equal(t, delivery.StatusSENT, one(t, db).Status)
	})
}

// The worker finds by itself what another instance has put into the outbox.
func TestRunPolls(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		box := &postbox{}
		s := New(Config{DB: db, Log: slog.New(slog.DiscardHandler), Poll: time.Millisecond, Mailer: box})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Run(ctx)
		}()
		enqueue(t, service(db, nil), someMail(uuid.New()))
		require.Eventually(t, func() bool { return len(box.mails()) == 1 }, 5*time.Second, time.Millisecond)
		stop()
		<-ended
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
