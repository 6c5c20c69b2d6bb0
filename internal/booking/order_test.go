package booking_test

import (
	"context"
	"errors"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		me := testkit.As(t, c.patient)
		a, first := c.ordered(t, c.slotIn(t, 24*time.Hour))
		require.Equal(t, a.PriceMinor, first.AmountMinor)
		require.NotEmpty(t, first.CheckoutURL)
		again, err := c.CreateOrder(me, booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, "ORDER_EXISTS")
		require.Equal(t, first.ID, again.ID)
		require.Equal(t, first.CheckoutURL, again.CheckoutURL)

		_, err = c.CreateOrder(testkit.As(t, testkit.Patient(t, db)), booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, fault.CodeNotFound)

		late, err := c.book(t, c.slotIn(t, 30*time.Hour))
		require.NoError(t, err)
		clk.Advance(15 * time.Minute)
		_, err = c.CreateOrder(me, booking.CreateOrderInput{AppointmentID: late.ID})
		requireCode(t, err, "PAYMENT_EXPIRED")
	})
}

func TestCreateOrder_AProviderThatIsAwayLeavesAnOrderThatTheNextCallCompletes(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		c.provider.failure = errors.New("dial tcp 10.0.0.1:443: refused")
		_, err = c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, fault.CodeUnavailable)
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.NotContains(t, e.Message, "dial")
		c.provider.failure = nil
		o, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
		requireCode(t, err, "ORDER_EXISTS")
		require.NotEmpty(t, o.CheckoutURL)
	})
}

func TestCreateOrder_50AtOnceMakeOneOrder(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		made := 0
		for _, err := range atOnce(50, func(int) error {
			_, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
			return err
		}) {
			if err == nil {
				made++
			} else {
				requireCode(t, err, "ORDER_EXISTS")
			}
		}
		require.Equal(t, 1, made)
		n, err := db.Client.Order.Query().Count(testkit.System(t))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// Of a rush none waits for another one's look at the appointment; only who changes it is waited for.
func TestCreateOrder_WhomItWaitsFor(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			t.Skip("SQLite has one writer")
		}
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		ask := func(timeout time.Duration) error {
			other := newService(testkit.OpenURL(t, store.Config{URL: db.URL(), StatementTimeout: timeout}, clk), c.provider)
			_, err := other.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
			return err
		}
		testkit.Write(t, db, func(ctx context.Context) error {
			require.NoError(t, db.Lock(ctx, appointment.Table, a.ID))
			requireCode(t, ask(300*time.Millisecond), fault.CodeTimeout)
			return nil
		})
		testkit.Write(t, db, func(ctx context.Context) error {
			require.NoError(t, db.Share(ctx, appointment.Table, a.ID))
			return ask(10 * time.Second)
		})
		testkit.Write(t, db, func(ctx context.Context) error {
			require.NoError(t, db.Lock(ctx, appointment.Table, a.ID))
			requireCode(t, ask(10*time.Second), "ORDER_EXISTS")
			return nil
		})
	})
}

// A caller who looked while the appointment was being taken back looks again once that is done.
func TestCreateOrder_NoneForAnAppointmentThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		if db.Dialect() != testkit.Postgres {
			t.Skip("SQLite has one writer")
		}
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		answer := make(chan error, 1)
		testkit.Write(t, db, func(ctx context.Context) error {
			require.NoError(t, db.Lock(ctx, appointment.Table, a.ID))
			require.NoError(t, db.Client.Appointment.UpdateOne(a).SetStatus(appointment.StatusCANCELLED_BY_PATIENT).Exec(ctx))
			go func() {
				_, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
				answer <- err
			}()
			return untilSomebodyWaits(t, db)
		})
		requireCode(t, <-answer, "ILLEGAL_STATUS")
	})
}

// untilSomebodyWaits returns once a transaction waits for another's lock.
func untilSomebodyWaits(t *testing.T, db *store.DB) error {
	t.Helper()
	waiting := func() (n int) {
		_ = db.Query(testkit.System(t), "test", waitingForLocks{}, func(row *entsql.Rows) error { return row.Scan(&n) })
		return n
	}
	for deadline := time.After(20 * time.Second); waiting() == 0; {
		select {
		case <-deadline:
			return errors.New("nobody waits")
		default:
		}
	}
	return nil
}

type waitingForLocks struct{}

func (waitingForLocks) Query() (string, []any) {
	return "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", nil
}

// slowProvider makes a page of its own for every call, and lets meanwhile happen before it answers the first one.
type slowProvider struct {
	*provider
	meanwhile func()
}

func (p *slowProvider) CreateCheckout(ctx context.Context, r payment.CheckoutRequest) (payment.Checkout, error) {
	if first := p.meanwhile; first != nil {
		p.meanwhile = nil
		first()
		return payment.Checkout{Ref: "cs_late", URL: "https://pay.test/late"}, nil
	}
	return p.provider.CreateCheckout(ctx, r)
}

func TestCreateOrder_TwinsGetOnePage(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		a, err := c.book(t, c.slotIn(t, 24*time.Hour))
		require.NoError(t, err)
		slow := &slowProvider{provider: c.provider}
		s := newService(db, slow)
		ask := func() (*ent.Order, error) {
			return s.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
		}
		var twin *ent.Order
		slow.meanwhile = func() {
			twin, err = ask()
			requireCode(t, err, "ORDER_EXISTS")
		}
		o, err := ask()
		require.NoError(t, err)
		require.NotEmpty(t, twin.CheckoutURL)
		require.Equal(t, twin.CheckoutURL, o.CheckoutURL)
		require.Equal(t, twin.ProviderRef, o.ProviderRef)
		require.Equal(t, twin.CheckoutURL, c.order(t, o.ID).CheckoutURL)
	})
}
