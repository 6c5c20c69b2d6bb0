package notify

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/auditevent"
	"github.com/caregraph/caregraph/ent/delivery"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
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

// enqueue writes the row of the outbox.
func (s *Service) enqueue(ctx context.Context, channel delivery.Channel, m Mail) error {
	if err := fits(field{"kind", m.Kind, maxKind}, field{"occurrence", m.Occurrence, maxOccurrence}, field{"address", m.To, maxAddress},
		field{"subject", m.Subject, maxSubject}, field{"body", m.Body, maxBody}); err != nil {
		return fmt.Errorf("%s %s: %w", channel, m.Kind, err)
	}
	now := s.db.Now()
	insert := s.db.Build().Insert(delivery.Table).
		Columns("id", "created_at", "kind", "user_id", "subject_id", "occurrence", "channel", "address", "subject", "body", "status", "attempts", "next_attempt_at").
		Values(s.db.NewID(ent.TypeDelivery), now, m.Kind, m.UserID, m.SubjectID, m.Occurrence, channel, m.To, m.Subject, m.Body, delivery.StatusQUEUED, 0, now).
		OnConflict(entsql.ConflictColumns("kind", "subject_id", "occurrence", "channel", "address"), entsql.DoNothing())
	added, err := s.db.Exec(access.System(ctx, "enqueue a message"), "enqueue a message", insert)
	if added > 0 {
		s.nudge(ctx)
	}
	return err
}

// Notice puts a notice before the user with the transaction of ctx, at most once per kind, subject, occurrence and user: a repeated one does
// nothing. For services, on behalf of whoever causes the notice. It fails outside a transaction and for texts that are too long.
func (s *Service) Notice(ctx context.Context, n Notice) error {
	if err := fits(field{"kind", n.Kind, maxKind}, field{"occurrence", n.Occurrence, maxOccurrence}, field{"title", n.Title, maxSubject}, field{"text", n.Text, maxText}); err != nil {
		return fmt.Errorf("notice %s: %w", n.Kind, err)
	}
	now := s.db.Now()
	id := s.db.NewID(ent.TypeNotification)
	insert := s.db.Build().Insert(notification.Table).
		Columns("id", "created_at", "user_id", "kind", "subject_id", "occurrence", "title", "text").
		Values(id, now, n.UserID, n.Kind, n.SubjectID, n.Occurrence, n.Title, n.Text).
		OnConflict(entsql.ConflictColumns("kind", "subject_id", "occurrence", "user_id"), entsql.DoNothing())
	added, err := s.db.Exec(access.System(ctx, "give notice"), "give notice", insert)
	if err != nil || added == 0 || s.audit == nil {
		return err
	}
	return s.audit.Record(access.System(ctx, "give notice"), audit.Event{Action: auditevent.ActionCREATE, Entity: ent.TypeNotification, EntityID: id, Changes: []audit.Change{
		{Field: notification.FieldUserID, New: n.UserID.String()}, {Field: notification.FieldKind, New: n.Kind},
		{Field: notification.FieldSubjectID, New: n.SubjectID.String()}, {Field: notification.FieldTitle, New: n.Title},
		{Field: notification.FieldText, New: n.Text},
	}})
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
