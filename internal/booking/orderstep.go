package booking

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/payment"
)

// maxMoves bounds how often an order is looked for again that was moved to another appointment meanwhile.
const maxMoves = 5

var errOrderMoves = errors.New("booking: the order is moved from appointment to appointment faster than it can be locked")

// orderOf finds the order that an event is about: by the payment, which names it exactly, else by the metadata.
func (s *Service) orderOf(ctx context.Context, e payment.Event) (uuid.UUID, error) {
	if e.PaymentRef == "" {
		return e.OrderID, nil
	}
	id, err := s.DB.Client.Order.Query().
		Where(order.PaymentRef(e.PaymentRef), order.Provider(s.Provider.Name()), order.Or(order.MethodIsNil(), order.MethodEQ(order.MethodONLINE))).FirstID(ctx)
	if ent.IsNotFound(err) {
		return e.OrderID, nil
	}
	return id, err
}

// lockedOrder locks the order's appointment, then the order. A reschedule may have moved the order while the lock was waited for: then the appointment
// that it belongs to now is locked too.
func (s *Service) lockedOrder(ctx context.Context, id uuid.UUID) (*ent.Order, *ent.Appointment, error) {
	o, err := s.DB.Client.Order.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	for range maxMoves {
		a, err := s.locked(ctx, o.AppointmentID)
		if err != nil {
			return nil, nil, err
		}
		if err := s.DB.Lock(ctx, order.Table, id); err != nil {
			return nil, nil, err
		}
		if o, err = s.DB.Client.Order.Get(ctx, id); err != nil || o.AppointmentID == a.ID {
			return o, a, err
		}
	}
	return nil, nil, errOrderMoves
}

// orderStep moves an order on, if the table allows it, and returns what it did. The caller holds the order's lock.
func (s *Service) orderStep(ctx context.Context, o *ent.Order, to order.Status) (string, error) {
	if !orderMayBecome(o.Status, to) {
		return "none", nil
	}
	if err := s.withdrawLink(ctx, o); err != nil {
		return "", err
	}
	update, now := s.DB.Client.Order.UpdateOne(o).SetStatus(to), s.DB.Now()
	switch to {
	case order.StatusFAILED:
		update.SetFailedAt(now)
	case order.StatusEXPIRED:
		update.SetExpiredAt(now)
	case order.StatusCOMPLETED:
		update.SetCompletedAt(now)
	}
	return "order " + string(to), update.Exec(ctx)
}

// closePage closes the order's page, if it has one, once the transaction has committed.
func (s *Service) closePage(ctx context.Context, o *ent.Order) {
	if o.ProviderRef != nil {
		s.closeCheckout(ctx, o)
	}
}
