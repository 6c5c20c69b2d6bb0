package booking

import (
	"context"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
)

// Complete notes that a visit took place, from its start on: its practitioner and administrators. Its order is completed, its room can be read only.
// Errors: NOT_FOUND, ILLEGAL_STATUS, TOO_EARLY, FORBIDDEN.
func (s *Service) Complete(ctx context.Context, in CompleteAppointmentInput) (*ent.Appointment, error) {
	return s.finish(ctx, in.AppointmentID, ActComplete, "completeAppointment")
}

// MarkNoShow notes that the patient did not come, from the start on: the visit's practitioner and administrators. Its order is completed, its room can be
// read only. Errors: NOT_FOUND, ILLEGAL_STATUS, TOO_EARLY, FORBIDDEN.
func (s *Service) MarkNoShow(ctx context.Context, in MarkNoShowInput) (*ent.Appointment, error) {
	return s.finish(ctx, in.AppointmentID, ActMarkNoShow, "markNoShow")
}

func (s *Service) finish(ctx context.Context, id uuid.UUID, action Action, cause string) (*ent.Appointment, error) {
	by := access.From(ctx).UserID
	return s.act(ctx, id, action, cause, func(ctx context.Context, a *ent.Appointment, t Transition) error {
		if _, err := s.changeBy(ctx, a, t.To, remark{cause: cause, by: by}); err != nil {
			return err
		}
		paid, err := s.DB.Client.Order.Query().Where(order.AppointmentID(a.ID), order.StatusEQ(order.StatusPAID), s.DB.ForUpdate).All(ctx)
		if err != nil {
			return err
		}
		for _, o := range paid {
			if _, err := s.orderStep(ctx, o, order.StatusCOMPLETED); err != nil {
				return err
			}
		}
		return s.Chat.Deactivate(ctx, a.ID)
	})
}
