package stripefake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// Session is a checkout.
type Session struct {
	ID, Status, PaymentStatus, Intent, Currency string
	Amount, Refunded                            int64
	Form                                        map[string]string // what it was made from
}

// Server is the stand-in.
type Server struct {
	URL    string
	Secret string // of the webhook

	mu       sync.Mutex
	sessions map[string]*Session
	answers  map[string]map[string]any // by idempotency key
	refunds  []string
	status   string   // of all refunds
	keys     []string // the Authorization of every call
	events   int
	away     bool
}

// New starts a stand-in that ends with the test.
func New(tb testing.TB) *Server {
	s := &Server{Secret: "whsec_stand_in", status: "succeeded", sessions: map[string]*Session{}, answers: map[string]map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/checkout/sessions", s.once(s.create))
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", s.once(s.show))
	mux.HandleFunc("POST /v1/checkout/sessions/{id}/expire", s.once(s.expire))
	mux.HandleFunc("GET /v1/payment_intents/{id}", s.once(s.intent))
	mux.HandleFunc("POST /v1/refunds", s.once(s.refund))
	mux.HandleFunc("GET /v1/refunds/{id}", s.once(s.shownRefund))
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Away makes every call fail, until it is called with false.
func (s *Server) Away(isAway bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = isAway
}

// Refunds sets what all refunds are from now on, such as "pending", "failed" or "succeeded".
func (s *Server) Refunds(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Session returns the only session of an order, as it is now.
func (s *Server) Session(orderID string) Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sessions {
		if one.Form["metadata[order_id]"] == orderID {
			return *one
		}
	}
	return Session{}
}

// Refunded lists the payments of the refunds that were made.
func (s *Server) Refunded() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.refunds...)
}

// Keys lists the Authorization headers of all calls.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.keys...)
}

type failure struct {
	status     int
	code, text string
}

// once answers a call, and a repeated one with the same key as the first time.
func (s *Server) once(do func(form map[string]string, id string) (map[string]any, *failure)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.keys = append(s.keys, r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Request-Id", "req_1")
		if s.away {
			answer(w, nil, &failure{http.StatusServiceUnavailable, "away", "Noor Fairweather cannot be served"})
			return
		}
		_ = r.ParseForm()
		form := map[string]string{}
		for name := range r.Form {
			form[name] = r.Form.Get(name)
		}
		key := r.Header.Get("Idempotency-Key")
		if first, known := s.answers[key]; known && key != "" && r.Method == http.MethodPost {
			answer(w, first, nil)
			return
		}
		body, failed := do(form, r.PathValue("id"))
		if failed == nil {
			s.answers[key] = body
		}
		answer(w, body, failed)
	}
}

func answer(w http.ResponseWriter, body map[string]any, failed *failure) {
	if failed != nil {
		w.WriteHeader(failed.status)
		body = map[string]any{"error": map[string]any{"type": "invalid_request_error", "code": failed.code, "message": failed.text}}
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) create(form map[string]string, _ string) (map[string]any, *failure) {
	amount, _ := strconv.ParseInt(form["line_items[0][price_data][unit_amount]"], 10, 64)
	n := len(s.sessions) + 1
	made := &Session{ID: fmt.Sprint("cs_test_", n), Status: "open", PaymentStatus: "unpaid", Intent: fmt.Sprint("pi_", n), Amount: amount,
		Currency: form["line_items[0][price_data][currency]"], Form: form}
	s.sessions[made.ID] = made
	return s.session(made, false), nil
}

func (s *Server) show(form map[string]string, id string) (map[string]any, *failure) {
	one := s.sessions[id]
	if one == nil {
		return nil, &failure{http.StatusNotFound, "resource_missing", "none"}
	}
	return s.session(one, form["expand[0]"] != ""), nil
}

func (s *Server) expire(_ map[string]string, id string) (map[string]any, *failure) {
	one := s.sessions[id]
	if one == nil || one.Status != "open" {
		return nil, &failure{http.StatusBadRequest, "", "only open sessions can be expired"}
	}
	one.Status = "expired"
	return s.session(one, false), nil
}

func (s *Server) intent(_ map[string]string, id string) (map[string]any, *failure) {
	for _, one := range s.sessions {
		if one.Intent == id {
			return s.payment(one), nil
		}
	}
	return nil, &failure{http.StatusNotFound, "resource_missing", "none"}
}

func (s *Server) refund(form map[string]string, _ string) (map[string]any, *failure) {
	amount, _ := strconv.ParseInt(form["amount"], 10, 64)
	for _, one := range s.sessions {
		if one.Intent != form["payment_intent"] {
			continue
		}
		if one.PaymentStatus != "paid" || one.Refunded+amount > one.Amount {
			return nil, &failure{http.StatusBadRequest, "charge_already_refunded", "too much"}
		}
		one.Refunded += amount
		s.refunds = append(s.refunds, one.Intent)
		return map[string]any{"id": fmt.Sprint("re_", len(s.refunds)), "object": "refund", "status": s.status, "amount": amount}, nil
	}
	return nil, &failure{http.StatusNotFound, "resource_missing", "none"}
}

func (s *Server) shownRefund(_ map[string]string, id string) (map[string]any, *failure) {
	return map[string]any{"id": id, "object": "refund", "status": s.status}, nil
}

// session is a session as the API shows it.
func (s *Server) session(one *Session, expanded bool) map[string]any {
	var intent any
	if one.PaymentStatus == "paid" {
		intent = one.Intent
		if expanded {
			intent = s.payment(one)
		}
	}
	return map[string]any{
		"id": one.ID, "object": "checkout.session", "status": one.Status, "payment_status": one.PaymentStatus, "amount_total": one.Amount,
		"currency": one.Currency, "payment_intent": intent, "url": "https://checkout.stripe.test/" + one.ID, "metadata": one.metadata(),
	}
}

func (s *Server) payment(one *Session) map[string]any {
	return map[string]any{
		"id": one.Intent, "object": "payment_intent", "status": "succeeded", "metadata": one.metadata(),
		"latest_charge": map[string]any{"id": "ch_" + one.Intent, "object": "charge", "balance_transaction": map[string]any{
			"id": "txn_" + one.Intent, "object": "balance_transaction", "fee": 170, "currency": one.Currency}},
	}
}

func (one *Session) metadata() map[string]string {
	return map[string]string{"order_id": one.Form["metadata[order_id]"], "appointment_id": one.Form["metadata[appointment_id]"]}
}
