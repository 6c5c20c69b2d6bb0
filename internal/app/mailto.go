package app

import (
	"context"

	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/patient"
)

// mailTo lets package identity put mails into the outbox.
func mailTo(n *notify.Service) func(ctx context.Context, m identity.Mail) error {
	return func(ctx context.Context, m identity.Mail) error { return n.Mail(ctx, notify.Mail(m)) }
}

// patientMailTo does so for package patient.
func patientMailTo(n *notify.Service) func(ctx context.Context, m patient.Mail) error {
	return func(ctx context.Context, m patient.Mail) error { return n.Mail(ctx, notify.Mail(m)) }
}

// noticeTo lets package identity put notices before users.
func noticeTo(n *notify.Service) func(ctx context.Context, m identity.Notice) error {
	return func(ctx context.Context, m identity.Notice) error {
		return n.Notice(ctx, notify.Notice{Kind: m.Kind, UserID: m.UserID, SubjectID: m.SubjectID, Title: m.Title, Text: m.Text})
	}
}
