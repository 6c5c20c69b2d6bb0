package booking

import (
	"context"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
)

// withdrawMoot takes back what people need not be told any more once the appointment, as it was before, has moved on to a status.
func (s *Service) withdrawMoot(ctx context.Context, a *ent.Appointment, to appointment.Status) error {
	switch a.Status {
	case appointment.StatusPENDING:
		return s.Notify.Withdraw(ctx, paymentWarning, a.ID, "")
	case appointment.StatusBOOKED:
		if err := s.Notify.Withdraw(ctx, reminder, a.ID, reminderOf(a)); err != nil || to == appointment.StatusCOMPLETED || to == appointment.StatusNO_SHOW {
			return err
		}
		return s.Notify.Withdraw(ctx, confirmation, a.ID, "")
	default:
		return nil
	}
}
