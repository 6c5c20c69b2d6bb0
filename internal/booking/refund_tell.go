package booking

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/user"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
)

// Kinds of what is told about refunds; each once per refund.
const (
	refundMade   = "REFUND_MADE"    // to the patient
	refundByHand = "REFUND_BY_HAND" // to billers and administrators: money of the desk waits to be handed out
	refundFailed = "REFUND_FAILED"  // to them: the provider has not paid back
)

// tellRefunded tells the patient that money has gone back.
func (s *Service) tellRefunded(ctx context.Context, o *ent.Order, r *ent.Refund) error {
	p, err := s.DB.Client.Patient.Get(ctx, o.PatientID)
	if err != nil {
		return err
	}
	a, err := s.DB.Client.Appointment.Get(ctx, o.AppointmentID)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s of your payment for the appointment on %s has been paid back.",
		money.Amount{Minor: r.AmountMinor, Currency: r.Currency}, whenFor(p, a.StartsAt))
	if p.UserID != nil {
		if err := s.Notify.Notice(ctx, notify.Notice{Kind: refundMade, UserID: *p.UserID, SubjectID: r.ID, Title: "Payment refunded", Text: text}); err != nil {
			return err
		}
	}
	if p.Email == "" {
		return nil
	}
	return s.Notify.Mail(ctx, notify.Mail{
		Kind: refundMade, UserID: p.UserID, To: p.Email, SubjectID: r.ID, Subject: "Payment refunded",
		Body: fmt.Sprintf("Dear %s,\n\n%s\n\n%s\n", p.GivenName, text, s.PracticeName),
	})
}

// tellByHand tells billers and administrators that money of the desk waits to be handed out.
func (s *Service) tellByHand(ctx context.Context, r *ent.Refund) error {
	return s.alert(ctx, notify.Notice{Kind: refundByHand, SubjectID: r.ID, Title: "Refund to hand out",
		Text: "Money that was taken at the desk is to be paid back. Record it with settleRefund once it has been."})
}

// tellFailed tells billers and administrators that a refund needs a person.
func (s *Service) tellFailed(ctx context.Context, r *ent.Refund) error {
	return s.alert(ctx, notify.Notice{Kind: refundFailed, SubjectID: r.ID, Title: "Refund failed",
		Text: "The payment provider has not paid back a refund. Pay it back by other means and record that with settleRefund, or ask again with refundOrder."})
}

// alert puts a notice before every active biller and administrator.
func (s *Service) alert(ctx context.Context, n notify.Notice) error {
	staff, err := s.DB.Client.User.Query().Where(user.IsActive(true), func(q *sql.Selector) {
		q.Where(sql.Or(sqljson.ValueContains(user.FieldRoles, string(access.Admin)), sqljson.ValueContains(user.FieldRoles, string(access.Biller))))
	}).IDs(ctx)
	if err != nil {
		return fmt.Errorf("find billers: %w", err)
	}
	for _, id := range staff {
		n.UserID = id
		if err := s.Notify.Notice(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// withdrawAlerts takes back what is done.
func (s *Service) withdrawAlerts(ctx context.Context, r *ent.Refund) error {
	for _, kind := range []string{refundByHand, refundFailed} {
		if err := s.Notify.Withdraw(ctx, kind, r.ID, ""); err != nil {
			return err
		}
	}
	return nil
}
