package booking

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	expireBatch     = 200
	providerTimeout = 10 * time.Second
)

// expire locks an appointment whose time to pay is over, writes so, and closes the checkout pages of its orders after the commit. An appointment that was
// paid meanwhile stays as it is; the caller looks at the status that comes back.
func (s *Service) expire(ctx context.Context, id uuid.UUID, cause string) (*ent.Appointment, error) {
	a, err := s.locked(ctx, id)
	if err != nil || a.Status != appointment.StatusPENDING {
		return a, err
	}
	changed, err := s.change(ctx, a, appointment.StatusPAYMENT_EXPIRED, cause)
	if err != nil {
		return nil, err
	}
	return changed, s.closeOrders(ctx, a)
}

// givesWay tells whether a live appointment makes room for another, because its time to pay is over; that is then written.
func (s *Service) givesWay(ctx context.Context, a *ent.Appointment, cause string) (bool, error) {
	if !s.isOver(a) {
		return false, nil
	}
	a, err := s.expire(ctx, a.ID, cause)
	return err == nil && a.Status == appointment.StatusPAYMENT_EXPIRED, err
}

// closeCheckout closes the page of an order once the transaction has committed. A page that stays open does no harm: its payment is judged when it comes.
func (s *Service) closeCheckout(ctx context.Context, o *ent.Order) {
	store.AfterCommit(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, providerTimeout)
		defer cancel()
		if err := s.Provider.ExpireCheckout(ctx, *o.ProviderRef); err != nil {
			s.Log.WarnContext(ctx, "the checkout page could not be closed", slog.String("order", o.ID.String()), slog.Any("error", err))
		}
	})
}

// ExpireDue writes PAYMENT_EXPIRED for every appointment whose time to pay is over and returns how many there were. It is the method of the job
// expire-pending-appointments.
func (s *Service) ExpireDue(ctx context.Context) (int, error) {
	ctx = access.System(ctx, "job:expire-pending-appointments")
	total := 0
	for {
		due, err := s.DB.Client.Appointment.Query().
			Where(appointment.StatusEQ(appointment.StatusPENDING), appointment.ExpiresAtLTE(s.DB.Now())).
			Order(appointment.ByExpiresAt()).Limit(expireBatch).IDs(ctx)
		if err != nil {
			return total, err
		}
		var failures error
		for _, id := range due {
			err := s.DB.WithTx(ctx, func(ctx context.Context) error {
				_, err := s.expire(ctx, id, "job:expire-pending-appointments")
				return err
			})
			if failures = errors.Join(failures, err); err == nil {
				total++
			}
		}
		if failures != nil || len(due) < expireBatch {
			return total, failures
		}
	}
}
