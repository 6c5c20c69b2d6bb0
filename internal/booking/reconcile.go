package booking

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
)

const (
	reconcileAfter = 5 * time.Minute
	reconcileBatch = 200
)

// Reconcile asks the provider about orders that have been pending for more than 5 minutes, in case an event was lost, and returns how many had news. It
// is the method of the job reconcile-payments.
func (s *Service) Reconcile(ctx context.Context) (int, error) {
	ctx = access.System(ctx, "job:reconcile-payments")
	pending, err := s.DB.Client.Order.Query().
		Where(order.StatusIn(order.StatusPENDING, order.StatusEXPIRED), order.PaidAtIsNil(), order.ProviderRefNotNil(), order.Provider(s.Provider.Name()),
			order.CreatedAtLT(s.DB.Now().Add(-reconcileAfter)), order.CreatedAtGT(s.DB.Now().Add(-2*payWithinStaff))).
		Order(order.ByID()).Limit(reconcileBatch).All(ctx)
	if err != nil {
		return 0, err
	}
	news := 0
	for _, o := range pending {
		callCtx, cancel := context.WithTimeout(ctx, providerTimeout)
		e, found, err := s.Provider.Lookup(callCtx, *o.ProviderRef)
		cancel()
		if err != nil {
			s.Log.WarnContext(ctx, "the payment provider could not be asked", slog.String("order", o.ID.String()), slog.Any("error", err))
			continue
		}
		if !found {
			continue
		}
		if err := s.HandleEvent(ctx, e); err != nil {
			return news, err
		}
		news++
	}
	return news, nil
}
