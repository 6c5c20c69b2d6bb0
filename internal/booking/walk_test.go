package booking_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/ent/refund"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/booking"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/payment"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

const (
	manyWalks = 500
	someWalks = 10
)

// walk is one random way through the life of bookings: two slots, two patients, staff, and a provider whose events are late, lost, repeated and out of order.
type walk struct {
	*clinic
	t        *testing.T
	dice     *rand.Rand
	bank     *bank
	slots    []*ent.Slot
	patients []*ent.Patient
	biller   *ent.User
	planner  *ent.User
	told     []payment.Event // everything the provider ever wanted to tell
	log      []string
}

// actions are what can happen. An action that is refused changes nothing; only unknown errors fail a walk.
var actions = []struct {
	name   string
	weight int
	do     func(w *walk) error
}{
	{"book", 4, func(w *walk) error {
		_, err := w.Book(testkit.As(w.t, w.pick()), booking.BookAppointmentInput{SlotID: w.slots[w.dice.IntN(2)].ID})
		return err
	}},
	{"phone", 2, func(w *walk) error {
		_, err := w.Book(testkit.As(w.t, w.planner), booking.BookAppointmentInput{SlotID: w.slots[w.dice.IntN(2)].ID, PatientID: &w.pick().ID})
		return err
	}},
	{"ask", 5, func(w *walk) error {
		a := w.visit()
		if a == nil {
			return nil
		}
		_, err := w.CreateOrder(testkit.As(w.t, w.planner), booking.CreateOrderInput{AppointmentID: a.ID})
		return err
	}},
	{"pay", 6, func(w *walk) error {
		if o := w.order(); o != nil {
			w.tell(w.bank.pay(o, w.dice.IntN(3) == 0))
		}
		return nil
	}},
	{"decline", 2, func(w *walk) error {
		if o := w.order(); o != nil {
			w.tell(payment.Event{ID: fmt.Sprint("no_", o.ID, len(w.told)), Type: payment.PaymentFailed, OrderID: o.ID})
		}
		return nil
	}},
	{"webhook", 6, func(w *walk) error {
		if len(w.told) == 0 {
			return nil
		}
		return w.HandleEvent(w.t.Context(), w.told[w.dice.IntN(len(w.told))]) // late, repeated, out of order, or never
	}},
	{"desk", 2, func(w *walk) error {
		if o := w.order(); o != nil {
			_, _, err := w.RecordPayment(testkit.As(w.t, w.biller), atDesk(o))
			return err
		}
		return nil
	}},
	{"refund", 2, func(w *walk) error {
		if o := w.order(); o != nil {
			_, _, err := w.RefundOrder(testkit.As(w.t, w.biller), back(o, []string{"", "10.00", "70.00"}[w.dice.IntN(3)]))
			return err
		}
		return nil
	}},
	{"refund at the provider", 1, func(w *walk) error {
		if o := w.order(); o != nil {
			if e, ok := w.bank.payBack(o, 500); ok {
				w.tell(e)
			}
		}
		return nil
	}},
	{"cancel", 3, func(w *walk) error {
		a := w.visit()
		if a == nil {
			return nil
		}
		release := true // the walk's slots are to be booked again
		_, err := w.Cancel(w.somebody(a), booking.CancelAppointmentInput{AppointmentID: a.ID, ReleaseSlot: &release})
		return err
	}},
	{"reschedule", 3, func(w *walk) error {
		a := w.visit()
		if a == nil {
			return nil
		}
		_, err := w.Reschedule(w.somebody(a), booking.RescheduleAppointmentInput{AppointmentID: a.ID, NewSlotID: w.slots[w.dice.IntN(2)].ID})
		return err
	}},
	{"finish", 1, func(w *walk) error {
		a := w.visit()
		if a == nil {
			return nil
		}
		_, err := w.Complete(testkit.As(w.t, w.doctor), booking.CompleteAppointmentInput{AppointmentID: a.ID})
		return err
	}},
	{"outage", 1, func(w *walk) error { w.bank.away = !w.bank.away; return nil }},
	{"time", 4, func(w *walk) error {
		w.clk.Advance([]time.Duration{time.Minute, 6 * time.Minute, 20 * time.Minute}[w.dice.IntN(3)])
		return nil
	}},
	{"jobs", 3, func(w *walk) error { w.jobs(); return nil }},
}

// jobs runs every job once; what the provider does not answer now, a later run asks again.
func (w *walk) jobs() {
	for _, job := range []func() (int, error){
		func() (int, error) { return w.ExpireDue(w.t.Context()) }, func() (int, error) { return w.WarnDue(w.t.Context()) },
		func() (int, error) { return w.RemindDue(w.t.Context()) }, func() (int, error) { return w.RetryRefunds(w.t.Context()) },
		func() (int, error) { return w.Reconcile(w.t.Context()) },
	} {
		if _, err := job(); !w.bank.away {
			require.NoError(w.t, err, w.story())
		}
	}
}

func (w *walk) tell(e payment.Event) {
	if e.ID == "" {
		return
	}
	w.told = append(w.told, e)
	if w.dice.IntN(2) == 0 {
		require.NoError(w.t, w.HandleEvent(w.t.Context(), e), w.story())
	}
}

func (w *walk) pick() *ent.Patient { return w.patients[w.dice.IntN(len(w.patients))] }

// somebody is the patient of the visit, its practitioner or a planner.
func (w *walk) somebody(a *ent.Appointment) context.Context {
	switch w.dice.IntN(3) {
	case 0:
		return testkit.As(w.t, w.doctor)
	case 1:
		return testkit.As(w.t, w.planner)
	default:
		p, err := w.db.Client.Patient.Get(testkit.System(w.t), a.PatientID)
		require.NoError(w.t, err)
		return testkit.As(w.t, p)
	}
}

// visits are the appointments of this walk.
func (w *walk) visits() []*ent.Appointment {
	all, err := w.db.Client.Appointment.Query().Where(appointment.SlotIDIn(w.slots[0].ID, w.slots[1].ID)).Order(appointment.ByID()).All(testkit.System(w.t))
	require.NoError(w.t, err)
	return all
}

func (w *walk) visit() *ent.Appointment {
	all := w.visits()
	if len(all) == 0 {
		return nil
	}
	return all[w.dice.IntN(len(all))]
}

func (w *walk) orders() (all []*ent.Order) {
	for _, a := range w.visits() {
		list, err := w.db.Client.Order.Query().Where(order.AppointmentID(a.ID)).Order(order.ByID()).All(testkit.System(w.t))
		require.NoError(w.t, err)
		all = append(all, list...)
	}
	return all
}

func (w *walk) order() *ent.Order {
	all := w.orders()
	if len(all) == 0 {
		return nil
	}
	return all[w.dice.IntN(len(all))]
}

// story is what has happened, for a failure.
func (w *walk) story() string { return strings.Join(w.log, " > ") }

// step does one thing by chance.
func (w *walk) step() {
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	at := w.dice.IntN(total)
	for _, a := range actions {
		if at -= a.weight; at >= 0 {
			continue
		}
		err := a.do(w)
		w.log = append(w.log, a.name)
		var known *fault.Error
		if err != nil && !errors.As(err, &known) {
			require.NoError(w.t, err, w.story())
		}
		return
	}
}

// settle lets everything come to its end: the provider is back, and the jobs run until nothing is due; who hands money out at the desk has done so.
func (w *walk) settle() {
	w.bank.away = false
	for _, e := range w.bank.backs(w.orders()) { // nobody can be asked about these: a provider tells again until it is heard
		require.NoError(w.t, w.HandleEvent(w.t.Context(), e), w.story())
	}
	for range 2 {
		w.clk.Advance(16 * time.Minute)
		w.jobs()
	}
	w.clk.Advance(25 * time.Hour)                              // also what staff booked runs out, and every refund is due
	for n := 0; n < 2 || n < 12 && w.isRefundUnderWay(); n++ { // each round is one more try
		for _, e := range w.told { // once more, after everything, and after the visits
			require.NoError(w.t, w.HandleEvent(w.t.Context(), e), w.story())
		}
		w.jobs()
		w.clk.Advance(5 * time.Hour)
	}
	for _, r := range w.refunds() {
		if r.Status != refund.StatusSUCCEEDED {
			_, _, err := w.SettleRefund(testkit.As(w.t, w.biller), booking.SettleRefundInput{RefundID: r.ID, Reference: "by hand", IdempotencyKey: newKey()})
			if errors.Is(err, booking.ErrRefundTooLarge) { // a part of what it was for went back at the provider: what is left is paid back instead
				if !w.isAllBack(r) {
					_, _, err = w.RefundOrder(testkit.As(w.t, w.biller), back(w.clinic.order(w.t, r.OrderID), ""))
					require.NoError(w.t, err, w.story())
					w.jobs()
				}
				continue
			}
			require.NoError(w.t, err, "%s %s: a refund without a way out: %s", r.Status, r.Reason, w.story())
		}
	}
}

func (w *walk) isRefundUnderWay() bool {
	return slices.ContainsFunc(w.refunds(), func(r *ent.Refund) bool { return r.Status == refund.StatusPROCESSING })
}

// isAllBack tells whether nothing is left of what was paid for the refund's order.
func (w *walk) isAllBack(r *ent.Refund) bool {
	o := w.db.Client.Order.GetX(testkit.System(w.t), r.OrderID)
	return o.RefundedMinor == booking.TakenMinor(o)
}

func (w *walk) refunds() (all []*ent.Refund) {
	for _, o := range w.orders() {
		list, err := w.db.Client.Refund.Query().Where(refund.OrderID(o.ID)).All(testkit.System(w.t))
		require.NoError(w.t, err)
		all = append(all, list...)
	}
	return all
}

// judge checks where the walk has ended.
func (w *walk) judge() {
	t, holders := w.t, map[string]int{}
	states := map[string]*ent.Appointment{}
	for _, a := range w.visits() {
		states[a.ID.String()] = a
		require.NotEqual(t, appointment.StatusPENDING, a.Status, "waits for ever: %s", w.story())
		if isLive(a) {
			holders[a.SlotID.String()]++
		}
	}
	for _, a := range states {
		w.legal(t, a.ID)
	}
	for _, n := range holders {
		require.Equal(t, 1, n, w.story())
	}
	kept := int64(0)
	for _, o := range w.orders() {
		require.NotEqual(t, order.StatusPENDING, o.Status, "waits for ever: %s", w.story())
		require.LessOrEqual(t, o.RefundedMinor, o.AmountMinor, w.story())
		stays := booking.TakenMinor(o) - o.RefundedMinor
		if stays > 0 {
			require.True(t, isLive(states[o.AppointmentID.String()]), "money without a booking: %s", w.story())
			require.Contains(t, []order.Status{order.StatusPAID, order.StatusCOMPLETED}, o.Status, w.story())
		}
		if o.Method != nil && *o.Method == order.MethodONLINE {
			kept += stays
		}
	}
	for _, r := range w.refunds() {
		require.True(t, r.Status == refund.StatusSUCCEEDED || r.Status == refund.StatusFAILED && w.isAllBack(r), w.story())
	}
	require.Equal(t, w.bank.kept(w.orders()), kept, "the provider's books: %s", w.story())
}

func isLive(a *ent.Appointment) bool {
	switch a.Status {
	case appointment.StatusBOOKED, appointment.StatusCOMPLETED, appointment.StatusNO_SHOW:
		return true
	default:
		return false
	}
}

// However bookings, payments, outages and time mix, everything ends well: no money without a booking, no slot held by the dead, nothing without a way out.
func TestRandomWalks(t *testing.T) {
	t.Parallel()
	walks := someWalks
	if os.Getenv("CAREGRAPH_LONG") == "1" {
		walks = manyWalks
	}
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		b := newBank()
		c := newClinic(t, db, clk)
		c.Service = newService(db, b)
		biller, planner := testkit.User(t, db, access.Biller), testkit.User(t, db, access.Scheduler)
		for seed := range walks {
			start := clk.Now().Add(30 * time.Hour)
			w := &walk{clinic: c, t: t, dice: rand.New(rand.NewPCG(uint64(seed), 7)), bank: b, biller: biller, planner: planner,
				slots:    []*ent.Slot{testkit.Slot(t, db, c.doctor, start), testkit.Slot(t, db, c.doctor, start.Add(time.Hour))},
				patients: []*ent.Patient{testkit.Patient(t, db), testkit.Patient(t, db)}, log: []string{fmt.Sprint("seed ", seed)}}
			for range 6 + w.dice.IntN(14) {
				w.step()
			}
			w.settle()
			w.judge()
			clk.Advance(24 * time.Hour)
		}
	})
}
