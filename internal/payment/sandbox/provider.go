package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bojanz/currency"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/predicate"
	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
)

const (
	providerName   = "sandbox"
	refPrefix      = "cs_sandbox_"
	paymentPrefix  = "pi_sandbox_"
	minSecret      = 16
	maxDescription = 200  // bytes, by the store
	remembered     = 1024 // accepted events
)

// orderClaim decides which checkout of an order came first.
var orderClaim = store.Constraint{Postgres: "sandbox_checkouts_order_id_key", SQLite: "sandbox_checkouts.order_id"}

// Config is what a Provider needs.
type Config struct {
	DB           *store.DB
	Secret       []byte         // signs the events; at least 16 bytes
	PublicURL    string         // where payers reach the program, as https://pay.example.org
	PracticeName string         // as the page shows it
	Zone         *time.Location // of the practice, for times on the page; nil = UTC
	Log          *slog.Logger
}

// Deliver sends a webhook event to Caregraph and returns the status of the answer.
type Deliver func(ctx context.Context, header http.Header, body []byte) (status int, err error)

// Provider is the sandbox payment provider.
type Provider struct {
	db        *store.DB
	secret    []byte
	publicURL string
	practice  string
	zone      *time.Location
	log       *slog.Logger
	send      Deliver
	accepted  *lru.Cache[string, struct{}] // ids of events that this process need not deliver again
}

var _ payment.Provider = (*Provider)(nil)

// New returns the provider. Events go nowhere until SetDeliver is called. A secret that is too short panics.
func New(cfg Config) *Provider {
	if len(cfg.Secret) < minSecret {
		panic(fmt.Sprintf("sandbox: the secret has fewer than %d bytes", minSecret))
	}
	accepted, err := lru.New[string, struct{}](remembered)
	if err != nil {
		panic(err) // only for a size below one
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	return &Provider{
		db: cfg.DB, secret: cfg.Secret, publicURL: strings.TrimRight(cfg.PublicURL, "/"), practice: cfg.PracticeName, zone: cfg.Zone,
		log: cfg.Log, accepted: accepted,
		send: func(context.Context, http.Header, []byte) (int, error) { return 0, errNotConnected },
	}
}

// SetDeliver says how events reach Caregraph. It is called once, before anything else.
func (p *Provider) SetDeliver(d Deliver) { p.send = d }

// Name implements payment.Provider.
func (p *Provider) Name() string { return providerName }

// CreateCheckout implements payment.Provider. It refuses an amount that is not positive, a time to pay that is over, and another amount than
// the order's checkout has.
func (p *Provider) CreateCheckout(ctx context.Context, r payment.CheckoutRequest) (payment.Checkout, error) {
	if store.InTx(ctx) {
		return payment.Checkout{}, errInTransaction
	}
	ctx = asProvider(ctx)
	row, err := p.find(ctx, sandboxcheckout.OrderID(r.OrderID))
	if errors.Is(err, errUnknown) {
		row, err = p.open(ctx, r)
	}
	switch {
	case err != nil:
		return payment.Checkout{}, err
	case row.AmountMinor != r.Amount.Minor, row.Currency != r.Amount.Currency:
		return payment.Checkout{}, errOtherAmount
	}
	return payment.Checkout{Ref: row.Ref, URL: p.publicURL + pagePath + row.Ref}, nil
}

func (p *Provider) open(ctx context.Context, r payment.CheckoutRequest) (row *ent.SandboxCheckout, err error) {
	switch _, known := currency.GetDigits(r.Amount.Currency); {
	case r.OrderID == uuid.Nil, r.Amount.Minor <= 0, !known:
		return nil, fmt.Errorf("%w: order and amount", errInvalid)
	case !p.db.Now().Before(r.ExpiresAt):
		return nil, fmt.Errorf("%w: the time to pay is over", errInvalid)
	}
	err = p.db.WithTx(ctx, func(ctx context.Context) error {
		row, err = p.db.Client.SandboxCheckout.Create().
			SetRef(refPrefix + random()).SetOrderID(r.OrderID).SetAmountMinor(r.Amount.Minor).SetCurrency(r.Amount.Currency).
			SetDescription(shorten(r.Description, maxDescription)).SetStatus(sandboxcheckout.StatusOPEN).SetExpiresAt(r.ExpiresAt).
			Save(ctx)
		return err
	})
	if store.Violates(err, orderClaim) {
		return p.find(ctx, sandboxcheckout.OrderID(r.OrderID))
	}
	return row, err
}

// ExpireCheckout implements payment.Provider. A paid checkout stays paid.
func (p *Provider) ExpireCheckout(ctx context.Context, ref string) error {
	if store.InTx(ctx) {
		return errInTransaction
	}
	ctx = asProvider(ctx)
	row, err := p.find(ctx, sandboxcheckout.Ref(ref))
	if err != nil {
		return err
	}
	return p.settle(ctx, row, sandboxcheckout.StatusEXPIRED)
}

// Lookup tells how a checkout ended, as the event that was or should have been delivered for it; ok is false while it is open.
func (p *Provider) Lookup(ctx context.Context, ref string) (e payment.Event, ok bool, err error) {
	row, err := p.find(asProvider(ctx), sandboxcheckout.Ref(ref))
	if err != nil || row.Status == sandboxcheckout.StatusOPEN {
		return payment.Event{}, false, err
	}
	return history(row)[0].read(), true, nil
}

// settle moves an open checkout to its end and tells of it; it does nothing when something else came first.
func (p *Provider) settle(ctx context.Context, row *ent.SandboxCheckout, to sandboxcheckout.Status) error {
	var moved int
	err := p.db.WithTx(ctx, func(ctx context.Context) (err error) {
		update := p.db.Client.SandboxCheckout.Update().
			Where(sandboxcheckout.ID(row.ID), sandboxcheckout.StatusEQ(sandboxcheckout.StatusOPEN)).SetStatus(to)
		if to != sandboxcheckout.StatusEXPIRED {
			update.Where(sandboxcheckout.ExpiresAtGT(p.db.Now()))
		}
		moved, err = update.Save(ctx)
		return err
	})
	if err != nil || moved == 0 {
		return err
	}
	settled := *row
	settled.Status = to
	p.announce(ctx, history(&settled)...)
	return nil
}

// find returns the one checkout, or errUnknown.
func (p *Provider) find(ctx context.Context, where predicate.SandboxCheckout) (*ent.SandboxCheckout, error) {
	row, err := p.db.Client.SandboxCheckout.Query().Where(where).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errUnknown
	}
	return row, err
}

// asProvider makes the provider the one who acts: its record is nobody's in Caregraph.
func asProvider(ctx context.Context) context.Context { return access.System(ctx, "sandbox provider") }

// random returns 26 letters and digits that hold 130 bits.
func random() string { return strings.ToLower(rand.Text()) }

// shorten cuts a text to so many bytes, between two characters.
func shorten(text string, limit int) string {
	const more = "…"
	text = strings.ToValidUTF8(text, "")
	if len(text) <= limit {
		return text
	}
	end := limit - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
