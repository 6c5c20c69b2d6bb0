package stripe

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const mockModule = "github.com/stripe/stripe-mock@v0.203.0"

// startMock builds and starts Stripe's own stand-in, which checks requests against Stripe's description of its API, and returns its address. Where it cannot be
// had the test is left out, and says so; with CAREGRAPH_REQUIRE_STRIPE_MOCK=1 it fails.
func startMock(t *testing.T) string {
	t.Helper()
	program := os.Getenv("STRIPE_MOCK")
	if program == "" {
		folder := t.TempDir()
		build := exec.CommandContext(t.Context(), "go", "install", mockModule)
		build.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=-p=1")
		if output, err := build.CombinedOutput(); err != nil {
			if os.Getenv("CAREGRAPH_REQUIRE_STRIPE_MOCK") == "1" {
				t.Fatalf("stripe-mock cannot be built: %v\n%s", err, output)
			}
			t.Skipf("stripe-mock left out, it cannot be built here: %v", err)
		}
		program = filepath.Join(folder, "stripe-mock")
	}
	mock := exec.CommandContext(t.Context(), program, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	output, err := mock.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, mock.Start())
	t.Cleanup(func() { _, _ = mock.Process.Kill(), mock.Wait() })
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, address, found := strings.Cut(lines.Text(), "Listening for HTTP at address: "); found {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return "http://" + address
		}
	}
	t.Fatal("stripe-mock has not told where it listens")
	return ""
}

// Every call has the shape that Stripe describes: stripe-mock refuses parameters that its description does not have.
func TestRequests_HaveTheShapeThatStripeDescribes(t *testing.T) {
	testkit.Long(t)
	p := New(Config{
		SecretKey: "sk_test_123", WebhookSecret: "whsec_test", APIURL: startMock(t), PublicURL: "https://clinic.example", PracticeName: "Test Clinic",
		Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	order := uuid.New()
	for _, email := range []string{"noor@caregraph.test", ""} {
		made, err := p.CreateCheckout(ctx, payment.CheckoutRequest{
			OrderID: order, AppointmentID: uuid.New(), Amount: money.Amount{Minor: 8000, Currency: "AUD"}, Description: "Appointment with Dr Robin Ashdown",
			Email: email, ExpiresAt: clock.System{}.Now().Add(15 * time.Minute),
		})
		require.NoError(t, err)
		require.NotEmpty(t, made.Ref)
	}
	require.NoError(t, p.ExpireCheckout(ctx, "cs_test_1"))
	_, _, err := p.Lookup(ctx, "cs_test_1")
	require.NoError(t, err)
	ref, err := p.Refund(ctx, payment.RefundRequest{RefundID: uuid.New(), OrderID: order, PaymentRef: "pi_1", Amount: money.Amount{Minor: 100, Currency: "AUD"}})
	require.NoError(t, err)
	require.NotEmpty(t, ref)
	again, err := p.Refund(ctx, payment.RefundRequest{RefundID: uuid.New(), OrderID: order, PaymentRef: "pi_1", Ref: ref})
	require.NoError(t, err)
	require.NotEmpty(t, again)
	require.GreaterOrEqual(t, p.fee(ctx, "pi_1", "AUD"), int64(0))
}
