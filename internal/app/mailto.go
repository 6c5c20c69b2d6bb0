package app

import (
	"context"

	"github.com/caregraph/caregraph/internal/identity"
	"github.com/caregraph/caregraph/internal/notify"
)

// mailTo lets package identity put mails into the outbox.
func mailTo(n *notify.Service) func(ctx context.Context, m identity.Mail) error {
	return func(ctx context.Context, m identity.Mail) error { return n.Mail(ctx, notify.Mail(m)) }
}
