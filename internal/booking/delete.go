package booking

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/internal/access"
)

// Delete hides a visit that is over for everybody, and notes when and by whom; it is kept. Its patient may delete a dead one, administrators also one that
// took place or was missed. PENDING and BOOKED ones must be cancelled first. Errors: NOT_FOUND, ILLEGAL_STATUS, FORBIDDEN.
func (s *Service) Delete(ctx context.Context, in DeleteAppointmentInput) error {
	by := access.From(ctx).UserID
	_, err := s.act(ctx, in.AppointmentID, ActDelete, "deleteAppointment", func(ctx context.Context, a *ent.Appointment, _ Transition) error {
		if a.Status == appointment.StatusPENDING { // its time to pay is over, which nobody has written yet: it holds its slot
			var err error
			if a, err = s.expire(ctx, a.ID, "deleteAppointment"); err != nil {
				return err
			}
		}
		return s.DB.Client.Appointment.UpdateOne(a).SetDeletedAt(s.DB.Now()).SetDeletedBy(by).Exec(ctx)
	})
	return err
}

// Deleted returns the visits that were deleted, and the ctx in which to list them: an administrator's, who sees them nowhere else.
func (s *Service) Deleted(ctx context.Context) (context.Context, *ent.AppointmentQuery) {
	ctx = access.As(ctx, access.From(ctx).WithDeleted())
	return ctx, s.DB.Client.Appointment.Query().Where(appointment.DeletedAtNotNil())
}
