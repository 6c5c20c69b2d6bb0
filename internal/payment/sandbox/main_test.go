package sandbox_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/payment/sandbox"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const publicURL = "https://clinic.example"

var secret = []byte("a secret for tests alone")

// kit is a provider with somebody to deliver to.
type kit struct {
	*sandbox.Provider
	t   *testing.T
	db  *store.DB
	clk *clock.Fake

	mu     sync.Mutex
	answer int             // status of the practice's answers
	events []payment.Event // that were delivered and carry a good signature
	ctx    context.Context // of the last delivery
}

// newKit returns the provider of one instance of the program.
func newKit(t *testing.T, db *store.DB, clk *clock.Fake) *kit {
	k := &kit{Provider: newProvider(db, secret), t: t, db: db, clk: clk, answer: http.StatusOK}
	k.SetDeliver(func(ctx context.Context, header http.Header, body []byte) (int, error) {
		e, err := k.ParseEvent(t.Context(), header, body)
		if err != nil {
			t.Errorf("a delivery with a bad signature: %v", err)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.events, k.ctx = append(k.events, e), ctx
		return k.answer, nil
	})
	return k
}

func newProvider(db *store.DB, secret []byte) *sandbox.Provider {
	zone, err := time.LoadLocation(testkit.Zone)
	if err != nil {
		panic(err) // embedded
	}
	return sandbox.New(sandbox.Config{
		DB: db, Secret: secret, PublicURL: publicURL + "/", PracticeName: "Bayside Clinic", Zone: zone, Log: slog.New(slog.DiscardHandler),
	})
}

// request is a checkout of 80.00 AUD that can be paid for 15 minutes.
func (k *kit) request(opts ...func(*payment.CheckoutRequest)) payment.CheckoutRequest {
	r := payment.CheckoutRequest{
		OrderID: ids.New(ent.TypeOrder, k.clk.Now()), AppointmentID: ids.New(ent.TypeAppointment, k.clk.Now()),
		Amount: money.Amount{Minor: 8000, Currency: "AUD"}, Description: "Visit on 16 January", ExpiresAt: k.clk.Now().Add(15 * time.Minute),
	}
	for _, opt := range opts {
		opt(&r)
	}
	return r
}

// open opens a checkout.
func (k *kit) open(opts ...func(*payment.CheckoutRequest)) (orderID uuid.UUID, c payment.Checkout) {
	k.t.Helper()
	r := k.request(opts...)
	c, err := k.CreateCheckout(k.t.Context(), r)
	require.NoError(k.t, err)
	return r.OrderID, c
}

// row reads the provider's record.
func (k *kit) row(ref string) *ent.SandboxCheckout {
	k.t.Helper()
	row, err := k.db.Client.SandboxCheckout.Query().Where(sandboxcheckout.Ref(ref)).Only(testkit.System(k.t))
	require.NoError(k.t, err)
	return row
}

// answers sets the status with which deliveries are answered from now on.
func (k *kit) answers(status int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = status
}

// delivered returns the events since the last call.
func (k *kit) delivered() []payment.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	events := k.events
	k.events = nil
	return events
}

func types(events []payment.Event) (list []payment.EventType) {
	for _, e := range events {
		list = append(list, e.Type)
	}
	return list
}

// do sends a request to the pages.
func (k *kit) do(method, path string, form url.Values, header http.Header) (answer *http.Response, body string) {
	r := httptest.NewRequestWithContext(k.t.Context(), method, publicURL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	k.Handler().ServeHTTP(w, r)
	answer = w.Result()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		k.t.Error(err)
	}
	return answer, string(text)
}

// view opens the page.
func (k *kit) view(ref string) string {
	k.t.Helper()
	answer, body := k.do(http.MethodGet, "/sandbox/checkout/"+ref, nil, nil)
	require.Equal(k.t, http.StatusOK, answer.StatusCode)
	return body
}

// click presses a button and returns the page that the browser is sent to.
func (k *kit) click(ref, action string) string {
	k.t.Helper()
	answer, _ := k.do(http.MethodPost, "/sandbox/checkout/"+ref, url.Values{"action": {action}}, nil)
	require.Equal(k.t, http.StatusSeeOther, answer.StatusCode)
	return k.view(answer.Header.Get("Location"))
}
