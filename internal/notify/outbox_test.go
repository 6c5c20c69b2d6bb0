package notify

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// A mail is in the outbox once per kind, subject, occurrence and address, and only with the change that causes it.
func TestMail(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s, subject := service(db, &postbox{}), uuid.New()
		u := testkit.User(t, db, access.Patient)
		m := someMail(subject)
		m.UserID = &u.ID
		enqueue(t, s, m, m)
		enqueue(t, s, m)
		d := one(t, db)
		assert.Equal(t, []any{m.Kind, u.ID, subject, "1", m.To, m.Subject, m.Body}, []any{d.Kind, *d.UserID, d.SubjectID, d.Occurrence, d.Address, d.Subject, d.Body})
		assert.Equal(t, []any{delivery.ChannelEMAIL, delivery.StatusQUEUED, 0, clk.Now(), clk.Now()}, []any{d.Channel, d.Status, d.Attempts, d.NextAttemptAt, d.CreatedAt})
		assert.Equal(t, ent.TypeDelivery, ids.Entity(d.ID))

		other := m
		for _, change := range []func(){
			func() { other.Kind = "RESET" }, func() { other.Occurrence = "2" }, func() { other.To = "else@b.test" }, func() { other.SubjectID = uuid.New() },
		} {
			change()
			enqueue(t, s, other)
		}
		assert.Len(t, outbox(t, db), 5)

		failure := errors.New("no")
		err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
			other.Occurrence = "3"
			return errors.Join(s.Mail(ctx, other), failure)
		})
		require.ErrorIs(t, err, failure)
		assert.Len(t, outbox(t, db), 5)
		assert.Error(t, s.Mail(testkit.System(t), other), "outside a transaction")
	})
}

// Twins that tell the same at the same time tell it once.
func TestMailAtTheSameTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, subject := service(db, &postbox{}), uuid.New()
		u := testkit.User(t, db, access.Patient)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				testkit.Write(t, db, func(ctx context.Context) error {
					return errors.Join(s.Mail(ctx, someMail(subject)), s.Notice(ctx, Notice{Kind: "K", UserID: u.ID, SubjectID: subject, Title: "T", Text: "X"}))
				})
			})
		}
		wg.Wait()
		assert.Len(t, outbox(t, db), 1)
		n, err := db.Client.Notification.Query().Count(testkit.System(t))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
	})
}

// What does not fit into the columns is refused before it gets there, alike on both engines.
func TestTextsTooLong(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, long := service(db, &postbox{}), strings.Repeat("x", maxBody+1)
		for _, change := range []func(*Mail){
			func(m *Mail) { m.Kind = long }, func(m *Mail) { m.Occurrence = long }, func(m *Mail) { m.To = long }, func(m *Mail) { m.Subject = long }, func(m *Mail) { m.Body = long },
		} {
			m := someMail(uuid.New())
			change(&m)
			err := db.WithTx(testkit.System(t), func(ctx context.Context) error { return s.Mail(ctx, m) })
			assert.ErrorContains(t, err, "bytes where")
		}
		for _, n := range []Notice{{Kind: long}, {Occurrence: long}, {Title: long}, {Text: long}} {
			err := db.WithTx(testkit.System(t), func(ctx context.Context) error { return s.Notice(ctx, n) })
			assert.ErrorContains(t, err, "bytes where")
		}
		assert.Empty(t, outbox(t, db))
	})
}

// A notice is before its user once, leaves its audit row, and only its user sees and reads it.
func TestNotice(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		s := service(db, nil)
		s.audit = audit.New(db, s.log, audit.Options{})
		s.audit.Install()
		u, other := testkit.User(t, db, access.Doctor), testkit.User(t, db, access.Admin)
		n := Notice{Kind: "APPOINTMENT_CONFIRMED", UserID: u.ID, SubjectID: uuid.New(), Occurrence: "1", Title: "Your visit is confirmed", Text: "See you."}
		for range 2 {
			testkit.Write(t, db, func(ctx context.Context) error { return s.Notice(ctx, n) })
		}
		mine, err := s.Notifications(testkit.As(t, u)).All(testkit.As(t, u))
		require.NoError(t, err)
		require.Len(t, mine, 1)
		assert.Equal(t, []any{n.Kind, u.ID, n.SubjectID, n.Occurrence, n.Title, n.Text}, []any{mine[0].Kind, mine[0].UserID, mine[0].SubjectID, mine[0].Occurrence, mine[0].Title, mine[0].Text})
		theirs, err := s.Notifications(testkit.As(t, other)).All(testkit.As(t, other))
		require.NoError(t, err)
		assert.Empty(t, theirs)
		audited := db.Client.AuditEvent.Query().Where(auditevent.Entity(ent.TypeNotification)).OnlyX(testkit.System(t))
		assert.Equal(t, mine[0].ID, *audited.EntityID)
		assert.Equal(t, auditevent.ActionCREATE, audited.Action)

		for name, ctx := range map[string]context.Context{"another user": testkit.As(t, other), "nobody": t.Context()} {
			_, err = s.MarkRead(ctx, mine[0].ID)
			assert.ErrorIs(t, err, fault.ErrNotFound, name)
		}
		_, err = s.MarkRead(testkit.As(t, u), uuid.New())
		assert.ErrorIs(t, err, fault.ErrNotFound)

		first := clk.Now()
		read, err := s.MarkRead(testkit.As(t, u), mine[0].ID)
		require.NoError(t, err)
		assert.Equal(t, first, *read.ReadAt)
		clk.Advance(soon)
		read, err = s.MarkRead(testkit.As(t, u), mine[0].ID)
		require.NoError(t, err)
		assert.Equal(t, first, *read.ReadAt, "the first time stands")
	})
}

// Reading a notice twice at once sets one time.
func TestMarkReadAtTheSameTime(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, _ *clock.Fake) {
		s, u := service(db, nil), testkit.User(t, db, access.Doctor)
		testkit.Write(t, db, func(ctx context.Context) error {
			return s.Notice(ctx, Notice{Kind: "K", UserID: u.ID, SubjectID: u.ID, Title: "T", Text: "X"})
		})
		id := s.Notifications(testkit.As(t, u)).OnlyIDX(testkit.As(t, u))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				n, err := s.MarkRead(testkit.As(t, u), id)
				if assert.NoError(t, err) {
					assert.NotNil(t, n.ReadAt)
				}
			})
		}
		wg.Wait()
	})
}

// What became moot is not sent and not shown any more; what has gone out stays as it is.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		box := &postbox{}
		s, u := service(db, box), testkit.User(t, db, access.Patient)
		gone, moot, kept := someMail(u.ID), someMail(u.ID), someMail(u.ID)
		moot.Occurrence, kept.Occurrence = "2", "3"
		enqueue(t, s, gone)
		deliver(t, s)
		enqueue(t, s, moot, kept)
		testkit.Write(t, db, func(ctx context.Context) error {
			return s.Notice(ctx, Notice{Kind: moot.Kind, UserID: u.ID, SubjectID: u.ID, Occurrence: "2", Title: "T", Text: "X"})
		})
		id := s.Notifications(testkit.As(t, u)).OnlyIDX(testkit.As(t, u))

		for _, occurrence := range []string{"1", "2", "2"} {
			testkit.Write(t, db, func(ctx context.Context) error { return s.Withdraw(ctx, moot.Kind, u.ID, occurrence) })
		}
		all := outbox(t, db)
		assert.Equal(t, []delivery.Status{delivery.StatusSENT, delivery.StatusWITHDRAWN, delivery.StatusQUEUED}, []delivery.Status{all[0].Status, all[1].Status, all[2].Status})
		assert.Empty(t, all[1].Body)
		_, err := s.MarkRead(testkit.As(t, u), id)
		assert.ErrorIs(t, err, fault.ErrNotFound)
		n := db.Client.Notification.GetX(testkit.System(t), id)
		assert.Equal(t, clk.Now(), *n.WithdrawnAt)

		sent, failed := deliver(t, s)
		assert.Equal(t, []int{1, 0}, []int{sent, failed})
		assert.Len(t, box.mails(), 2)
		enqueue(t, s, moot)
		assert.Len(t, outbox(t, db), 3, "what was withdrawn is not told again")
	})
}
