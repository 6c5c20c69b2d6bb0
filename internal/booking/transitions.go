package booking

import (
	"slices"
	"time"

	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
	"github.com/caregraph/caregraph/internal/fault"
)

// Action is something that happens to a visit.
type Action string

// The actions.
const (
	ActBook       Action = "book"
	ActPay        Action = "pay" // a payment has come in, whenever it was made
	ActExpire     Action = "expire"
	ActCancel     Action = "cancel"
	ActReschedule Action = "reschedule" // the visit at the other time begins as BOOKED
	ActComplete   Action = "complete"
	ActMarkNoShow Action = "mark as no-show"
	ActUpdate     Action = "update"
	ActAnswer     Action = "answer the questionnaire"
	ActDelete     Action = "delete"
)

// Actor is as who somebody acts on a visit.
type Actor string

// The actors.
const (
	ByPatient      Actor = "its patient"
	ByPractitioner Actor = "its practitioner"
	ByScheduler    Actor = "a scheduler"
	ByAdmin        Actor = "an administrator"
	BySystem       Actor = "the system"
)

// Condition is what else must hold.
type Condition string

// The conditions. Instants are exact: 60 minutes before the start a patient still may, at the start the visit has begun.
const (
	Always      Condition = "always"
	InTime      Condition = "until 60 minutes before the start"
	TimeToPay   Condition = "until the time to pay is over"
	TimeIsOver  Condition = "once the time to pay is over"
	BeforeStart Condition = "before the start"
	Started     Condition = "from the start on"
	IsFree      Condition = "before the start, while slot and patient are free"
	IsNotFree   Condition = "else"
)

// Effect is what becomes of the visit's orders.
type Effect string

// The effects. An order's own steps are in orderSteps.
const (
	NoEffect     Effect = "none"
	TakesMoney   Effect = "the order is PAID, others are closed"
	ClosesOrders Effect = "open orders are EXPIRED"
	PaysBack     Effect = "all that was paid goes back"
	EndsOrders   Effect = "a PAID order is COMPLETED"
	MovesOrders  Effect = "all orders go along"
)

// Transition is one line of the table: who may do what with a visit of a status, and what comes of it.
type Transition struct {
	From   appointment.Status // "" is before the booking
	Action Action
	By     Actor
	When   Condition
	To     appointment.Status // the same as From where the status stays
	Orders Effect
}

// Facts are what conditions look at.
type Facts struct {
	Now, StartsAt, ExpiresAt time.Time
	IsFree                   bool // the slot can be booked, and the patient has nothing else then
}

const cancelBefore = 60 * time.Minute

func (c Condition) holds(f Facts) bool {
	switch c {
	case InTime:
		return !f.Now.After(f.StartsAt.Add(-cancelBefore))
	case TimeToPay:
		return f.Now.Before(f.ExpiresAt)
	case TimeIsOver:
		return !f.Now.Before(f.ExpiresAt)
	case BeforeStart:
		return f.Now.Before(f.StartsAt)
	case Started:
		return !f.Now.Before(f.StartsAt)
	case IsFree:
		return f.IsFree && f.Now.Before(f.StartsAt)
	case IsNotFree:
		return !IsFree.holds(f)
	default:
		return true
	}
}

// refusal is what is said when the condition does not hold.
func (c Condition) refusal() *fault.Error {
	switch c {
	case InTime:
		return ErrTooLateToCancel
	case Started:
		return ErrTooEarly
	case BeforeStart:
		return ErrIllegalStatus.Says("The visit has begun.")
	case IsFree:
		return ErrSlotTaken
	default:
		return ErrIllegalStatus
	}
}

// Next finds what an action leads to. Of several actors, as for a practitioner who is an administrator too, the first who may decides.
// Errors: ILLEGAL_STATUS when the status allows it to nobody, FORBIDDEN when it allows it to others, and the condition's.
func Next(status appointment.Status, action Action, actors []Actor, f Facts) (Transition, error) {
	refusal := ErrIllegalStatus
	if slices.ContainsFunc(Transitions, func(t Transition) bool { return t.From == status && t.Action == action }) {
		refusal = fault.ErrForbidden
	}
	for _, actor := range actors {
		for _, t := range Transitions {
			if t.From != status || t.Action != action || t.By != actor {
				continue
			}
			if t.When.holds(f) {
				return t, nil
			}
			refusal = t.When.refusal()
		}
	}
	return Transition{}, refusal
}

// mayBecome tells whether the table has a way from one status to another.
func mayBecome(from, to appointment.Status) bool {
	return from != to && slices.ContainsFunc(Transitions, func(t Transition) bool { return t.From == from && t.To == to })
}

// Kept is an order as the invariants look at it.
type Kept struct {
	Status    order.Status
	KeptMinor int64 // what was taken, less what has gone back or is on its way back
}

// Illegal tells what is wrong with a visit and its orders at the end of a transaction; "" when nothing is.
func Illegal(status appointment.Status, orders []Kept) string {
	live, isDue := 0, status == appointment.StatusBOOKED || status == appointment.StatusCOMPLETED || status == appointment.StatusNO_SHOW
	for _, o := range orders {
		isLive := o.Status == order.StatusPENDING || o.Status == order.StatusPAID || o.Status == order.StatusCOMPLETED
		if isLive {
			live++
		}
		switch {
		case status == appointment.StatusRESCHEDULED:
			return "an order stayed behind with a visit that was moved"
		case o.KeptMinor > 0 && !isDue:
			return "money is kept without a booking"
		case o.KeptMinor > 0 && !isLive:
			return "money is kept by an order that is over"
		case o.Status == order.StatusPENDING && status != appointment.StatusPENDING:
			return "an order waits for the payment of a visit that does not"
		case o.Status == order.StatusPAID && o.KeptMinor > 0 && (status == appointment.StatusCOMPLETED || status == appointment.StatusNO_SHOW):
			return "the order of a visit that is over is not completed"
		}
	}
	if live > 1 {
		return "two orders are live"
	}
	if isDue && len(orders) == 0 {
		return "a visit is booked without an order"
	}
	return ""
}
