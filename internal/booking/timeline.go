package booking

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/refund"
)

// MovementKind is what happened to an order's money.
type MovementKind string

// The kinds, in the order in which they may happen at one instant.
const (
	OrderCreated    MovementKind = "CREATED"
	CheckoutOpened  MovementKind = "CHECKOUT_OPENED"
	PaymentDeclined MovementKind = "FAILED"
	OrderExpired    MovementKind = "EXPIRED"
	MoneyTaken      MovementKind = "PAID"
	RefundAsked     MovementKind = "REFUND_ASKED"
	RefundSucceeded MovementKind = "REFUND_SUCCEEDED"
	RefundGivenUp   MovementKind = "REFUND_FAILED"
	OrderCompleted  MovementKind = "COMPLETED"
)

var movementOrder = []MovementKind{
	OrderCreated, CheckoutOpened, PaymentDeclined, OrderExpired, MoneyTaken, RefundAsked, RefundSucceeded, RefundGivenUp, OrderCompleted,
}

// Movement is one step of an order's money. Amounts are in minor units of the order's currency.
type Movement struct {
	At          time.Time
	Kind        MovementKind
	AmountMinor int64
	NetMinor    int64      // what stays with the practice after it
	RefundID    *uuid.UUID // nil for the payment itself
	Reference   string
	Reason      string
}

// Ledger is an order with the steps of its money.
type Ledger struct {
	Order     *ent.Order
	Movements []Movement // oldest first
}

// Audit returns what happened to an order's money; nil when there is none or the viewer may not see it.
func (s *Service) Audit(ctx context.Context, orderID uuid.UUID) (*Ledger, error) {
	o, err := s.shownOrder(ctx, orderID)
	if err != nil || o == nil {
		return nil, err
	}
	refunds, err := s.DB.Client.Refund.Query().Where(refund.OrderID(orderID)).Order(refund.ByCreatedAt(), refund.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	return &Ledger{Order: o, Movements: movements(o, refunds)}, nil
}

// movements lists the steps that the rows tell of.
func movements(o *ent.Order, refunds []*ent.Refund) []Movement {
	var list []Movement
	add := func(at *time.Time, m Movement) {
		if at != nil {
			m.At = *at
			list = append(list, m)
		}
	}
	of := func(kind MovementKind, reference string) Movement {
		return Movement{Kind: kind, AmountMinor: o.AmountMinor, Reference: reference}
	}
	page := ""
	if o.ProviderRef != nil {
		page = *o.ProviderRef
	}
	add(&o.CreatedAt, of(OrderCreated, ""))
	add(o.CheckoutAt, of(CheckoutOpened, page))
	add(o.FailedAt, of(PaymentDeclined, ""))
	add(o.ExpiredAt, of(OrderExpired, ""))
	add(o.PaidAt, of(MoneyTaken, o.PaymentRef))
	add(o.CompletedAt, of(OrderCompleted, ""))
	for _, r := range refunds {
		m := Movement{Kind: RefundAsked, AmountMinor: r.AmountMinor, RefundID: &r.ID, Reason: r.Reason}
		add(&r.CreatedAt, m)
		m.Kind, m.Reference = RefundSucceeded, r.ProviderRef
		if r.Status == refund.StatusFAILED {
			m.Kind = RefundGivenUp
		}
		add(r.FinishedAt, m)
	}
	slices.SortStableFunc(list, func(a, b Movement) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(movementOrder, a.Kind), slices.Index(movementOrder, b.Kind)))
	})
	return withNet(list, o.FeeMinor)
}

// withNet adds up what stays after each step.
func withNet(list []Movement, feeMinor int64) []Movement {
	net := int64(0)
	for i, m := range list {
		switch m.Kind {
		case MoneyTaken:
			net += m.AmountMinor - feeMinor
		case RefundSucceeded:
			net -= m.AmountMinor
		}
		list[i].NetMinor = net
	}
	return list
}
