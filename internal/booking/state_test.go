package booking

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
)

// The exploration walks every way through the two tables: what people, jobs and a payment provider may do to one visit, in any order, with late, lost
// and repeated events. The model knows nothing but the tables: what a line does to the orders is its Effect.

const (
	modelOrders = 2
	modelMoves  = 2
)

// modelOrder is an order, and what its provider knows.
type modelOrder struct {
	status   order.Status
	isTaken  bool // the provider has taken the money, told or not
	isHeard  bool // and the event has had its effect
	isRefund bool // money is on its way back, or has gone back
	isBack   bool // it has gone back
}

// model is a visit, and whether somebody else has the slot.
type model struct {
	status  appointment.Status
	deleted bool
	moves   int
	phase   int
	rival   bool
	orders  [modelOrders]modelOrder
}

var (
	modelBooked = time.Date(2025, 1, 15, 0, 0, 0, 0, time.UTC)
	modelStart  = modelBooked.Add(10 * time.Hour)
	modelExpiry = modelBooked.Add(15 * time.Minute)
	// phases are the instants at which conditions change, just before and exactly.
	phases = []time.Time{
		modelBooked, modelExpiry.Add(-time.Microsecond), modelExpiry, modelStart.Add(-cancelBefore), modelStart.Add(-cancelBefore + time.Microsecond),
		modelStart.Add(-time.Microsecond), modelStart,
	}
	actors = []Actor{ByPatient, ByPractitioner, ByScheduler, ByAdmin}
)

func (m model) now() time.Time { return phases[m.phase] }

func (m model) isLive() bool {
	for _, s := range liveStatuses {
		if m.status == s {
			return true
		}
	}
	return false
}

// seen is the status as of now, written or not.
func (m model) seen() appointment.Status {
	if m.status == pending && !m.now().Before(modelExpiry) {
		return lapsed
	}
	return m.status
}

func (m model) facts() Facts {
	return Facts{Now: m.now(), StartsAt: modelStart, ExpiresAt: modelExpiry, IsFree: !m.rival}
}

// step moves an order, as orderStep does.
func (o *modelOrder) step(to order.Status) {
	if orderMayBecome(o.status, to) {
		o.status = to
	}
}

// back sends what an order holds back.
func (o *modelOrder) back() { o.isRefund = o.isRefund || o.isHeard }

// after has a line of the table, and its effect, happen; who is the order that a payment is about.
func (m model) after(t Transition, who int) model {
	m.status = t.To
	for i := range m.orders {
		o := &m.orders[i]
		switch t.Orders {
		case ClosesOrders:
			if o.status == order.StatusPENDING {
				o.step(order.StatusEXPIRED)
			}
		case PaysBack:
			if t.Action != ActPay || i == who {
				o.back()
			}
			if o.status == order.StatusPENDING {
				o.step(order.StatusEXPIRED)
			}
		case EndsOrders:
			o.step(order.StatusCOMPLETED)
		}
	}
	return m
}

// pay applies the event of a payment, as Service.paid does.
func (m model) pay(i int) model {
	o := &m.orders[i]
	if !o.isTaken || o.isHeard || !orderMayBecome(o.status, order.StatusPAID) {
		return m // repeated, or not true
	}
	o.isHeard = true
	for j := range m.orders {
		if other := &m.orders[j]; j != i {
			if other.status == order.StatusPENDING {
				other.step(order.StatusEXPIRED)
			}
			if other.status == order.StatusPAID || other.status == order.StatusCOMPLETED { // paid twice
				o.step(order.StatusREFUNDED)
				o.back()
				return m
			}
		}
	}
	o.step(order.StatusPAID)
	t, err := Next(m.status, ActPay, []Actor{BySystem}, m.facts())
	if err != nil {
		panic(fmt.Sprintf("a payment without a line in the table: %+v", m))
	}
	return m.after(t, i)
}

// ways lists what can happen next, by name.
func (m model) ways() map[string]model {
	next := map[string]model{}
	if m.deleted {
		return next
	}
	if m.phase+1 < len(phases) {
		later := m
		later.phase++
		next["time passes"] = later
	}
	if !m.isLive() && !m.rival {
		taken := m
		taken.rival = true
		next["somebody takes the slot"] = taken
	}
	if t, err := Next(m.status, ActExpire, []Actor{BySystem}, m.facts()); err == nil {
		next["the job expires it"] = m.after(t, -1)
	}
	m.actions(next)
	m.payments(next)
	return next
}

// actions adds what people do.
func (m model) actions(next map[string]model) {
	for _, action := range []Action{ActBook, ActCancel, ActReschedule, ActComplete, ActMarkNoShow, ActDelete} {
		for _, actor := range actors {
			t, err := Next(m.seen(), action, []Actor{actor}, m.facts())
			if err != nil || action == ActReschedule && m.moves == modelMoves {
				continue
			}
			after := m.after(t, -1)
			switch action {
			case ActReschedule: // what is told from here on is the new visit's, at a slot that is free
				after.status, after.rival = booked, false
				after.moves++
			case ActDelete:
				after.deleted, after.status = true, m.seen()
				for i := range after.orders {
					if after.status == lapsed && after.orders[i].status == order.StatusPENDING {
						after.orders[i].step(order.StatusEXPIRED)
					}
				}
			}
			next[fmt.Sprint(action, " by ", actor)] = after
		}
	}
}

// payments adds what happens to orders.
func (m model) payments(next map[string]model) {
	for i := range m.orders {
		name := func(what string) string { return fmt.Sprint(what, " ", i) }
		if m.orders[i] == (modelOrder{}) && m.seen() == pending && !m.hasLiveOrder() {
			asked := m
			asked.orders[i].status = order.StatusPENDING
			next[name("asks for order")] = asked
		}
		if m.orders[i].status == "" {
			continue
		}
		if !m.orders[i].isTaken { // a page may take money after its order is closed
			paid := m
			paid.orders[i].isTaken = true
			next[name("the provider takes")] = paid
		}
		if m.orders[i].status == order.StatusPENDING && !m.orders[i].isTaken {
			declined := m
			declined.orders[i].step(order.StatusFAILED)
			next[name("is declined")] = declined
		}
		next[name("webhook")] = m.pay(i)
		if o := m.orders[i]; o.isHeard && !o.isRefund && (o.status == order.StatusPAID || o.status == order.StatusCOMPLETED) {
			byHand := m
			byHand.orders[i].back()
			next[name("a biller refunds")] = byHand
		}
		if o := m.orders[i]; o.isRefund && !o.isBack {
			settled := m
			settled.orders[i].isBack = true
			settled.orders[i].step(order.StatusREFUNDED)
			next[name("the refund succeeds")] = settled
		}
	}
}

// hasLiveOrder is what the index orders_live_appointment sees.
func (m model) hasLiveOrder() bool {
	for _, o := range m.orders {
		if o.status == order.StatusPENDING || o.status == order.StatusPAID || o.status == order.StatusCOMPLETED {
			return true
		}
	}
	return false
}

// wrong tells what is not legal about a state.
func (m model) wrong() string {
	if m.rival && m.isLive() && m.status != notThere {
		return "two hold the slot"
	}
	var orders []Kept
	for _, o := range m.orders {
		if o.status == "" {
			continue
		}
		kept := Kept{Status: o.status}
		if o.isHeard && !o.isRefund {
			kept.KeptMinor = 1
		}
		if o.isBack && o.status != order.StatusREFUNDED {
			return "an order that was paid back does not say so"
		}
		orders = append(orders, kept)
	}
	return Illegal(m.status, orders)
}

// isOver tells that nothing is open: the visit has ended, and every payment has had its effect.
func (m model) isOver() bool {
	for _, o := range m.orders {
		if o.status == order.StatusPENDING || o.isTaken && !o.isHeard || o.isRefund && !o.isBack {
			return false
		}
	}
	return m.status != pending && m.status != booked
}

// Every state that can be reached is legal, and from each there is a way to an end where nothing is open.
func TestStates_EveryReachableStateIsLegalAndHasAWayOut(t *testing.T) {
	t.Parallel()
	start := model{status: notThere}
	from, before := map[model]string{start: "nothing"}, map[model][]model{}
	queue, ends := []model{start}, []model{}
	for len(queue) > 0 {
		m := queue[0]
		queue = queue[1:]
		if what := m.wrong(); what != "" {
			t.Fatalf("%s: %+v after %s", what, m, from[m])
		}
		if m.isOver() {
			ends = append(ends, m)
		}
		for name, after := range m.ways() {
			before[after] = append(before[after], m)
			if _, isKnown := from[after]; !isKnown {
				from[after] = from[m] + ", " + name
				queue = append(queue, after)
			}
		}
	}
	reaches := map[model]bool{}
	for len(ends) > 0 {
		m := ends[0]
		ends = ends[1:]
		if reaches[m] {
			continue
		}
		reaches[m] = true
		ends = append(ends, before[m]...)
	}
	statuses := map[appointment.Status]bool{}
	for m, story := range from {
		statuses[m.status] = true
		if m.deleted && !m.isOver() { // what is hidden goes on: its events are heard all the same
			continue
		}
		require.True(t, reaches[m], "no way out of %+v after %s", m, story)
	}
	t.Logf("%d states", len(from))
	require.Greater(t, len(from), 1000)
	for _, line := range Transitions { // a moved visit goes on as the next one
		require.True(t, statuses[line.To] || line.To == moved, "%s is never reached", line.To)
	}
}

// Each line of the table is one that some state takes, and no two lines say different things of the same.
func TestStates_TheTableIsExact(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, line := range Transitions {
		key := fmt.Sprint(line.From, line.Action, line.By, line.When)
		require.False(t, seen[key], "%+v stands twice", line)
		seen[key] = true
		for _, phase := range phases {
			for _, isFree := range []bool{true, false} {
				f := Facts{Now: phase, StartsAt: modelStart, ExpiresAt: modelExpiry, IsFree: isFree}
				got, err := Next(line.From, line.Action, []Actor{line.By}, f)
				if line.When.holds(f) {
					require.NoError(t, err)
					require.Equal(t, line, got, "two lines hold at once")
				}
			}
		}
	}
}

// The boundaries are exact.
func TestStates_Boundaries(t *testing.T) {
	t.Parallel()
	at := func(now time.Time) Facts { return Facts{Now: now, StartsAt: modelStart, ExpiresAt: modelExpiry} }
	for _, tc := range []struct {
		condition Condition
		last      time.Time // the last instant at which it holds, or
		first     time.Time // the first
	}{
		{condition: InTime, last: modelStart.Add(-60 * time.Minute)},
		{condition: TimeToPay, last: modelExpiry.Add(-time.Microsecond)},
		{condition: TimeIsOver, first: modelExpiry},
		{condition: BeforeStart, last: modelStart.Add(-time.Microsecond)},
		{condition: Started, first: modelStart},
	} {
		if tc.last.IsZero() {
			require.True(t, tc.condition.holds(at(tc.first)), tc.condition)
			require.False(t, tc.condition.holds(at(tc.first.Add(-time.Microsecond))), tc.condition)
			continue
		}
		require.True(t, tc.condition.holds(at(tc.last)), tc.condition)
		require.False(t, tc.condition.holds(at(tc.last.Add(time.Microsecond))), tc.condition)
	}
}
