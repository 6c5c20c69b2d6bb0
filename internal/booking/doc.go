// Package booking owns slots, appointments, orders and refunds: from an offered time to a paid visit.
//
// Model: a practitioner offers Slots; a patient books one as an Appointment, which is PENDING until its Order is paid at a payment provider; the provider
// tells of the payment by a signed webhook event, which makes the appointment BOOKED. What may become of it then is the table Transitions (table.go): who
// may do what with an appointment of a status, on which condition, and what becomes of its orders. Next looks an action up in it, for the services (act),
// for viewerCanCancel and the like (May), and for the exploration in state_test.go, which walks every state that the table and orderSteps can bring
// about; Illegal judges them, and the states that walks against the real service end in. docs/booking.md shows the tables; a test compares them.
//
// Invariants, each decided by a constraint of the database:
//   - Slots of one practitioner never overlap (trigger slots_overlap).
//   - A slot is held by at most one live appointment (unique index appointments_live_slot); live = PENDING, BOOKED, COMPLETED, NO_SHOW.
//   - A live appointment begins only in a slot that is OPEN, at its time, and meets no leave (trigger slots_open); a slot that is held is neither moved nor taken
//     from booking (trigger slots_held); no slot is offered during a leave (trigger slots_overlap, slots_leave on SQLite).
//   - Live appointments of one patient never overlap (trigger appointments_overlap).
//   - An appointment has at most one live order (unique index orders_live_appointment).
//   - A webhook event has its effect once (unique index on provider and event id), written in the same transaction.
//
// Rules:
//   - The price is fixed at booking; clients cannot send one.
//   - A PENDING appointment whose expiresAt has come is expired, whether or not the job has written it: now >= expiresAt.
//   - Money is never kept without a booking: a payment that cannot book, or comes twice, is refunded. A booking may be kept without money: a refund by hand,
//     even in full, leaves the visit as it is; who cancels it pays back by that.
//   - Money goes back as it came: through the provider, or by hand when it was taken at the desk. Never more than was taken, refunds under way included. A
//     refund that nobody could make is FAILED and for a person: SettleRefund, or RefundOrder again.
//   - A booking by staff has an order at once; its page is mailed. At the desk an order is paid in full, after its page has been closed at the provider.
//   - Every change of status is a row of AppointmentStatusChange; the allowed ones are in Transitions, an order's in orderSteps.
//   - A reschedule ends one appointment and begins another, of the same practitioner, in one transaction: orders and room are moved, note, context, answers
//     and history are copied. Who waited for the old one's lock because of an order looks again (lockedOrder).
//   - What is decided by the table is written as the system on the viewer's behalf; everything else passes the viewer's own rights.
//   - A slot that is deleted, and an appointment, are hidden and kept.
//   - Each appointment has a stream of events whose id is its own (watch.go): status, move, update; written with the change.
//
// Time: instants are UTC; slots are expanded from wall-clock rules date by date in the rule's zone (expand.go). Locks are taken in the order
// practitioner, slot, patient, appointment, order, room.
package booking
