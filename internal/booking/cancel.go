package booking

import (
	"context"
	"strconv"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/money"
)

// Cancel ends a visit that has not taken place: the patient drops a PENDING one until its time to pay is over and cancels a BOOKED one until 60 minutes
// before the start; its practitioner, schedulers and administrators may at any time. Everything that was paid goes back, open payment pages are
// closed, the room can be read only, and the others are told. The slot is free again, but for one whose practitioner cancels: that stays blocked
// unless it is released. Errors: NOT_FOUND, ILLEGAL_STATUS, TOO_LATE_TO_CANCEL, FORBIDDEN, INVALID_INPUT.
func (s *Service) Cancel(ctx context.Context, in CancelAppointmentInput) (*ent.Appointment, error) {
	if err := reasonFits(in.Reason); err != nil {
		return nil, err
	}
	by := access.From(ctx).UserID
	return s.act(ctx, in.AppointmentID, ActCancel, "cancelAppointment", func(ctx context.Context, a *ent.Appointment, t Transition) error {
		blocks := t.By == ByPractitioner && (in.ReleaseSlot == nil || !*in.ReleaseSlot)
		n := remark{cause: "cancelAppointment", reason: text(in.Reason), by: by, more: map[string]string{"isSlotReleased": strconv.FormatBool(!blocks)}}
		cancelled, err := s.changeBy(ctx, a, t.To, n)
		if err != nil {
			return err
		}
		if err := s.closeOrders(ctx, a); err != nil {
			return err
		}
		if err := s.payBack(ctx, a, "The appointment was cancelled."); err != nil {
			return err
		}
		if blocks {
			if err := s.DB.Client.Slot.UpdateOneID(a.SlotID).SetStatus(slot.StatusBLOCKED).Exec(ctx); err != nil {
				return err
			}
		}
		if err := s.Chat.Deactivate(ctx, a.ID); err != nil {
			return err
		}
		return s.tellCancelled(ctx, cancelled, t.By)
	})
}

// closeOrders ends the orders that wait for a payment, and closes their pages after the commit. The caller holds the appointment's lock.
func (s *Service) closeOrders(ctx context.Context, a *ent.Appointment) error {
	system := access.System(ctx, "closed with its appointment")
	open, err := s.DB.Client.Order.Query().Where(order.AppointmentID(a.ID), order.StatusEQ(order.StatusPENDING), s.DB.ForUpdate).All(system)
	if err != nil {
		return err
	}
	for _, o := range open {
		if _, err := s.orderStep(system, o, order.StatusEXPIRED); err != nil {
			return err
		}
		s.closePage(ctx, o)
	}
	return nil
}

// payBack sends back what was paid for the visit and has not gone back yet. The caller holds the appointment's lock.
func (s *Service) payBack(ctx context.Context, a *ent.Appointment, reason string) error {
	paid, err := s.DB.Client.Order.Query().Where(order.AppointmentID(a.ID), order.StatusIn(order.StatusPAID, order.StatusCOMPLETED), s.DB.ForUpdate).All(ctx)
	if err != nil {
		return err
	}
	for _, o := range paid {
		if err := s.refund(ctx, o, money.Amount{Minor: o.AmountMinor, Currency: o.Currency}, reason); err != nil {
			return err
		}
	}
	return nil
}
