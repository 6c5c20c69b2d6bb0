package booking

import (
	"time"

	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent/slot"
	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/fault"
)

// CreateSlotInput is the input of createSlot.
type CreateSlotInput struct {
	// Whose slot; the viewer's own when left out.
	PractitionerID *uuid.UUID
	// When it starts.
	StartsAt time.Time
	// When it ends; by the type's length when left out, and it must agree with it.
	EndsAt *time.Time
	// Length class.
	Type slot.Type
	// Length in minutes for EXTENDED: 45, 60 or 90.
	DurationMinutes *int
	// Zone of the slot; the practitioner's when left out.
	TimeZone *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// CreateSlotsInput is the input of createSlots.
type CreateSlotsInput struct {
	// Whose slots; the viewer's own when left out.
	PractitionerID *uuid.UUID
	// First date.
	StartDate civil.Date
	// Last date, included.
	EndDate civil.Date
	// Days of the week; all when left out.
	Weekdays []time.Weekday
	// Wall-clock time at which the first slot of a day starts.
	StartTime civil.LocalTime
	// Wall-clock time by which the last slot of a day ends.
	EndTime civil.LocalTime
	// Length class.
	Type slot.Type
	// Length in minutes for EXTENDED: 45, 60 or 90.
	DurationMinutes *int
	// Zone of the wall-clock times; the practitioner's when left out.
	TimeZone *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// BookAppointmentInput is the input of bookAppointment.
type BookAppointmentInput struct {
	// The slot.
	SlotID uuid.UUID
	// For whom; the viewer when left out. Schedulers and administrators must give it.
	PatientID *uuid.UUID
	// Note for the practitioner, at most 2,000 characters.
	Note *string
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// CreateOrderInput is the input of createOrder.
type CreateOrderInput struct {
	// The appointment.
	AppointmentID uuid.UUID
	// Makes a repeated call return the first result; kept for 24 hours.
	IdempotencyKey *string
}

// SkippedSlot is a time of a bulk rule that was left out.
type SkippedSlot struct {
	// Date in the rule's zone.
	LocalDate civil.Date
	// Wall-clock time in the rule's zone.
	LocalTime civil.LocalTime
	// SLOT_IN_PAST, SLOT_OVERLAP, SLOT_BLOCKED or NONEXISTENT_LOCAL_TIME.
	Reason fault.Code
}
