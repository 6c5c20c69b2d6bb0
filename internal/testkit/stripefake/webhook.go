package stripefake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v86/webhook"
)

// Event is a signed webhook, to be sent as often as a test wants.
type Event struct {
	Body   []byte
	Header string
}

// Pay pays the order's session, if it is still open, and returns the event that tells of it.
func (s *Server) Pay(tb testing.TB, orderID string, at time.Time) Event {
	return s.act(tb, orderID, at, "checkout.session.completed", func(one *Session) map[string]any {
		if one.Status == "open" {
			one.Status, one.PaymentStatus = "complete", "paid"
		}
		return s.session(one, false)
	})
}

// PayLate pays a session although it is not open any more, as a payment does that was on its way.
func (s *Server) PayLate(tb testing.TB, orderID string, at time.Time) Event {
	return s.act(tb, orderID, at, "checkout.session.completed", func(one *Session) map[string]any {
		one.Status, one.PaymentStatus = "complete", "paid"
		return s.session(one, false)
	})
}

// Begin completes the session with a payment whose money comes later, or never.
func (s *Server) Begin(tb testing.TB, orderID string, at time.Time) Event {
	return s.act(tb, orderID, at, "checkout.session.completed", func(one *Session) map[string]any {
		one.Status = "complete"
		return s.session(one, false)
	})
}

// Arrive makes that money come.
func (s *Server) Arrive(tb testing.TB, orderID string, at time.Time) Event {
	return s.act(tb, orderID, at, "checkout.session.async_payment_succeeded", func(one *Session) map[string]any {
		one.PaymentStatus = "paid"
		return s.session(one, false)
	})
}

// Decline declines a card.
func (s *Server) Decline(tb testing.TB, orderID string, at time.Time) Event {
	return s.act(tb, orderID, at, "payment_intent.payment_failed", func(one *Session) map[string]any {
		return map[string]any{"id": one.Intent, "object": "payment_intent", "metadata": one.metadata()}
	})
}

// Expired tells that a session is over.
func (s *Server) Expired(tb testing.TB, orderID string, at time.Time) Event {
	return s.act(tb, orderID, at, "checkout.session.expired", func(one *Session) map[string]any { return s.session(one, false) })
}

// PayBack pays back by hand, at Stripe's own pages.
func (s *Server) PayBack(tb testing.TB, orderID string, amount int64, at time.Time) Event {
	return s.act(tb, orderID, at, "charge.refunded", func(one *Session) map[string]any {
		one.Refunded += amount
		return map[string]any{"id": "ch_" + one.Intent, "object": "charge", "payment_intent": one.Intent, "currency": one.Currency,
			"amount_refunded": one.Refunded, "metadata": one.metadata()}
	})
}

func (s *Server) act(tb testing.TB, orderID string, at time.Time, kind string, do func(one *Session) map[string]any) Event {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sessions {
		if one.Form["metadata[order_id]"] == orderID {
			s.events++
			return Sign(tb, s.Secret, at, map[string]any{
				"id": fmt.Sprint("evt_", s.events), "object": "event", "type": kind, "api_version": "2020-08-27", "created": at.Unix(),
				"data": map[string]any{"object": do(one)},
			})
		}
	}
	tb.Fatalf("no session of order %s", orderID)
	return Event{}
}

// Sign signs an event.
func Sign(tb testing.TB, secret string, at time.Time, event map[string]any) Event {
	tb.Helper()
	body, err := json.Marshal(event)
	if err != nil {
		tb.Fatal(err)
	}
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at})
	return Event{Body: signed.Payload, Header: signed.Header}
}

// Send delivers an event to the program and returns the status of its answer.
func (e Event) Send(tb testing.TB, url string) int {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url+"/webhooks/payments/stripe", bytes.NewReader(e.Body))
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Stripe-Signature", e.Header)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}
