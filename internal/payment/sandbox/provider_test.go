package sandbox_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent/sandboxcheckout"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/payment/sandbox"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestNew_RefusesAShortSecret(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { sandbox.New(sandbox.Config{Secret: []byte("short")}) })
}

func TestCreateCheckout_IsOnePerOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		r := k.request()
		checkouts := make([]payment.Checkout, 20)
		var g errgroup.Group
		for i := range checkouts {
			g.Go(func() (err error) {
				checkouts[i], err = k.CreateCheckout(t.Context(), r)
				return err
			})
		}
		require.NoError(t, g.Wait())
		for _, c := range checkouts {
			require.Equal(t, checkouts[0], c)
		}
		require.Equal(t, 1, db.Client.SandboxCheckout.Query().CountX(testkit.System(t)))
		require.Regexp(t, regexp.MustCompile(`^cs_sandbox_[a-z2-7]{26}$`), checkouts[0].Ref)
		require.Equal(t, publicURL+"/sandbox/checkout/"+checkouts[0].Ref, checkouts[0].URL)

		// Another order, another page; the first one's is the same after it was closed.
		_, other := k.open()
		require.NotEqual(t, checkouts[0], other)
		clk.Advance(time.Hour)
		require.NoError(t, k.ExpireCheckout(t.Context(), checkouts[0].Ref))
		again, err := k.CreateCheckout(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, checkouts[0], again)
	})
}

func TestCreateCheckout_Refuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		for name, change := range map[string]func(*payment.CheckoutRequest){
			"no order":                 func(r *payment.CheckoutRequest) { r.OrderID = uuid.Nil },
			"nothing to pay":           func(r *payment.CheckoutRequest) { r.Amount.Minor = 0 },
			"less than nothing to pay": func(r *payment.CheckoutRequest) { r.Amount.Minor = -1 },
			"an unknown currency":      func(r *payment.CheckoutRequest) { r.Amount.Currency = "ZZZ" },
			"a deadline that is now":   func(r *payment.CheckoutRequest) { r.ExpiresAt = clk.Now() },
		} {
			_, err := k.CreateCheckout(t.Context(), k.request(change))
			require.ErrorContains(t, err, "not valid", name)
		}
		r := k.request()
		_, err := k.CreateCheckout(t.Context(), r)
		require.NoError(t, err)
		r.Amount.Minor++
		_, err = k.CreateCheckout(t.Context(), r)
		require.ErrorContains(t, err, "another amount")
	})
}

func TestCreateCheckout_CutsALongDescriptionBetweenCharacters(t *testing.T) {
	t.Parallel()
	k := newKit(t, testkit.Open(t, testkit.SQLite, clock.NewFake(testkit.Start)), clock.NewFake(testkit.Start))
	_, c := k.open(func(r *payment.CheckoutRequest) { r.Description = "x" + strings.Repeat("é", 150) })
	require.Equal(t, "x"+strings.Repeat("é", 98)+"…", k.row(c.Ref).Description)
}

func TestProvider_RefusesCallsInsideATransaction(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		for _, call := range []func(ctx context.Context) error{
			func(ctx context.Context) error { _, err := k.CreateCheckout(ctx, k.request()); return err },
			func(ctx context.Context) error { return k.ExpireCheckout(ctx, c.Ref) },
			func(ctx context.Context) error { _, err := k.Refund(ctx, payment.RefundRequest{}); return err },
		} {
			require.ErrorContains(t, db.WithTx(t.Context(), call), "inside a transaction")
		}
	})
}

func TestExpireCheckout(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, c := k.open()

		// An open one is closed, and that is told once.
		require.NoError(t, k.ExpireCheckout(t.Context(), c.Ref))
		require.NoError(t, k.ExpireCheckout(t.Context(), c.Ref))
		require.Equal(t, sandboxcheckout.StatusEXPIRED, k.row(c.Ref).Status)
		events := k.delivered()
		require.Equal(t, []payment.EventType{payment.CheckoutExpired}, types(events))
		require.Equal(t, orderID, events[0].OrderID)
		require.False(t, events[0].IsPaid)
		require.Contains(t, k.click(c.Ref, "pay"), "Payment expired")

		// One whose time is over is closed as well.
		_, late := k.open()
		clk.Advance(time.Hour)
		require.NoError(t, k.ExpireCheckout(t.Context(), late.Ref))
		require.Equal(t, sandboxcheckout.StatusEXPIRED, k.row(late.Ref).Status)

		// A paid one stays paid, without an error.
		_, paid := k.open()
		k.click(paid.Ref, "pay")
		k.delivered()
		require.NoError(t, k.ExpireCheckout(t.Context(), paid.Ref))
		require.Equal(t, sandboxcheckout.StatusPAID, k.row(paid.Ref).Status)
		require.Empty(t, k.delivered())

		require.ErrorContains(t, k.ExpireCheckout(t.Context(), "cs_sandbox_unknown"), "no such checkout")
	})
}

func TestLookup_TellsTheEndOfACheckout(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		_, c := k.open()
		_, ok, err := k.Lookup(t.Context(), c.Ref)
		require.NoError(t, err)
		require.False(t, ok)

		// The same event as the one that was delivered, so that both are recognised as one.
		k.click(c.Ref, "pay")
		e, ok, err := k.Lookup(t.Context(), c.Ref)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, k.delivered()[0], e)

		_, ok, err = k.Lookup(t.Context(), "cs_sandbox_unknown")
		require.ErrorContains(t, err, "no such checkout")
		require.False(t, ok)
	})
}
