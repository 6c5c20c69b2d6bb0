package booking

import (
	"slices"
	"time"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/ent/appointment"
	"github.com/caregraph/caregraph/ent/order"
)

// orderSteps is the table of allowed changes of an order's status. FAILED and EXPIRED lead on because events may arrive late or out of order; straight to
// REFUNDED when another order has paid the visit.
var orderSteps = map[order.Status][]order.Status{
	order.StatusPENDING: {order.StatusPAID, order.StatusFAILED, order.StatusEXPIRED},
	order.StatusFAILED:  {order.StatusPAID, order.StatusREFUNDED},
	order.StatusEXPIRED: {order.StatusPAID, order.StatusREFUNDED},
	// A payment at the desk may follow a declined one, too. What was paid back in full stays so; a partial refund changes no status.
	order.StatusPAID:      {order.StatusCOMPLETED, order.StatusREFUNDED},
	order.StatusCOMPLETED: {order.StatusREFUNDED},
}

// liveStatuses hold their slot.
var liveStatuses = []appointment.Status{
	appointment.StatusPENDING, appointment.StatusBOOKED, appointment.StatusCOMPLETED, appointment.StatusNO_SHOW,
}

func orderMayBecome(from, to order.Status) bool { return slices.Contains(orderSteps[from], to) }

// StatusAt returns where the appointment stands at an instant: a PENDING one whose time to pay is over is expired, written or not.
func StatusAt(a *ent.Appointment, now time.Time) appointment.Status {
	if a.Status == appointment.StatusPENDING && !now.Before(a.ExpiresAt) {
		return appointment.StatusPAYMENT_EXPIRED
	}
	return a.Status
}

// overlaps tells whether two half-open intervals share an instant.
func overlaps(aStart, aEnd, bStart, bEnd time.Time) bool {
	return aStart.Before(bEnd) && bStart.Before(aEnd)
}
