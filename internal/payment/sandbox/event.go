package sandbox

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
)

// event is a webhook event in the shape of Stripe's.
type event struct {
	ID      string            `json:"id"`
	Object  string            `json:"object"`
	Type    payment.EventType `json:"type"`
	Created int64             `json:"created"`
	Data    struct {
		Object object `json:"object"`
	} `json:"data"`
}

// object is what the event is about: a checkout, a payment or a charge.
type object struct {
	ID             string `json:"id"`
	Object         string `json:"object"`
	AmountTotal    int64  `json:"amount_total"`
	AmountRefunded int64  `json:"amount_refunded"`
	Currency       string `json:"currency"`
	PaymentStatus  string `json:"payment_status"`
	PaymentIntent  string `json:"payment_intent"`
	Fee            int64  `json:"fee"`
	Metadata       struct {
		OrderID string `json:"order_id"`
	} `json:"metadata"`
}

// history lists the events that tell of where a checkout stands, oldest first; none while it is open.
func history(row *ent.SandboxCheckout) []event {
	switch row.Status {
	case sandboxcheckout.StatusPAID:
		paid := newEvent(row, "paid", payment.CheckoutCompleted, "checkout.session", row.Ref)
		if row.RefundedMinor == 0 {
			return []event{paid}
		}
		return []event{paid, refundedEvent(row)}
	case sandboxcheckout.StatusCANCELLED, sandboxcheckout.StatusEXPIRED:
		return []event{newEvent(row, "expired", payment.CheckoutExpired, "checkout.session", row.Ref)}
	}
	return nil
}

// refundedEvent tells the sum paid back so far, which names the effect: it only grows.
func refundedEvent(row *ent.SandboxCheckout) event {
	effect := "refunded_" + strconv.FormatInt(row.RefundedMinor, 10)
	return newEvent(row, effect, payment.ChargeRefunded, "charge", "ch_sandbox_"+strings.TrimPrefix(row.Ref, refPrefix))
}

// declinedEvent is one declined attempt; each is an effect of its own.
func declinedEvent(row *ent.SandboxCheckout) event {
	return newEvent(row, "failed_"+random(), payment.PaymentFailed, "payment_intent", paymentRef(row.Ref))
}

func newEvent(row *ent.SandboxCheckout, effect string, t payment.EventType, kind, id string) event {
	e := event{ID: "evt_" + row.Ref + "_" + effect, Object: "event", Type: t}
	e.Data.Object = object{
		ID: id, Object: kind, AmountTotal: row.AmountMinor, AmountRefunded: row.RefundedMinor, Currency: strings.ToLower(row.Currency),
		PaymentStatus: "unpaid", PaymentIntent: paymentRef(row.Ref),
	}
	if row.Status == sandboxcheckout.StatusPAID {
		e.Data.Object.PaymentStatus = "paid"
		e.Data.Object.Fee = fee(row.AmountMinor, row.Currency)
	}
	e.Data.Object.Metadata.OrderID = row.OrderID.String()
	return e
}

// read returns what the event tells, in the words of all providers.
func (e event) read() payment.Event {
	o := e.Data.Object
	orderID, err := uuid.Parse(o.Metadata.OrderID)
	if err != nil {
		orderID = uuid.Nil // about no order of ours
	}
	minor := o.AmountTotal
	if e.Type == payment.ChargeRefunded {
		minor = o.AmountRefunded
	}
	return payment.Event{
		ID: e.ID, Type: e.Type, OrderID: orderID, PaymentRef: o.PaymentIntent, IsPaid: o.PaymentStatus == "paid",
		Amount: money.Amount{Minor: minor, Currency: strings.ToUpper(o.Currency)}, FeeMinor: o.Fee,
	}
}

// paymentRef is the id of the payment of a checkout.
func paymentRef(ref string) string { return paymentPrefix + strings.TrimPrefix(ref, refPrefix) }
