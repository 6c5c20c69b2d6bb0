package stripe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v86"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	providerName   = "stripe"
	requestTimeout = 10 * time.Second
	retries        = 1 // after a failure of the network; callers try again too
)

// Config is what a Provider needs; all members are obligatory.
type Config struct {
	SecretKey     string // of the API
	WebhookSecret string // of the webhook's endpoint
	APIURL        string // base URL of the API, without a slash at its end
	PublicURL     string // where payers reach the program, as https://pay.example.org
	PracticeName  string // as the pages show it
	Clock         clock.Clock
	Log           *slog.Logger
}

// Provider is the payment provider Stripe.
type Provider struct {
	api       *stripe.Client
	secret    string
	publicURL string
	practice  string
	clock     clock.Clock
	log       *slog.Logger
}

var _ payment.Provider = (*Provider)(nil)

// New returns the provider.
func New(cfg Config) *Provider {
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(cfg.APIURL), HTTPClient: &http.Client{Timeout: requestTimeout}, MaxNetworkRetries: stripe.Int64(retries),
		EnableTelemetry: stripe.Bool(false), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return &Provider{
		api: stripe.NewClient(cfg.SecretKey, stripe.WithBackends(backends)), secret: cfg.WebhookSecret,
		publicURL: strings.TrimRight(cfg.PublicURL, "/"), practice: cfg.PracticeName, clock: cfg.Clock, log: cfg.Log,
	}
}

// Name implements payment.Provider.
func (p *Provider) Name() string { return providerName }

var (
	errInTransaction = errors.New("stripe: a provider is not called inside a transaction")
	errRefundFailed  = errors.New("stripe: the refund failed")
)

// mayCall refuses calls inside a transaction, which would hold its locks for as long as the network takes.
func mayCall(ctx context.Context) error {
	if store.InTx(ctx) {
		return errInTransaction
	}
	return nil
}

// problem is the error of a call without what Stripe says about the payer.
func problem(call string, err error) error {
	if refused := refusal(err); refused != nil {
		return fmt.Errorf("stripe: %s: status %d, %s %s, request %s", call, refused.HTTPStatusCode, refused.Type, refused.Code, refused.RequestID)
	}
	return fmt.Errorf("stripe: %s: %w", call, err)
}

// refusal is what Stripe answered; nil when it did not.
func refusal(err error) *stripe.Error {
	var refused *stripe.Error
	if errors.As(err, &refused) {
		return refused
	}
	return nil
}
