package notify

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/notification"
	"github.com/caregraph/caregraph/internal/fault"
)

// Notifications returns the viewer's notices that have not been withdrawn; nobody's for who is not signed in.
func (s *Service) Notifications(context.Context) *ent.NotificationQuery {
	return s.db.Client.Notification.Query()
}

// MarkRead notes that the viewer has read a notice of theirs; the first time stands. It returns the notice.
// Errors: NOT_FOUND for one that is withdrawn, somebody else's or not there.
func (s *Service) MarkRead(ctx context.Context, id uuid.UUID) (notice *ent.Notification, err error) {
	err = s.db.WithTx(ctx, func(ctx context.Context) error {
		notice, err = s.db.Client.Notification.Get(ctx, id)
		if err != nil || notice.ReadAt != nil {
			return err
		}
		notice, err = s.db.Client.Notification.UpdateOneID(id).Where(notification.ReadAtIsNil()).SetReadAt(s.db.Now()).Save(ctx)
		if ent.IsNotFound(err) { // a twin was faster, or it was withdrawn
			notice, err = s.db.Client.Notification.Get(ctx, id)
		}
		return err
	})
	if ent.IsNotFound(err) {
		return nil, fault.ErrNotFound.At("id")
	}
	return notice, err
}
