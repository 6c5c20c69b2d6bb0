package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/store"
)

// Mail is a mail to be sent.
type Mail struct {
	Kind       string     // what it tells, as VERIFY_EMAIL
	UserID     *uuid.UUID // nil when the address has no account
	To         string     // bare address
	SubjectID  uuid.UUID  // the record that it is about
	Occurrence string     // tells mails of one kind about one record apart
	Subject    string
	Body       string // plain text
}

// Text is a text message to be sent; it may show on a lock screen and has no medical content.
type Text struct {
	Kind       string
	UserID     *uuid.UUID // nil when the number has no account
	To         string     // E.164
	SubjectID  uuid.UUID
	Occurrence string
	Body       string
}

// Notice is a notice in the app. Its title shows on lock screens; neither it nor the text has medical content.
type Notice struct {
	Kind       string
	UserID     uuid.UUID
	SubjectID  uuid.UUID
	Occurrence string
	Title      string
	Text       string
}

// Limits of the columns, in bytes; statements of our own pass ent's checks by.
const (
	maxKind       = 40
	maxOccurrence = 60
	maxAddress    = 254
	maxSubject    = 200
	maxBody       = 20_000
	maxText       = 2_000
)

// Mail puts a mail into the outbox with the transaction of ctx, at most once per kind, subject, occurrence and address: a repeated one does
// nothing. For services, on behalf of whoever causes the mail. It fails outside a transaction and for texts that are too long.
func (s *Service) Mail(ctx context.Context, m Mail) error {
	return s.enqueue(ctx, delivery.ChannelEMAIL, m)
}

// Text puts a text message into the outbox, as Mail does a mail.
func (s *Service) Text(ctx context.Context, t Text) error {
	return s.enqueue(ctx, delivery.ChannelSMS, Mail{Kind: t.Kind, UserID: t.UserID, To: t.To, SubjectID: t.SubjectID, Occurrence: t.Occurrence, Body: t.Body})
}

// Mails puts many mails into the outbox, as Mail does one.
func (s *Service) Mails(ctx context.Context, list ...Mail) error {
	return s.enqueue(ctx, delivery.ChannelEMAIL, list...)
}

// perStatement bounds the parameters of a statement.
const perStatement = 500

// enqueue writes rows of the outbox.
func (s *Service) enqueue(ctx context.Context, channel delivery.Channel, list ...Mail) error {
	for _, m := range list {
		if err := fits(field{"kind", m.Kind, maxKind}, field{"occurrence", m.Occurrence, maxOccurrence}, field{"address", m.To, maxAddress},
			field{"subject", m.Subject, maxSubject}, field{"body", m.Body, maxBody}); err != nil {
			return fmt.Errorf("%s %s: %w", channel, m.Kind, err)
		}
	}
	now := s.db.Now()
	for chunk := range slices.Chunk(list, perStatement) {
		insert := s.db.Build().Insert(delivery.Table).
			Columns("id", "created_at", "kind", "user_id", "subject_id", "occurrence", "channel", "address", "subject", "body", "status", "attempts", "next_attempt_at")
		for _, m := range chunk {
			insert.Values(s.db.NewID(ent.TypeDelivery), now, m.Kind, m.UserID, m.SubjectID, m.Occurrence, channel, m.To, m.Subject, m.Body, delivery.StatusQUEUED, 0, now)
		}
		insert.OnConflict(entsql.ConflictColumns("kind", "subject_id", "occurrence", "channel", "address"), entsql.DoNothing())
		added, err := s.db.Exec(access.System(ctx, "enqueue a message"), "enqueue a message", insert)
		if err != nil {
			return err
		}
		if added > 0 {
			s.nudge(ctx)
		}
	}
	return nil
}

// Notice puts a notice before the user with the transaction of ctx, at most once per kind, subject, occurrence and user: a repeated one does
// nothing. For services, on behalf of whoever causes the notice. It fails outside a transaction and for texts that are too long.
func (s *Service) Notice(ctx context.Context, n Notice) error { return s.Notices(ctx, n) }

var errNoTransaction = errors.New("notify: people are told in a transaction, with what they are told of")

// Notices puts many notices before users, as Notice does one.
func (s *Service) Notices(ctx context.Context, list ...Notice) error {
	if !store.InTx(ctx) {
		return errNoTransaction
	}
	for _, n := range list {
		if err := fits(field{"kind", n.Kind, maxKind}, field{"occurrence", n.Occurrence, maxOccurrence}, field{"title", n.Title, maxSubject}, field{"text", n.Text, maxText}); err != nil {
			return fmt.Errorf("notice %s: %w", n.Kind, err)
		}
	}
	ctx = access.System(ctx, "give notice")
	for chunk := range slices.Chunk(list, perStatement) {
		if err := s.insertNotices(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) insertNotices(ctx context.Context, list []Notice) error {
	now := s.db.Now()
	made := make(map[uuid.UUID]Notice, len(list))
	insert := s.db.Build().Insert(notification.Table).
		Columns("id", "created_at", "user_id", "kind", "subject_id", "occurrence", "title", "text")
	for _, n := range list {
		id := s.db.NewID(ent.TypeNotification)
		made[id] = n
		insert.Values(id, now, n.UserID, n.Kind, n.SubjectID, n.Occurrence, n.Title, n.Text)
	}
	insert.OnConflict(entsql.ConflictColumns("kind", "subject_id", "occurrence", "user_id"), entsql.DoNothing())
	if s.audit == nil {
		_, err := s.db.Exec(ctx, "give notice", insert)
		return err
	}
	var events []audit.Event
	err := s.db.Query(ctx, "give notice", insert.Returning("id"), func(row *entsql.Rows) error {
		var id uuid.UUID
		if err := row.Scan(&id); err != nil {
			return err
		}
		events = append(events, noticeEvent(id, made[id]))
		return nil
	})
	if err != nil || len(events) == 0 {
		return err
	}
	return s.audit.Record(ctx, events...)
}

func noticeEvent(id uuid.UUID, n Notice) audit.Event {
	return audit.Event{Action: auditevent.ActionCREATE, Entity: ent.TypeNotification, EntityID: id, Changes: []audit.Change{
		{Field: notification.FieldUserID, New: n.UserID.String()}, {Field: notification.FieldKind, New: n.Kind},
		{Field: notification.FieldSubjectID, New: n.SubjectID.String()}, {Field: notification.FieldTitle, New: n.Title},
		{Field: notification.FieldText, New: n.Text},
	}}
}

// Withdraw takes back, with the transaction of ctx, what became moot: mails of the occurrence that have not gone out, and its notices, read or not. A mail
// that is being sent at this moment may still arrive. For services; it fails outside a transaction.
func (s *Service) Withdraw(ctx context.Context, kind string, subjectID uuid.UUID, occurrence string) error {
	ctx = access.System(ctx, "withdraw what is moot")
	err := s.db.Client.Delivery.Update().
		Where(delivery.Kind(kind), delivery.SubjectID(subjectID), delivery.Occurrence(occurrence), delivery.StatusEQ(delivery.StatusQUEUED)).
		SetStatus(delivery.StatusWITHDRAWN).SetBody("").Exec(ctx)
	if err != nil {
		return fmt.Errorf("withdraw mails: %w", err)
	}
	err = s.db.Client.Notification.Update().
		Where(notification.Kind(kind), notification.SubjectID(subjectID), notification.Occurrence(occurrence), notification.WithdrawnAtIsNil()).
		SetWithdrawnAt(s.db.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("withdraw notices: %w", err)
	}
	return nil
}

// Recent returns the newest n mails of the outbox, those without a mail server with their texts. For /dev/mail of the demo, which asks nobody who they are.
func (s *Service) Recent(ctx context.Context, n int) ([]*ent.Delivery, error) {
	return s.db.Client.Delivery.Query().Order(delivery.ByCreatedAt(entsql.OrderDesc()), delivery.ByID(entsql.OrderDesc())).
		Limit(n).All(access.System(ctx, "show kept mails"))
}

type field struct {
	name, text string
	limit      int
}

func fits(fields ...field) error {
	for _, f := range fields {
		if len(f.text) > f.limit {
			return fmt.Errorf("the %s has %d bytes where %d are allowed", f.name, len(f.text), f.limit)
		}
	}
	return nil
}
