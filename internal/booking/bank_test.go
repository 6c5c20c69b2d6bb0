package booking_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
)

// bank is a provider that keeps books, for walks: its pages are paid or closed once, and it can be away.
type bank struct {
	*provider
	pages map[string]*page // by ref
	away  bool
}

type page struct {
	orderID  uuid.UUID
	amount   money.Amount
	closed   bool
	paid     bool
	refunded int64
	claims   map[uuid.UUID]bool
}

var errAway = errors.New("the provider is away")

func newBank() *bank { return &bank{provider: &provider{}, pages: map[string]*page{}} }

func (b *bank) CreateCheckout(_ context.Context, r payment.CheckoutRequest) (payment.Checkout, error) {
	if b.away {
		return payment.Checkout{}, errAway
	}
	ref := "cs_" + r.OrderID.String()
	if b.pages[ref] == nil {
		b.pages[ref] = &page{orderID: r.OrderID, amount: r.Amount, claims: map[uuid.UUID]bool{}}
	}
	return payment.Checkout{Ref: ref, URL: "https://pay.test/" + ref}, nil
}

func (b *bank) ExpireCheckout(_ context.Context, ref string) error {
	if b.away {
		return errAway
	}
	b.pages[ref].closed = b.pages[ref].closed || !b.pages[ref].paid
	return nil
}

func (b *bank) Lookup(_ context.Context, ref string) (payment.Event, bool, error) {
	p := b.pages[ref]
	switch {
	case b.away:
		return payment.Event{}, false, errAway
	case p.paid:
		return p.paidEvent("lookup_" + ref), true, nil
	case p.closed:
		return payment.Event{ID: "closed_" + ref, Type: payment.CheckoutExpired, OrderID: p.orderID}, true, nil
	default:
		return payment.Event{}, false, nil
	}
}

func (b *bank) Refund(_ context.Context, r payment.RefundRequest) (string, error) {
	for _, p := range b.pages {
		if p.paymentRef() != r.PaymentRef || b.away {
			continue
		}
		if !p.claims[r.RefundID] {
			if !p.paid || p.refunded+r.Amount.Minor > p.amount.Minor {
				return "", errors.New("more than was paid")
			}
			p.claims[r.RefundID], p.refunded = true, p.refunded+r.Amount.Minor
		}
		return "re_" + r.RefundID.String(), nil
	}
	return "", errAway
}

// pay pays the order's page, if it is open; isLate, also one that was closed: the payment was on its way. The event says so.
func (b *bank) pay(o *ent.Order, isLate bool) payment.Event {
	if o.ProviderRef == nil {
		return payment.Event{}
	}
	p := b.pages[*o.ProviderRef]
	if p.closed && !isLate {
		return payment.Event{}
	}
	p.paid = true
	return p.paidEvent("paid_" + *o.ProviderRef)
}

// payBack pays back at the provider's own pages.
func (b *bank) payBack(o *ent.Order, minor int64) (payment.Event, bool) {
	for _, p := range b.pages {
		if p.paid && p.paymentRef() == o.PaymentRef && p.refunded+minor <= p.amount.Minor {
			p.refunded += minor
			return p.backEvent(), true
		}
	}
	return payment.Event{}, false
}

// backs tell how much of the orders' payments has gone back in the end.
func (b *bank) backs(orders []*ent.Order) (events []payment.Event) {
	for _, o := range orders {
		if o.ProviderRef != nil && b.pages[*o.ProviderRef].refunded > 0 {
			events = append(events, b.pages[*o.ProviderRef].backEvent())
		}
	}
	return events
}

// kept is what the provider has of the orders' pages.
func (b *bank) kept(orders []*ent.Order) (sum int64) {
	for _, o := range orders {
		if o.ProviderRef == nil {
			continue
		}
		if p := b.pages[*o.ProviderRef]; p.paid {
			sum += p.amount.Minor - p.refunded
		}
	}
	return sum
}

func (p *page) paymentRef() string { return "pi_" + p.orderID.String() }

// backEvent tells the sum that has gone back so far.
func (p *page) backEvent() payment.Event {
	e := p.paidEvent(fmt.Sprint("back_", p.paymentRef(), p.refunded))
	e.Type, e.Amount.Minor = payment.ChargeRefunded, p.refunded
	return e
}

func (p *page) paidEvent(id string) payment.Event {
	return payment.Event{
		ID: id, Type: payment.CheckoutCompleted, OrderID: p.orderID, PaymentRef: p.paymentRef(), IsPaid: true, Amount: p.amount, FeeMinor: 170,
	}
}
