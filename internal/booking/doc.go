// Package booking owns slots, appointments, orders and refunds: from an offered time to a paid visit.
//
// Model: a practitioner offers Slots; a patient books one as an Appointment, which is PENDING until its Order is paid at a payment provider; the provider
// tells of the payment by a signed webhook event, which makes the appointment BOOKED.
//
// Invariants, each decided by a constraint of the database:
//   - Slots of one practitioner never overlap (trigger slots_overlap).
//   - A slot is held by at most one live appointment (unique index appointments_live_slot); live = PENDING, BOOKED, COMPLETED, NO_SHOW.
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
//   - Every change of status is a row of AppointmentStatusChange; the allowed ones, and an order's, are in the tables of status.go.
//
// Time: instants are UTC; slots are expanded from wall-clock rules date by date in the rule's zone (expand.go). Locks are taken in the order
// slot, patient, appointment, order.
package booking
