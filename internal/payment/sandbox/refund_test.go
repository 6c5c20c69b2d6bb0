package sandbox_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/idempotencykey"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/ids"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// paid returns a paid checkout of 80.00 AUD and its payment.
func (k *kit) paid() (orderID uuid.UUID, ref, paymentRef string) {
	k.t.Helper()
	orderID, c := k.open()
	k.click(c.Ref, "pay")
	return orderID, c.Ref, k.delivered()[0].PaymentRef
}

func (k *kit) refund(orderID uuid.UUID, paymentRef string, minor int64) payment.RefundRequest {
	return payment.RefundRequest{
		RefundID: ids.New(ent.TypeRefund, k.clk.Now()), OrderID: orderID, PaymentRef: paymentRef, Amount: money.Amount{Minor: minor, Currency: "AUD"},
	}
}

func TestRefund_PaysOncePerRefundID(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, ref, paymentRef := k.paid()
		r := k.refund(orderID, paymentRef, 3000)
		var g errgroup.Group
		for range 10 {
			g.Go(func() error {
				got, err := k.Refund(t.Context(), r)
				if err == nil && got != "re_"+r.RefundID.String() {
					t.Errorf("ref %s", got)
				}
				return err
			})
		}
		require.NoError(t, g.Wait())
		require.EqualValues(t, 3000, k.row(ref).RefundedMinor)
		events := k.delivered()
		require.NotEmpty(t, events)
		for _, e := range events {
			require.Equal(t, events[0], e)
		}
		require.Equal(t, payment.ChargeRefunded, events[0].Type)
		require.Equal(t, money.Amount{Minor: 3000, Currency: "AUD"}, events[0].Amount)
		require.Equal(t, orderID, events[0].OrderID)
		require.Equal(t, paymentRef, events[0].PaymentRef)

		// Years later, after a restart and when old keys have been removed, it is still the same refund.
		clk.Advance(7 * 366 * 24 * time.Hour)
		testkit.Write(t, db, func(ctx context.Context) error {
			_, err := db.Client.IdempotencyKey.Delete().Where(idempotencykey.ExpiresAtLTE(clk.Now())).Exec(ctx)
			return err
		})
		_, err := newKit(t, db, clk).Refund(t.Context(), r)
		require.NoError(t, err)
		require.EqualValues(t, 3000, k.row(ref).RefundedMinor)

		// The id is not good for another refund.
		r.Amount.Minor = 1
		_, err = k.Refund(t.Context(), r)
		require.ErrorContains(t, err, "another refund")
	})
}

func TestRefund_NeverPaysBackMoreThanWasPaid(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, ref, paymentRef := k.paid()

		_, err := k.Refund(t.Context(), k.refund(orderID, paymentRef, 8001))
		require.ErrorContains(t, err, "more would be paid back")
		require.Empty(t, k.delivered())

		// Of 20 at once, each a tenth, ten are paid.
		errs := make([]error, 20)
		var g errgroup.Group
		for i := range errs {
			g.Go(func() error {
				_, errs[i] = k.Refund(t.Context(), k.refund(orderID, paymentRef, 800))
				return nil
			})
		}
		require.NoError(t, g.Wait())
		refused := 0
		for _, err := range errs {
			if err != nil {
				require.ErrorContains(t, err, "more would be paid back")
				refused++
			}
		}
		require.Equal(t, 10, refused)
		require.EqualValues(t, 8000, k.row(ref).RefundedMinor)
		require.Contains(t, k.view(ref), "Payment refunded")
	})
}

func TestRefund_EachSumIsAnEventOfItsOwn(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, ref, paymentRef := k.paid()
		for _, minor := range []int64{3000, 5000} {
			_, err := k.Refund(t.Context(), k.refund(orderID, paymentRef, minor))
			require.NoError(t, err)
		}
		events := k.delivered()
		require.Len(t, events, 2)
		require.NotEqual(t, events[0].ID, events[1].ID)
		require.EqualValues(t, 3000, events[0].Amount.Minor)
		require.EqualValues(t, 8000, events[1].Amount.Minor, "refunded so far")
		require.EqualValues(t, 8000, k.row(ref).RefundedMinor)
	})
}

func TestRefund_StandsWhenItCannotBeTold(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, ref, paymentRef := k.paid()
		k.answers(http.StatusBadGateway)
		r := k.refund(orderID, paymentRef, 3000)
		_, err := k.Refund(t.Context(), r)
		require.NoError(t, err)
		untold := k.delivered()
		require.Len(t, untold, 1)

		// The next view, or the same call, tells it; after that it is told.
		k.answers(http.StatusOK)
		require.Contains(t, k.view(ref), "A$30.00 of A$80.00 has been paid back.")
		require.Equal(t, untold, k.delivered())
		_, err = k.Refund(t.Context(), r)
		require.NoError(t, err)
		require.Empty(t, k.delivered())
	})
}

func TestRefund_Refuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		k := newKit(t, db, clk)
		orderID, ref, paymentRef := k.paid()
		unpaid, _ := k.open()
		for name, c := range map[string]struct {
			change func(*payment.RefundRequest)
			says   string
		}{
			"another payment":  {func(r *payment.RefundRequest) { r.PaymentRef = "pi_sandbox_other" }, "not that of the order"},
			"an unknown order": {func(r *payment.RefundRequest) { r.OrderID = uuid.New() }, "no such checkout"},
			"an unpaid order":  {func(r *payment.RefundRequest) { r.OrderID = unpaid }, "not paid"},
			"another currency": {func(r *payment.RefundRequest) { r.Amount.Currency = "NZD" }, "not valid"},
			"nothing":          {func(r *payment.RefundRequest) { r.Amount.Minor = 0 }, "not valid"},
			"less":             {func(r *payment.RefundRequest) { r.Amount.Minor = -100 }, "not valid"},
		} {
			r := k.refund(orderID, paymentRef, 100)
			c.change(&r)
			_, err := k.Refund(t.Context(), r)
			require.ErrorContains(t, err, c.says, name)
		}
		require.Zero(t, k.row(ref).RefundedMinor)
		require.Empty(t, k.delivered())
	})
}
