package booking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/payment"
)

const (
	reconcileAfter = 5 * time.Minute
	reconcileBatch = 200
)

// Reconcile asks the provider about orders that have been unpaid for more than 5 minutes, in case an event was lost, and about fees that were not known
// yet, opens and closes the pages that could not be opened or closed, and returns how many orders had news. It is the method of the job reconcile-payments. One order's
// failure does not keep the others from being asked.
func (s *Service) Reconcile(ctx context.Context) (news int, err error) {
	ctx = access.System(ctx, "job:reconcile-payments")
	var last uuid.UUID
	news, failure := s.openPages(ctx)
	failures := []error{failure}
	for {
		batch, err := s.unpaid(ctx, last)
		if err != nil || len(batch) == 0 {
			return news, errors.Join(append(failures, err)...)
		}
		for _, o := range batch {
			if ctx.Err() != nil {
				return news, ctx.Err()
			}
			found, err := s.reconcile(ctx, o)
			if failures = append(failures, err); found {
				news++
			}
		}
		last = batch[len(batch)-1].ID
	}
}

// unpaid returns the orders behind last of which a payment, or its fee, could have been missed.
func (s *Service) unpaid(ctx context.Context, last uuid.UUID) ([]*ent.Order, error) {
	now := s.DB.Now()
	return s.DB.Client.Order.Query().
		Where(order.Or(
			order.And(order.StatusIn(order.StatusPENDING, order.StatusFAILED, order.StatusEXPIRED), order.PaidAtIsNil()),
			order.And(order.MethodEQ(order.MethodONLINE), order.FeeMinor(0)),
			order.MethodIn(order.MethodCASH, order.MethodTERMINAL)), // its page was closed, but should a provider take money all the same, it goes back
			order.ProviderRefNotNil(), order.Provider(s.Provider.Name()),
			order.CreatedAtLT(now.Add(-reconcileAfter)), order.CreatedAtGT(now.Add(-2*payWithinStaff)), order.IDGT(last)).
		Order(order.ByID()).Limit(reconcileBatch).All(ctx)
}

// reconcile asks about one order and applies what the provider tells.
func (s *Service) reconcile(ctx context.Context, o *ent.Order) (news bool, err error) {
	callCtx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	e, found, err := s.Provider.Lookup(callCtx, *o.ProviderRef)
	if err != nil {
		return false, fmt.Errorf("ask the payment provider about order %s: %w", o.ID, err)
	}
	waits := o.Status == order.StatusPENDING
	switch isPayment := e.Type == payment.CheckoutCompleted; {
	case !found && !waits: // the provider did not answer when the page was to be closed
		if err := s.Provider.ExpireCheckout(callCtx, *o.ProviderRef); err != nil {
			return false, fmt.Errorf("close the page of order %s: %w", o.ID, err)
		}
		return false, nil
	case !found, isPayment && !e.IsPaid: // a payment under way is no news yet
		return false, nil
	case waits, isPayment && (o.PaidAt == nil || isDesk(o)):
		return true, s.HandleEvent(ctx, e)
	}
	if isDesk(o) || e.FeeMinor == 0 || e.PaymentRef != o.PaymentRef {
		return false, nil
	}
	return true, s.DB.WithTx(ctx, func(ctx context.Context) error {
		return s.DB.Client.Order.UpdateOneID(o.ID).SetFeeMinor(e.FeeMinor).Exec(ctx)
	})
}
