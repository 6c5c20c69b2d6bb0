package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/sms"
)

const (
	batchSize = 8 // rows that a worker takes at once, and sends side by side
	maxAnswer = 300
)

// Deliver sends the mails and text messages that are due and that no other worker has, until there are none or ctx ends, and returns how many went out (or were kept)
// and how many did not. The error is the database's: mails that the server refuses are counted and written down.
func (s *Service) Deliver(ctx context.Context) (sent, failed int, err error) {
	ctx = access.System(ctx, "deliver mails")
	for ctx.Err() == nil {
		batch, err := s.claim(ctx)
		if err != nil || len(batch) == 0 {
			return sent, failed, err
		}
		ok, err := s.deliverAll(context.WithoutCancel(ctx), batch)
		sent, failed = sent+ok, failed+len(batch)-ok
		if err != nil {
			return sent, failed, err
		}
	}
	return sent, failed, nil
}

// claim takes due rows: nobody else gets them until their lease runs out.
func (s *Service) claim(ctx context.Context) (batch []*ent.Delivery, err error) {
	now := s.db.Now()
	due := delivery.And(delivery.StatusEQ(delivery.StatusQUEUED), delivery.NextAttemptAtLTE(now),
		delivery.Or(delivery.LeasedUntilIsNil(), delivery.LeasedUntilLTE(now)))
	if waiting, err := s.db.Client.Delivery.Query().Where(due).Exist(ctx); err != nil || !waiting {
		return nil, err // without a write transaction, of which SQLite has one
	}
	until := now.Add(3 * s.timeout)
	err = s.db.WithTx(ctx, func(ctx context.Context) error {
		batch, err = s.db.Client.Delivery.Query().Where(due, skipLocked).Order(delivery.ByNextAttemptAt(), delivery.ByID()).Limit(batchSize).All(ctx)
		if err != nil || len(batch) == 0 {
			return err
		}
		taken := make([]uuid.UUID, len(batch))
		for i, d := range batch {
			taken[i] = d.ID
			d.LeasedUntil, d.Attempts = &until, d.Attempts+1
		}
		return s.db.Client.Delivery.Update().Where(delivery.IDIn(taken...)).SetLeasedUntil(until).AddAttempts(1).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("take due mails: %w", err)
	}
	return batch, nil
}

// skipLocked passes the rows over that another worker is taking; on SQLite there is no other.
func skipLocked(s *entsql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.ForUpdate(entsql.WithLockAction(entsql.SkipLocked))
	}
}

// deliverAll sends the rows side by side and returns how many went out. Those that nobody is to send are written down together.
func (s *Service) deliverAll(ctx context.Context, batch []*ent.Delivery) (sent int, err error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		kept []uuid.UUID
	)
	for _, d := range batch {
		wg.Go(func() {
			ok, failure := s.deliver(ctx, d)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(failure, errKept) {
				kept, failure = append(kept, d.ID), nil
			}
			err = errors.Join(err, failure)
			if ok {
				sent++
			}
		})
	}
	wg.Wait()
	if len(kept) > 0 {
		err = errors.Join(err, s.mark(ctx, s.db.Client.Delivery.Update().Where(delivery.StatusEQ(delivery.StatusQUEUED)).SetStatus(delivery.StatusKEPT), kept...))
	}
	return sent, err
}

// errKept tells that there is nobody to send by.
var errKept = errors.New("notify: nothing to send by")

// deliver sends one message and writes down what became of it; the error is the database's, or errKept for one that is to be kept.
func (s *Service) deliver(ctx context.Context, d *ent.Delivery) (ok bool, err error) {
	if d.Attempts > maxAttempts {
		return false, s.failed(ctx, d, errors.New("the last try ended without an answer"))
	}
	sending, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	answer, err := s.send(sending, d)
	switch {
	case errors.Is(err, errKept), errors.Is(err, sms.ErrKept):
		return true, errKept
	case err != nil:
		return false, s.failed(ctx, d, err)
	}
	return true, s.mark(ctx, s.db.Client.Delivery.Update().Where(delivery.StatusNEQ(delivery.StatusSENT)).
		SetStatus(delivery.StatusSENT).SetSentAt(s.db.Now()).SetBody("").SetAnswer(cut(answer)), d.ID)
}

// send hands a message to the service of its channel.
func (s *Service) send(ctx context.Context, d *ent.Delivery) (answer string, err error) {
	switch {
	case d.Channel == delivery.ChannelSMS && s.sms != nil:
		return s.sms.Send(ctx, sms.Message{ID: d.ID.String(), To: d.Address, Text: d.Body})
	case d.Channel == delivery.ChannelEMAIL && s.mailer != nil:
		return s.mailer.Send(ctx, mail.Message{ID: d.ID.String(), To: d.Address, Subject: d.Subject, Body: d.Body, Date: d.CreatedAt})
	default:
		return "", errKept
	}
}

// failed sets the time of the next try, or gives the mail up. It leaves rows alone that another worker has taken meanwhile.
func (s *Service) failed(ctx context.Context, d *ent.Delivery, cause error) error {
	update := s.db.Client.Delivery.Update().Where(delivery.StatusEQ(delivery.StatusQUEUED), delivery.LeasedUntil(*d.LeasedUntil)).SetAnswer(cut(answerOf(cause)))
	dead := d.Attempts >= maxAttempts || mail.IsPermanent(cause) || sms.IsPermanent(cause)
	if dead {
		update.SetStatus(delivery.StatusDEAD)
	} else {
		update.SetNextAttemptAt(s.db.Now().Add(pause(d.Attempts, rand.Float64()))) // #nosec G404 -- jitter
	}
	s.log.WarnContext(ctx, "a message was not sent", "delivery", d.ID, "channel", d.Channel, "kind", d.Kind, "attempt", d.Attempts, "dead", dead)
	return s.mark(ctx, update, d.ID)
}

// mark writes down what became of rows, those that are still as the update expects them.
func (s *Service) mark(ctx context.Context, update *ent.DeliveryUpdate, rows ...uuid.UUID) error {
	err := s.db.WithTx(ctx, func(ctx context.Context) error {
		return update.Where(delivery.IDIn(rows...)).ClearLeasedUntil().Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("write down what became of a mail: %w", err)
	}
	return nil
}

func answerOf(err error) string {
	var (
		byMail *mail.Error
		bySMS  *sms.Error
	)
	switch {
	case errors.As(err, &byMail):
		return byMail.Answer
	case errors.As(err, &bySMS):
		return bySMS.Answer
	default:
		return err.Error()
	}
}

// cut bounds an answer, which may be any bytes.
func cut(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", " ")[:min(len(s), maxAnswer)], "")
}
