package booking

import (
	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/store"
)

// The outcomes of this domain.
var (
	ErrSlotTaken       = fault.New(fault.Conflict, "SLOT_TAKEN", "This time has just been taken.").At("slotId")
	ErrSlotOverlap     = fault.New(fault.Conflict, "SLOT_OVERLAP", "The practitioner has another slot at that time.").At("startsAt")
	ErrSlotInPast      = fault.New(fault.Precondition, "SLOT_IN_PAST", "This time is over.")
	ErrSlotLength      = fault.New(fault.Invalid, "SLOT_LENGTH", "The length does not fit the type: SHORT is 15, LONG 30, EXTENDED (clinicians) 45, 60 or 90 minutes.")
	ErrPatientOverlap  = fault.New(fault.Conflict, "PATIENT_OVERLAP", "The patient has another appointment at that time.").At("slotId")
	ErrIllegalStatus   = fault.New(fault.Precondition, "ILLEGAL_STATUS", "The appointment's status does not allow this.")
	ErrPaymentExpired  = fault.New(fault.Precondition, "PAYMENT_EXPIRED", "The time to pay is over; book again.")
	ErrRefundTooLarge  = fault.New(fault.Precondition, "REFUND_TOO_LARGE", "More would be paid back than is left of what was paid.").At("amount")
	ErrTooLateToCancel = fault.New(fault.Precondition, "TOO_LATE_TO_CANCEL", "A visit can be cancelled or moved until 60 minutes before its start. Please call the practice.")
	ErrTooEarly        = fault.New(fault.Precondition, "TOO_EARLY", "The visit has not begun.")
	ErrSlotHeld        = fault.New(fault.Precondition, "SLOT_HELD", "An appointment holds the slot.")
	ErrSlotBlocked     = fault.New(fault.Conflict, "SLOT_BLOCKED", "The practitioner is on leave at that time.").At("startsAt")
	ErrOrderExists     = fault.New(fault.Conflict, "ORDER_EXISTS", "There is an order for this appointment already.")
)

// Alternatives is the detail of ErrSlotTaken: free slots of the same practitioner and type.
type Alternatives struct{ Slots []*ent.Slot }

// ExistingOrder is the detail of ErrOrderExists.
type ExistingOrder struct{ Order *ent.Order }

// The claims that the database decides.
var (
	liveSlot       = store.Constraint{Postgres: "appointments_live_slot", SQLite: "appointments.slot_id"}
	slotsOverlap   = store.Constraint{Postgres: "slots_overlap", SQLite: "slots_overlap"}
	slotsLeave     = store.Constraint{Postgres: "slots_leave", SQLite: "slots_leave"}
	slotsHeld      = store.Constraint{Postgres: "slots_held", SQLite: "slots_held"}
	slotsOpen      = store.Constraint{Postgres: "slots_open", SQLite: "slots_open"}
	patientOverlap = store.Constraint{Postgres: "appointments_overlap", SQLite: "appointments_overlap"}
	liveOrder      = store.Constraint{Postgres: "orders_live_appointment", SQLite: "orders.appointment_id"}
)
