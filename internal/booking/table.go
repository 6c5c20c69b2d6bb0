package booking

import (
	"slices"

	"github.com/caregraph/caregraph/ent/appointment"
)

// Short names of the statuses, for the table.
const (
	pending   = appointment.StatusPENDING
	booked    = appointment.StatusBOOKED
	completed = appointment.StatusCOMPLETED
	noShow    = appointment.StatusNO_SHOW
	lapsed    = appointment.StatusPAYMENT_EXPIRED
	byPatient = appointment.StatusCANCELLED_BY_PATIENT
	byDoctor  = appointment.StatusCANCELLED_BY_DOCTOR
	byAdmin   = appointment.StatusCANCELLED_BY_ADMIN
	moved     = appointment.StatusRESCHEDULED
	notThere  = appointment.Status("")
)

// Transitions is the table of everything that may become of a visit. What is not here is refused. docs/booking.md shows it.
var Transitions = slices.Concat(
	[]Transition{
		{notThere, ActBook, ByPatient, IsFree, pending, NoEffect},
		{notThere, ActBook, ByScheduler, IsFree, pending, NoEffect},
		{notThere, ActBook, ByAdmin, IsFree, pending, NoEffect},

		{pending, ActPay, BySystem, BeforeStart, booked, TakesMoney},
		{pending, ActPay, BySystem, Started, lapsed, PaysBack},
		{pending, ActExpire, BySystem, TimeIsOver, lapsed, ClosesOrders},
		{pending, ActCancel, ByPatient, TimeToPay, byPatient, ClosesOrders},
		{pending, ActCancel, ByPractitioner, TimeToPay, byDoctor, ClosesOrders},
		{pending, ActCancel, ByScheduler, TimeToPay, byAdmin, ClosesOrders},
		{pending, ActCancel, ByAdmin, TimeToPay, byAdmin, ClosesOrders},

		{booked, ActPay, BySystem, Always, booked, PaysBack}, // a second payment
		{booked, ActCancel, ByPatient, InTime, byPatient, PaysBack},
		{booked, ActCancel, ByPractitioner, Always, byDoctor, PaysBack},
		{booked, ActCancel, ByScheduler, Always, byAdmin, PaysBack},
		{booked, ActCancel, ByAdmin, Always, byAdmin, PaysBack},
		{booked, ActReschedule, ByPatient, InTime, moved, MovesOrders},
		{booked, ActReschedule, ByPractitioner, Always, moved, MovesOrders},
		{booked, ActReschedule, ByScheduler, Always, moved, MovesOrders},
		{booked, ActReschedule, ByAdmin, Always, moved, MovesOrders},
		{booked, ActComplete, ByPractitioner, Started, completed, EndsOrders},
		{booked, ActComplete, ByAdmin, Started, completed, EndsOrders},
		{booked, ActMarkNoShow, ByPractitioner, Started, noShow, EndsOrders},
		{booked, ActMarkNoShow, ByAdmin, Started, noShow, EndsOrders},

		{lapsed, ActPay, BySystem, IsFree, booked, TakesMoney}, // the payment was on its way
		{lapsed, ActPay, BySystem, IsNotFree, lapsed, PaysBack},
	},
	stays(ActPay, BySystem, Always, PaysBack, byPatient, byDoctor, byAdmin, completed, noShow),
	stays(ActUpdate, ByPatient, BeforeStart, NoEffect, pending, booked),
	stays(ActUpdate, ByPractitioner, Always, NoEffect, pending, booked, completed, noShow),
	stays(ActUpdate, ByAdmin, Always, NoEffect, pending, booked, completed, noShow),
	stays(ActAnswer, ByPatient, BeforeStart, NoEffect, pending, booked),
	stays(ActDelete, ByPatient, Always, NoEffect, lapsed, byPatient, byDoctor, byAdmin, moved),
	stays(ActDelete, ByAdmin, Always, NoEffect, lapsed, byPatient, byDoctor, byAdmin, moved, completed, noShow),
)

// stays are lines in which the status remains what it is.
func stays(action Action, by Actor, when Condition, orders Effect, statuses ...appointment.Status) []Transition {
	list := make([]Transition, len(statuses))
	for i, status := range statuses {
		list[i] = Transition{status, action, by, when, status, orders}
	}
	return list
}
