package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/app"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// cheap makes password hashes quick: no test here is about their cost.
var cheap = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// instance is a running program.
type instance struct {
	*app.App
	URL string
	clk *clock.Fake
}

// serve starts the program on a fresh database, with settings on top of the usual ones of a test.
func serve(t *testing.T, engine string, settings map[string]string) *instance {
	t.Helper()
	return serveOn(t, testkit.URL(t, engine), clock.NewFake(testkit.Start), settings)
}

// serveOn starts the program on a database, as one of several instances.
func serveOn(t *testing.T, database string, clk *clock.Fake, settings map[string]string) *instance {
	t.Helper()
	i := &instance{clk: clk}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	flags := map[string]string{
		"ENVIRONMENT": "development", "DATABASE_URL": database, "PUBLIC_URL": server.URL, "MIGRATE": "auto", "API_REQUESTS_PER_MINUTE": "10000",
	}
	for name, value := range settings {
		flags[name] = value
	}
	cfg, err := config.Load(config.Sources{Flags: flags})
	require.NoError(t, err)
	i.App, err = app.New(t.Context(), cfg, app.Options{Clock: clk, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), HashParams: cheap})
	require.NoError(t, err)
	handler = i.Handler()
	i.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, i.Close(context.Background()))
	})
	return i
}

func (i *instance) client(t *testing.T) *testkit.Client {
	return testkit.NewClient(t, i.URL+"/graphql")
}

const bookOperation = `mutation($slot: ID!) { bookAppointment(input: {slotId: $slot}) {
  appointment { id status price { amount currency } expiresAt practitioner { name } }
  userErrors { code message field ... on SlotTaken { alternatives { id startsAt } } } } }`

const orderOperation = `mutation($id: ID!) { createOrder(input: {appointmentId: $id}) {
  order { id status amount { amount } } checkoutUrl expiresAt userErrors { code ... on OrderExists { order { id } } } } }`

// TestVisit is the thin path, over HTTP on both engines: sign in, book, pay on the sandbox page through a signed webhook, see BOOKED.
func TestVisit(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			i := serve(t, engine, nil)
			doctor := testkit.Practitioner(t, i.DB)
			wanted := testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(24*time.Hour))
			for h := range 4 {
				testkit.Slot(t, i.DB, doctor, i.clk.Now().Add(time.Duration(25+h)*time.Hour))
			}
			alice, bruno := testkit.Patient(t, i.DB), testkit.Patient(t, i.DB)
			first := i.client(t).SignIn(t, alice.Email, testkit.Password)
			second := i.client(t).SignIn(t, bruno.Email, testkit.Password)

			booked := first.Do(t, bookOperation, map[string]any{"slot": wanted.ID}).NoErrors(t)
			require.Equal(t, 0, booked.Len("bookAppointment.userErrors"))
			require.Equal(t, "PENDING", booked.Text("bookAppointment.appointment.status"))
			require.Equal(t, "80.00", booked.Text("bookAppointment.appointment.price.amount"))
			id := booked.Text("bookAppointment.appointment.id")

			taken := second.Do(t, bookOperation, map[string]any{"slot": wanted.ID})
			require.Equal(t, "SLOT_TAKEN", taken.Text("bookAppointment.userErrors.0.code"))
			require.Equal(t, 3, taken.Len("bookAppointment.userErrors.0.alternatives"))
			require.Nil(t, taken.Get("bookAppointment.appointment"))

			ordered := first.Do(t, orderOperation, map[string]any{"id": id}).NoErrors(t)
			checkout := ordered.Text("createOrder.checkoutUrl")
			require.True(t, strings.HasPrefix(checkout, i.URL+"/sandbox/checkout/"), checkout)
			again := first.Do(t, orderOperation, map[string]any{"id": id})
			require.Equal(t, "ORDER_EXISTS", again.Text("createOrder.userErrors.0.code"))
			require.Equal(t, checkout, again.Text("createOrder.checkoutUrl"))

			page := pay(t, checkout)
			require.Contains(t, page, "80.00")

			seen := first.Do(t, `query($id: ID!) { appointment(id: $id) { status orders { edges { node { status paidAt } } totalCount }
				history { edges { node { fromStatus toStatus cause } } } } }`, map[string]any{"id": id}).NoErrors(t)
			require.Equal(t, "BOOKED", seen.Text("appointment.status"))
			require.Equal(t, "PAID", seen.Text("appointment.orders.edges.0.node.status"))
			require.Equal(t, "payment_webhook", seen.Text("appointment.history.edges.1.node.cause"))
			require.Nil(t, second.Do(t, `query($id: ID!) { appointment(id: $id) { id } }`, map[string]any{"id": id}).NoErrors(t).Get("appointment"))
			doctorUser, err := i.DB.Client.User.Get(testkit.System(t), doctor.UserID)
			require.NoError(t, err)
			mine := i.client(t).SignIn(t, doctorUser.Email, testkit.Password).Do(t, `{ appointments { edges { node { patient { givenName } orders { totalCount } } } } }`, nil).NoErrors(t)
			require.Equal(t, 1, mine.Len("appointments.edges"))
			require.Equal(t, 0, mine.Int("appointments.edges.0.node.orders.totalCount"), "a doctor sees no orders")
		})
	}
}

// pay clicks Pay on the checkout page and returns the page that follows.
func pay(t *testing.T, checkout string) string {
	t.Helper()
	answer, err := http.PostForm(checkout, url.Values{"action": {"pay"}})
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(body))
	return string(body)
}

func TestWebhook_BadSignatureIs400(t *testing.T) {
	t.Parallel()
	i := serve(t, "sqlite", nil)
	for path, want := range map[string]int{"sandbox": http.StatusBadRequest, "stripe": http.StatusNotFound} {
		answer, err := http.Post(i.URL+"/webhooks/payments/"+path, "application/json", strings.NewReader(`{"id":"evt_1"}`))
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, answer.StatusCode, path)
	}
}

// TestLogin_AliasesCountOneByOne: one document makes at most the allowed attempts, however many fields it has.
func TestLogin_AliasesCountOneByOne(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			document := func(n int) string {
				var b strings.Builder
				for k := range n {
					fmt.Fprintf(&b, ` a%d: login(input: {email: "nobody@caregraph.test", password: "wrong password"}) { userErrors { code } }`, k)
				}
				return "mutation {" + b.String() + " }"
			}
			strict := serve(t, engine, nil)
			refused := strict.client(t).Do(t, document(100), nil)
			require.Equal(t, "QUERY_TOO_COMPLEX", refused.Code())
			attempts, err := strict.DB.Client.LoginAttempt.Query().Count(testkit.System(t))
			require.NoError(t, err)
			require.Zero(t, attempts)

			lax := serve(t, engine, map[string]string{"QUERY_MAX_ALIASES": "200", "QUERY_MAX_ROOT_FIELDS": "200", "OPERATION_TIMEOUT": "60s"})
			answer := lax.client(t).Do(t, document(100), nil)
			codes := map[string]int{}
			data, isObject := answer.Data.(map[string]any)
			require.True(t, isObject, "%v", answer)
			for _, field := range data {
				codes[field.(map[string]any)["userErrors"].([]any)[0].(map[string]any)["code"].(string)]++
			}
			require.Equal(t, map[string]int{"INVALID_CREDENTIALS": 5, "THROTTLED": 95}, codes)
		})
	}
}

func TestViewer_PermissionsAreTheRootFieldsOfTheRoles(t *testing.T) {
	t.Parallel()
	i := serve(t, "sqlite", nil)
	u := testkit.User(t, i.DB, access.Biller)
	answer := i.client(t).SignIn(t, u.Email, testkit.Password).Do(t, `{ viewer { id roles permissions patient { id } practitioner { id } user { email } } }`, nil).NoErrors(t)
	require.Contains(t, answer.Get("viewer.permissions"), "orders")
	require.NotContains(t, answer.Get("viewer.permissions"), "createSlot")
	require.NotContains(t, answer.Get("viewer.permissions"), "users")
	require.Nil(t, answer.Get("viewer.patient"))
	require.Equal(t, u.Email, answer.Text("viewer.user.email"))
}

// TestRegistration_TheMailedLinkLeadsToAPageThatConfirmsOnce.
func TestRegistration_TheMailedLinkLeadsToAPageThatConfirmsOnce(t *testing.T) {
	t.Parallel()
	i := serve(t, "sqlite", nil)
	register := `mutation { registerPatient(input: {email: "New@person.test", password: "a long enough one", givenName: "New", familyName: "Person"}) { isAccepted userErrors { code } } }`
	require.Equal(t, true, i.client(t).Do(t, register, nil).NoErrors(t).Get("registerPatient.isAccepted"))
	mails, err := i.Notify.Recent(testkit.System(t), 1)
	require.NoError(t, err)
	_, link, found := strings.Cut(mails[0].Body, i.URL+"/verify-email?token=")
	require.True(t, found)
	token, _, _ := strings.Cut(link, "\n")
	post := func(token string) (int, string) {
		answer, err := http.PostForm(i.URL+"/verify-email", url.Values{"token": {token}})
		require.NoError(t, err)
		defer func() { require.NoError(t, answer.Body.Close()) }()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'none'")
		return answer.StatusCode, string(body)
	}
	require.Equal(t, http.StatusOK, get(t, i.URL+"/verify-email?token="+token))
	verified := func() bool {
		u, err := i.DB.Client.User.Query().Only(testkit.System(t))
		require.NoError(t, err)
		return u.EmailVerifiedAt != nil
	}
	require.False(t, verified(), "opening the link changes nothing")
	status, page := post(token)
	require.Equal(t, http.StatusOK, status, page)
	require.True(t, verified())
	status, _ = post(token)
	require.Equal(t, http.StatusNotFound, status, "once")
	_, page = post(`"><script>`)
	require.NotContains(t, page, "<script>")
}
