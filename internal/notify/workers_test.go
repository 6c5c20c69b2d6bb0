package notify

import (
	"context"
	"errors"
	"log/slog"
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

// Many workers of two services send every mail once.
func TestDeliverByMany(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{}
		one, two := service(db, box), New(Config{DB: testkit.Another(t, db, clk), Mailer: box, Log: slog.New(slog.DiscardHandler)})
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
