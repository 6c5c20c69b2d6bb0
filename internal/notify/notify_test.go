package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// postbox is a mail server that remembers what it got and answers as told.
type postbox struct {
	mu     sync.Mutex
	got    []mail.Message
	answer func(m mail.Message) error // nil = takes everything
}

func (p *postbox) Send(_ context.Context, m mail.Message) (string, error) {
	p.mu.Lock()
	p.got = append(p.got, m)
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		if err := answer(m); err != nil {
			return "", err
		}
	}
	return "250 taken", nil
}

func (p *postbox) mails() []mail.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

// service returns a service without an audit.
func service(db *store.DB, m mail.Mailer) *Service {
	return New(Config{DB: db, Mailer: m, Log: slog.New(slog.DiscardHandler)})
}

// someMail is a mail about the subject.
func someMail(subject uuid.UUID) Mail {
	return Mail{Kind: "VERIFY_EMAIL", To: "noor@b.test", SubjectID: subject, Occurrence: "1", Subject: "Hello", Body: "https://caregraph.test/verify#token"}
}

// enqueue puts mails into the outbox in one transaction.
func enqueue(t *testing.T, s *Service, mails ...Mail) {
	t.Helper()
	testkit.Write(t, s.db, func(ctx context.Context) error {
		var all error
		for _, m := range mails {
			all = errors.Join(all, s.Mail(ctx, m))
		}
		return all
	})
}

// outbox is what stands in the database, oldest first.
func outbox(t *testing.T, db *store.DB) []*ent.Delivery {
	t.Helper()
	all, err := db.Client.Delivery.Query().Order(delivery.ByID()).All(testkit.System(t))
	require.NoError(t, err)
	return all
}

// one is the only mail of the outbox.
func one(t *testing.T, db *store.DB) *ent.Delivery {
	t.Helper()
	all := outbox(t, db)
	require.Len(t, all, 1)
	return all[0]
}

// deliver is one step of the worker.
func deliver(t *testing.T, s *Service) (sent, failed int) {
	t.Helper()
	sent, failed, err := s.Deliver(t.Context())
	require.NoError(t, err)
	return sent, failed
}

// soon is more than the longest pause between two tries.
const soon = 2 * longest
