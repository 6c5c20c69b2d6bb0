package booking_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/audit"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/chat"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/money"
	"github.com/caregraph/caregraph/internal/notify"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/stream"
	"github.com/caregraph/caregraph/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// clinic is a service with one doctor and one patient.
type clinic struct {
	*booking.Service
	db       *store.DB
	clk      *clock.Fake
	provider *provider
	doctor   *ent.Practitioner
	patient  *ent.Patient
}

func newClinic(t *testing.T, db *store.DB, clk *clock.Fake) *clinic {
	t.Helper()
	p := &provider{checkouts: map[uuid.UUID]payment.Checkout{}, refunds: map[uuid.UUID]money.Amount{}}
	return &clinic{
		Service:  newService(db, p),
		db:       db,
		clk:      clk,
		provider: p,
		doctor:   testkit.Practitioner(t, db),
		patient:  testkit.Patient(t, db),
	}
}

func newService(db *store.DB, p payment.Provider) *booking.Service {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	streams := stream.New(db, nil, log)
	return booking.New(booking.Config{
		Streams: streams,
		DB:      db, Notify: notify.New(notify.Config{DB: db, Log: log}), Provider: p, Log: log, PracticeName: "Test Clinic",
		Chat:          chat.New(chat.Config{DB: db, Streams: streams, Audit: audit.New(db, log, audit.Options{}), Log: log}),
		NewPatientFee: money.Amount{Minor: 8000, Currency: "AUD"}, ReturningFee: money.Amount{Minor: 5000, Currency: "AUD"}, BookingsPerHour: 3,
	})
}

// slotIn makes a slot that starts after d.
func (c *clinic) slotIn(t *testing.T, d time.Duration) *ent.Slot {
	t.Helper()
	return testkit.Slot(t, c.db, c.doctor, c.clk.Now().Add(d))
}

// book books as the clinic's patient.
func (c *clinic) book(t *testing.T, s *ent.Slot) (*ent.Appointment, error) {
	t.Helper()
	return c.Book(testkit.As(t, c.patient), booking.BookAppointmentInput{SlotID: s.ID})
}

// ordered books and asks for the payment.
func (c *clinic) ordered(t *testing.T, s *ent.Slot) (*ent.Appointment, *ent.Order) {
	t.Helper()
	a, err := c.book(t, s)
	require.NoError(t, err)
	o, err := c.CreateOrder(testkit.As(t, c.patient), booking.CreateOrderInput{AppointmentID: a.ID})
	require.NoError(t, err)
	return a, o
}

func (c *clinic) appointment(t *testing.T, id uuid.UUID) *ent.Appointment {
	t.Helper()
	a, err := c.db.Client.Appointment.Get(testkit.System(t), id)
	require.NoError(t, err)
	return a
}

func (c *clinic) order(t *testing.T, id uuid.UUID) *ent.Order {
	t.Helper()
	o, err := c.db.Client.Order.Get(testkit.System(t), id)
	require.NoError(t, err)
	return o
}

func paidEvent(id string, o *ent.Order) payment.Event {
	return payment.Event{
		ID: id, Type: payment.CheckoutCompleted, OrderID: o.ID, PaymentRef: "pi_" + o.ID.String(), IsPaid: true,
		Amount: money.Amount{Minor: o.AmountMinor, Currency: o.Currency}, FeeMinor: 170,
	}
}

// provider is a payment provider that remembers what it was asked.
type provider struct {
	sync.Mutex
	checkouts map[uuid.UUID]payment.Checkout
	closed    []string
	refunds   map[uuid.UUID]money.Amount
	known     map[string]payment.Event // what Lookup tells
	mute      string                   // the order about which there is no answer
	failure   error
}

func (*provider) Name() string { return "fake" }

func (p *provider) CreateCheckout(_ context.Context, r payment.CheckoutRequest) (payment.Checkout, error) {
	p.Lock()
	defer p.Unlock()
	if p.failure != nil {
		return payment.Checkout{}, p.failure
	}
	ref := "cs_" + r.OrderID.String()
	p.checkouts[r.OrderID] = payment.Checkout{Ref: ref, URL: "https://pay.test/" + ref}
	return p.checkouts[r.OrderID], nil
}

func (p *provider) ExpireCheckout(_ context.Context, ref string) error {
	p.Lock()
	defer p.Unlock()
	p.closed = append(p.closed, ref)
	return nil
}

func (p *provider) Lookup(_ context.Context, ref string) (payment.Event, bool, error) {
	p.Lock()
	defer p.Unlock()
	e, ok := p.known[ref]
	if ref == p.mute {
		return e, false, errors.New("no answer")
	}
	return e, ok, p.failure
}

func (p *provider) Refund(_ context.Context, r payment.RefundRequest) (string, error) {
	p.Lock()
	defer p.Unlock()
	if p.failure != nil {
		return "", p.failure
	}
	p.refunds[r.RefundID] = r.Amount
	return "re_" + r.RefundID.String(), nil
}

func (*provider) ParseEvent(context.Context, http.Header, []byte) (payment.Event, error) {
	return payment.Event{}, payment.ErrSignature
}

func (p *provider) refundedMinor() (sum int64) {
	p.Lock()
	defer p.Unlock()
	for _, a := range p.refunds {
		sum += a.Minor
	}
	return sum
}

func requireCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	var e *fault.Error
	require.Truef(t, errors.As(err, &e), "want %s, got %v", code, err)
	require.Equal(t, code, e.Code)
}

// atOnce runs fn n times at the same moment and returns the errors.
func atOnce(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = fn(i)
		})
	}
	done.Wait()
	return errs
}

func TestCreateSlot(t *testing.T) {
	t.Parallel()
	minutes := func(m int) *int { return &m }
	zone := "Nowhere/Land"
	cases := []struct {
		name string
		edit func(in *booking.CreateSlotInput)
		code fault.Code
	}{
		{"ShortIs15Minutes", func(in *booking.CreateSlotInput) { in.Type = slot.TypeSHORT }, ""},
		{"LongIs30Minutes", func(*booking.CreateSlotInput) {}, ""},
		{"ShortOf20Minutes", func(in *booking.CreateSlotInput) { in.Type, in.DurationMinutes = slot.TypeSHORT, minutes(20) }, "SLOT_LENGTH"},
		{"EndDisagreesWithType", func(in *booking.CreateSlotInput) { e := in.StartsAt.Add(15 * time.Minute); in.EndsAt = &e }, "SLOT_LENGTH"},
		{"EndBeforeStart", func(in *booking.CreateSlotInput) { e := in.StartsAt.Add(-time.Minute); in.EndsAt = &e }, "SLOT_LENGTH"},
		{"ExtendedWithADoctor", func(in *booking.CreateSlotInput) { in.Type, in.DurationMinutes = slot.TypeEXTENDED, minutes(60) }, "SLOT_LENGTH"},
		{"StartsNow", func(in *booking.CreateSlotInput) { in.StartsAt = testkit.Start }, "SLOT_IN_PAST"},
		{"UnknownZone", func(in *booking.CreateSlotInput) { in.TimeZone = &zone }, "UNKNOWN_TIME_ZONE"},
	}
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		for i, tc := range cases {
			in := booking.CreateSlotInput{StartsAt: clk.Now().Add(time.Duration(i+1) * time.Hour), Type: slot.TypeLONG}
			tc.edit(&in)
			made, err := c.CreateSlot(testkit.As(t, c.doctor), in)
			if tc.code != "" {
				requireCode(t, err, tc.code)
				continue
			}
			require.NoError(t, err, tc.name)
			require.Equal(t, made.StartsAt.Add(time.Duration(made.DurationMinutes)*time.Minute).UTC(), made.EndsAt.UTC(), tc.name)
		}
	})
}

func TestCreateSlot_ExtendedIs45_60Or90MinutesWithAClinician(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		clinician := testkit.Practitioner(t, db, func(p *ent.PractitionerCreate) { p.SetKind("CLINICIAN") })
		for i, minutes := range []int{45, 60, 90, 30, 75} {
			_, err := c.CreateSlot(testkit.As(t, clinician), booking.CreateSlotInput{
				StartsAt: clk.Now().Add(time.Duration(i+1) * 3 * time.Hour), Type: slot.TypeEXTENDED, DurationMinutes: &minutes,
			})
			if minutes == 45 || minutes == 60 || minutes == 90 {
				require.NoError(t, err)
			} else {
				requireCode(t, err, "SLOT_LENGTH")
			}
		}
	})
}

func TestCreateSlot_WhoseCalendar(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		other := testkit.Practitioner(t, db)
		in := func(hours int) booking.CreateSlotInput {
			return booking.CreateSlotInput{PractitionerID: &other.ID, StartsAt: clk.Now().Add(time.Duration(hours) * time.Hour), Type: slot.TypeLONG}
		}
		_, err := c.CreateSlot(testkit.As(t, c.doctor), in(1))
		requireCode(t, err, fault.CodeForbidden)
		_, _, err = c.CreateSlots(testkit.As(t, c.doctor), booking.CreateSlotsInput{PractitionerID: &other.ID})
		requireCode(t, err, fault.CodeForbidden)
		for i, role := range []access.Role{access.Scheduler, access.Admin} {
			_, err := c.CreateSlot(testkit.As(t, testkit.User(t, db, role)), in(i+2))
			require.NoError(t, err, role)
		}
		_, err = c.CreateSlot(testkit.As(t, testkit.User(t, db, access.Scheduler)), booking.CreateSlotInput{StartsAt: clk.Now().Add(time.Hour), Type: slot.TypeLONG})
		requireCode(t, err, fault.CodeInvalidInput)
	})
}

func TestCreateSlot_OverlapIsRefusedByTheStore(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		base := clk.Now().Add(24 * time.Hour)
		errs := atOnce(40, func(i int) error { // starts 0 to 29 minutes apart: all meet each other
			_, err := c.CreateSlot(testkit.As(t, c.doctor), booking.CreateSlotInput{StartsAt: base.Add(time.Duration(i%30) * time.Minute), Type: slot.TypeLONG})
			return err
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				requireCode(t, err, "SLOT_OVERLAP")
			}
		}
		require.Equal(t, 1, won)
		kept, err := db.Client.Slot.Query().Only(testkit.System(t))
		require.NoError(t, err)
		for _, touching := range []time.Time{kept.EndsAt, kept.StartsAt.Add(-30 * time.Minute)} { // half-open: neighbours do not overlap
			_, err := c.CreateSlot(testkit.As(t, c.doctor), booking.CreateSlotInput{StartsAt: touching, Type: slot.TypeLONG})
			require.NoError(t, err)
		}
	})
}

func TestCreateSlots_TellsCreatedAndSkipped(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) { // Start is 10:00 on Wednesday 15 January in Brisbane
		c := newClinic(t, db, clk)
		testkit.Slot(t, db, c.doctor, clk.Now().Add(65*time.Minute)) // 11:05 to 11:35
		key := "week"
		in := booking.CreateSlotsInput{
			StartDate: date(t, "2025-01-15"), EndDate: date(t, "2025-01-16"), StartTime: local(t, "09:00"), EndTime: local(t, "12:00"),
			Type: slot.TypeLONG, IdempotencyKey: &key,
		}
		created, skipped, err := c.CreateSlots(testkit.As(t, c.doctor), in)
		require.NoError(t, err)
		require.Len(t, created, 1+6, "10:30 today, six tomorrow")
		reasons := map[fault.Code]int{}
		for _, s := range skipped {
			reasons[s.Reason]++
		}
		require.Equal(t, map[fault.Code]int{"SLOT_IN_PAST": 3, "SLOT_OVERLAP": 2}, reasons)
		again, _, err := c.CreateSlots(testkit.As(t, c.doctor), in)
		require.NoError(t, err)
		require.Equal(t, len(created), len(again), "the key gives the first result")
		in.IdempotencyKey = nil
		third, _, err := c.CreateSlots(testkit.As(t, c.doctor), in)
		require.NoError(t, err)
		require.Empty(t, third)
	})
}

func TestCreateSlots_AtMost2000(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		in := booking.CreateSlotsInput{
			StartDate: date(t, "2025-02-01"), EndDate: date(t, "2025-05-11"), // 100 days of 20 slots
			StartTime: local(t, "09:00"), EndTime: local(t, "14:00"), Type: slot.TypeSHORT,
		}
		created, _, err := c.CreateSlots(testkit.As(t, c.doctor), in)
		require.NoError(t, err)
		require.Len(t, created, 2000)
		in.EndDate = date(t, "2025-05-12")
		_, _, err = c.CreateSlots(testkit.As(t, c.doctor), in)
		requireCode(t, err, fault.CodeInvalidInput)
	})
}

func TestSlots_OfWhoHasLeftAreNotFree(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		c := newClinic(t, db, clk)
		c.slotIn(t, time.Hour)
		testkit.Write(t, db, func(ctx context.Context) error {
			return db.Client.Practitioner.UpdateOne(c.doctor).SetIsActive(false).Exec(ctx)
		})
		yes := true
		n, err := c.Slots(&yes).Count(testkit.As(t, c.patient))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}
