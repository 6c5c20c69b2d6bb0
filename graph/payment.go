package graph

import (
	"github.com/caregraph/caregraph/graph/model"
	"github.com/caregraph/caregraph/internal/booking"
)

// given is a text that may be missing.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// shownLedger is an order's money in the words of the API.
func shownLedger(l *booking.Ledger) *model.OrderAudit {
	o := l.Order
	shown := &model.OrderAudit{
		Order: o, Total: amount(booking.TakenMinor(o), o.Currency), Fee: amount(o.FeeMinor, o.Currency),
		Refunded: amount(o.RefundedMinor, o.Currency), Net: amount(booking.NetMinor(o), o.Currency),
		Events: make([]*model.OrderAuditEvent, len(l.Movements)),
	}
	for i, m := range l.Movements {
		shown.Events[i] = &model.OrderAuditEvent{
			OccurredAt: m.At, Kind: model.OrderAuditKind(m.Kind), Amount: amount(m.AmountMinor, o.Currency), Net: amount(m.NetMinor, o.Currency),
			RefundID: m.RefundID, Reference: given(m.Reference), Reason: given(m.Reason),
		}
	}
	return shown
}
